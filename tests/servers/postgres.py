"""A private PostgreSQL cluster."""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.servers.process import (
    LOOPBACK,
    Command,
    Runner,
    ServerError,
    find_program,
    free_port,
    log_tail,
    run_command,
    scratch_folder,
    stop_group,
)

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # loopback only: a socket path in a temporary folder can be too long
    "max_connections": "200",
    # Nothing here has to survive a power cut.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}

SURVIVES_ITS_OWN_DEATH = {"synchronous_commit": "on", "full_page_writes": "on"}
"""For whoever kills the server, and not the machine: what was committed is there afterwards."""

START_TIMEOUT_S = 300
COMMAND_TIMEOUT_S = 600


@contextlib.contextmanager
def run_postgresql(
    database: str = "zhiying",
    *,
    superuser: str = "zhiying",
    run: Runner = run_command,
    settings: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Start PostgreSQL and give the URL of an empty database, `postgresql://user:password@host:port/name`.

    `settings` go before ours.

    Raises `MissingServerError` where PostgreSQL is not installed and `ServerError` when it does not start.
    """
    initdb, postgres, psql = find_program("initdb"), find_program("postgres"), find_program("psql")
    pg_isready = find_program("pg_isready")
    with scratch_folder("pg") as folder:
        password = secrets.token_urlsafe(12)
        (folder / "password").write_text(password)
        owner = _unprivileged_owner(folder)
        data, port = folder / "data", free_port()
        server = Command([postgres, "-D", data], folder / "log", _environment(), owner=owner)

        def call(*arguments: str | Path) -> None:
            _call([str(argument) for argument in arguments], server)

        call(initdb, "-D", data, "-U", superuser, "-A", "scram-sha-256", "--pwfile", folder / "password")
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.writelines(
                f"{name} = '{value}'\n" for name, value in {**SETTINGS, **(settings or {})}.items()
            )
            configuration.write(f"port = {port}\n")
        asked = [str(pg_isready), "-q", "-h", LOOPBACK, "-p", str(port)]
        with run(
            server,
            ready=lambda: not subprocess.run(asked, check=False, timeout=COMMAND_TIMEOUT_S).returncode,
            timeout_s=START_TIMEOUT_S,
            stop_signal=signal.SIGQUIT,  # whoever is still connected is cut off
        ):
            base = f"postgresql://{superuser}:{password}@{LOOPBACK}:{port}"
            call(psql, f"{base}/postgres", "-q", "-c", f'CREATE DATABASE "{database}"')
            yield f"{base}/{database}"


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def _unprivileged_owner(folder: Path) -> pwd.struct_passwd | None:
    """The account PostgreSQL runs as, made owner of the folder; none unless we are root, whom it refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            owner = pwd.getpwnam(name)
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, owner.pw_uid, owner.pw_gid)
            return owner
    raise ServerError("running as root, and there is no unprivileged account to run PostgreSQL as")


def _call(arguments: list[str], server: Command) -> None:
    """Run one of PostgreSQL's own commands as the server's owner; raises `ServerError` with its output."""
    output = server.log.with_name("output")
    process = Command(arguments, output, _environment(), owner=server.owner).start()
    try:
        process.wait(COMMAND_TIMEOUT_S)
    finally:
        stop_group(process)
    if process.returncode:
        raise ServerError(
            f"{Path(arguments[0]).name} ended with {process.returncode}:\n"
            f"{log_tail(output)}\n{log_tail(server.log)}"
        )
