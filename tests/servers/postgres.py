"""A private PostgreSQL cluster."""

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.servers.process import LOOPBACK, ServerError, find_program, free_port, log_tail, scratch_folder

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # loopback only: a socket path in a temporary folder can be too long
    "max_connections": "200",
    # Nothing here has to survive a power cut.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}

START_TIMEOUT_S = 300
COMMAND_TIMEOUT_S = 600


@contextlib.contextmanager
def run_postgresql(database: str = "zhiying", superuser: str = "zhiying") -> Iterator[str]:
    """Start PostgreSQL and give the URL of an empty database, `postgresql://user:password@host:port/name`.

    Raises `MissingServerError` where PostgreSQL is not installed and `ServerError` when it does not start.
    """
    initdb, pg_ctl, psql = find_program("initdb"), find_program("pg_ctl"), find_program("psql")
    with scratch_folder("pg") as folder:
        password = secrets.token_urlsafe(12)
        (folder / "password").write_text(password)
        owner = _unprivileged_owner(folder)
        data, log, port = folder / "data", folder / "log", free_port()

        def run(*arguments: str | Path) -> None:
            _run([str(argument) for argument in arguments], folder=folder, owner=owner, log=log)

        run(initdb, "-D", data, "-U", superuser, "-A", "scram-sha-256", "--pwfile", folder / "password")
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
            configuration.write(f"port = {port}\n")
        run(pg_ctl, "-D", data, "-l", log, "-w", "-t", str(START_TIMEOUT_S), "start")
        try:
            base = f"postgresql://{superuser}:{password}@{LOOPBACK}:{port}"
            run(psql, f"{base}/postgres", "-q", "-c", f'CREATE DATABASE "{database}"')
            yield f"{base}/{database}"
        finally:
            run(pg_ctl, "-D", data, "-w", "-m", "immediate", "stop")


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


def _run(arguments: list[str], *, folder: Path, owner: pwd.struct_passwd | None, log: Path) -> None:
    """Run one of PostgreSQL's own commands as the cluster's owner; raises `ServerError` with its output."""
    with (folder / "output").open("w+b") as output:
        # Output goes to a file, not a pipe: the server that pg_ctl leaves behind would hold a pipe open.
        result = subprocess.run(
            arguments,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            timeout=COMMAND_TIMEOUT_S,
            check=False,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )
    if result.returncode:
        raise ServerError(
            f"{Path(arguments[0]).name} ended with {result.returncode}:\n"
            f"{log_tail(folder / 'output')}\n{log_tail(log)}"
        )
