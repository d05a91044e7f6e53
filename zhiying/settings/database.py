"""The database."""

from typing import Any

from zhiying.settings.core import DATA_DIR, DATABASE_URL, env

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url_config(DATABASE_URL or f"sqlite:///{DATA_DIR / 'zhiying.sqlite3'}")
}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        # Writers queue up instead of failing: the write lock is taken when a transaction begins.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
    }
    _database["CONN_MAX_AGE"] = None  # opening the file and setting it up costs more than most requests
    # Tests use threads and child processes, which an in-memory database cannot serve.
    _database["TEST"] = {"NAME": env.str("TEST_SQLITE_PATH", default=str(DATA_DIR / "test.sqlite3"))}
else:
    _database["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
    _database["CONN_HEALTH_CHECKS"] = True
    # Nobody waits for a server, a lock or a frozen client without end. zhiying.kernel.statement_limits lifts
    # the bound of statements for migrations and for commands that read whole tables.
    _bounds = {
        "statement_timeout": env.int("DATABASE_STATEMENT_TIMEOUT_S", default=30),
        "lock_timeout": env.int("DATABASE_LOCK_TIMEOUT_S", default=10),
        "idle_in_transaction_session_timeout": env.int("DATABASE_IDLE_TRANSACTION_TIMEOUT_S", default=30),
    }
    _database["OPTIONS"] = {
        "options": " ".join(f"-c {name}={seconds}s" for name, seconds in _bounds.items()),
        "connect_timeout": env.int("DATABASE_CONNECT_TIMEOUT_S", default=5),
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
        **_database.get("OPTIONS", {}),  # those of DATABASE_URL itself
    }
