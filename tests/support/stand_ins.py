"""What an operator's commands are on a machine that must stay as it is: each this program by another name.

`git`, `make`, `apt-get` and `adduser` note or look at what they are told; `su` and `runuser` run the command
as whoever runs the test; `rabbitmqctl` talks to a private node; `systemctl` reads the units that were
installed and starts and stops what they name; `nginx` gets private ports. All else is the machine's own.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.servers.nginx import Nginx, at_private_addresses
from tests.support.stage import STAND_INS, Stage, environment_file

NGINX_STOP_S = 20
STAGE = Stage.load(Path(os.environ["OPERATOR_STAGE"]))


# --- Packages, users, code --------------------------------------------------------------------------


def note(name: str, words: list[str]) -> None:
    """Remember what was asked for."""
    with (STAGE.folder / name).open("a") as notes:
        notes.write(" ".join(words) + "\n")


def git(words: list[str]) -> None:
    """The working copy itself, so that what is tested is what is edited."""
    command, option, _, source, target = words
    assert (command, option) == ("clone", "--branch")
    Path(target).mkdir()
    for entry in Path(source).iterdir():
        if entry.name not in {".git", ".venv"}:
            (Path(target) / entry.name).symlink_to(entry)
    (Path(target) / ".venv").symlink_to(sys.prefix)


def make(words: list[str]) -> None:
    """Whether the target is there: what it makes was made before."""
    subprocess.run([STAGE.real["make"], "--dry-run", *words], check=True, stdout=subprocess.DEVNULL)


def su(words: list[str]) -> None:
    """A shell command, on the private database server."""
    user, option, command = words
    assert (user, option) == ("postgres", "-c")
    os.execvpe("sh", ["sh", "-c", command], {**os.environ, **STAGE.postgres})  # noqa: S606


def runuser(words: list[str]) -> None:
    assert words[:3] == ["-u", "zhiying", "--"]
    os.execvp(words[3], words[3:])  # noqa: S606


def rabbitmqctl(words: list[str]) -> None:
    program = STAGE.real["rabbitmqctl"]
    os.execve(program, [program, *words], {**os.environ, **STAGE.rabbitmq})  # noqa: S606


# --- Services ---------------------------------------------------------------------------------------


def read_unit(*files: Path) -> dict[str, list[str]]:
    """The section [Service] of a unit and its drop-ins; what is said twice counts twice."""
    found: dict[str, list[str]] = {}
    for file in files:
        section = ""
        for line in STAGE.privately(file.read_text()).splitlines():
            if line.startswith("["):
                section = line
            elif section == "[Service]" and "=" in line and not line.startswith("#"):
                name, _, value = line.partition("=")
                found.setdefault(name, []).append(value)
    return found


def environment_of(unit: dict[str, list[str]]) -> dict[str, str]:
    """What systemd would give it: nothing of ours but where programs are."""
    own = {name: os.environ[name] for name in ("PATH", "LANG", "OPERATOR_STAGE") if name in os.environ}
    for word in shlex.split(" ".join(unit.get("Environment", []))):
        own[word.partition("=")[0]] = word.partition("=")[2]
    for file in unit.get("EnvironmentFile", []):
        own.update(environment_file(Path(file).read_text()))
    return own


def start(name: str) -> None:
    """Start the service, unless it runs."""
    if name == "nginx":
        start_nginx()
        return
    if running(name):
        return
    unit = read_unit(STAGE.folder / "etc/systemd/system" / f"{name}.service")
    assert unit["User"] == ["zhiying"]
    assert "zhiying" in (STAGE.folder / "adduser").read_text().split()
    for folder in unit.get("RuntimeDirectory", []):
        (STAGE.folder / "run" / folder).mkdir(exist_ok=True)
    scratch = STAGE.folder / f"tmp-{name}"
    scratch.mkdir(exist_ok=True)
    with (STAGE.folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            unit["ExecStart"],
            cwd=unit["WorkingDirectory"][0],
            env={**environment_of(unit), "TMPDIR": str(scratch)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    STAGE.pid_file(name).write_text(str(process.pid))


def running(name: str) -> psutil.Process | None:
    try:
        process = psutil.Process(int(STAGE.pid_file(name).read_text()))
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None


def stop(name: str) -> None:
    """As KillMode=mixed: ask the first process, wait, kill what is left."""
    if process := running(name):
        process.send_signal(signal.SIGQUIT if name == "nginx" else signal.SIGTERM)
        limit_s = NGINX_STOP_S
        if name != "nginx":
            unit = read_unit(STAGE.folder / "etc/systemd/system" / f"{name}.service")
            assert unit["KillMode"] == ["mixed"]
            limit_s = int(unit["TimeoutStopSec"][0])
        deadline = time.monotonic() + limit_s
        while running(name) and time.monotonic() < deadline:
            time.sleep(0.05)
        if name != "nginx":
            subprocess.run(["kill", "-9", "--", f"-{process.pid}"], check=False, stderr=subprocess.DEVNULL)
    STAGE.pid_file(name).unlink(missing_ok=True)


def systemctl(words: list[str]) -> None:
    command, *names = [word for word in words if word != "--now"]
    if command == "daemon-reload":
        return
    for name in names:
        if command in {"stop", "restart"}:
            stop(name)
        if command in {"enable", "start", "restart"}:
            start(name)


# --- nginx ------------------------------------------------------------------------------------------


def nginx_words(*words: str) -> list[str]:
    """nginx with the configuration that was installed, on private ports."""
    folder = STAGE.folder / "nginx"
    folder.mkdir(exist_ok=True)
    ports = Nginx(STAGE.http_port, STAGE.https_port, folder, "")
    text = (STAGE.folder / "etc/nginx/nginx.conf").read_text()
    private = folder / "nginx.conf"
    private.write_text(at_private_addresses(STAGE.privately(text), ports))
    log = STAGE.folder / "var/log/nginx/error.log"
    return [STAGE.real["nginx"], "-e", str(log), "-c", str(private), *words]


def start_nginx() -> None:
    """As Debian's unit does, standard output included: a socket, which nobody can open by a path."""
    drop_ins = sorted((STAGE.folder / "etc/systemd/system/nginx.service.d").glob("*.conf"))
    ours, theirs = socket.socketpair()
    said = f"daemon on; master_process on; pid {STAGE.pid_file('nginx')};"
    with ours, theirs:
        done = subprocess.run(
            nginx_words("-g", said),
            env={**environment_of(read_unit(*drop_ins)), "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=theirs.fileno(),
            stderr=theirs.fileno(),
            check=False,
        )
        ours.settimeout(1)
        if done.returncode:
            sys.exit(ours.recv(65536).decode())


def nginx(words: list[str]) -> None:
    assert words == ["-t"]
    command = nginx_words("-t", "-g", f"pid {STAGE.pid_file('nginx')};")
    os.execv(command[0], command)  # noqa: S606


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "apt-get": lambda words: note("apt-get", words),
    "adduser": lambda words: note("adduser", words),
    "git": git,
    "make": make,
    "su": su,
    "runuser": runuser,
    "rabbitmqctl": rabbitmqctl,
    "systemctl": systemctl,
    "nginx": nginx,
}
assert set(COMMANDS) == set(STAND_INS)


def main() -> None:
    name, *words = sys.argv[1:]
    os.environ.pop("PYTHONPATH", None)  # which was for this program only
    COMMANDS[name](words)


if __name__ == "__main__":
    main()
