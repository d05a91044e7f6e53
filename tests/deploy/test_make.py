"""`make run` in a small project of its own: quick, restartable, and quiet on Ctrl-C.

The Makefile and tools/environment.py are the real ones; the packages are local ones, so that no
registry is asked.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from tests.servers.process import wait_until

# One checkout serves all tests here, in the order they are written.
pytestmark = pytest.mark.xdist_group("make")

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 600

MANAGE = """
import json, os, pathlib, signal, sys, time
import application_package
signal.signal(signal.SIGINT, lambda *ignored: sys.exit(0))
variables = {name: os.environ.get(name) for name in ("PORT", "HOST", "ADMIN_USERNAME")}
pathlib.Path("served.json").write_text(json.dumps([sys.argv[1:], variables]))
if os.environ.get("STAY"):
    pathlib.Path("up").touch()
    signal.pause()
"""


def write_wheel(folder: Path, name: str) -> str:
    """A minimal wheel with one module; returns its line for a requirements file, hash included."""
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    information = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{information}/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"{name}==1.0 --hash=sha256:{digest}\n"


class Project:
    """A checkout with the real Makefile and tool, and a server that writes down how it was started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tools").mkdir()
        shutil.copy(ROOT / "Makefile", folder)
        shutil.copy(ROOT / "tools" / "environment.py", folder / "tools")
        (folder / "wheels").mkdir()
        (folder / "manage.py").write_text(MANAGE)
        for part, package in (("", "application_package"), ("-models", "models_package")):
            line = write_wheel(folder / "wheels", package)
            (folder / f"requirements{part}.txt").write_text(line)

    def environment(self, **variables: str) -> dict[str, str]:
        """The environment of a user's shell, with pip kept away from any registry."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        kept.pop("VENV", None)
        pip = {
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.folder / "wheels"),
            "PIP_CONFIG_FILE": os.devnull,
        }
        return {**kept, **pip, **variables}

    def make(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run make to its end."""
        return subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project after its first `make run`."""
    project = Project(tmp_path_factory.mktemp("project"))
    result = project.make("run", f"PYTHON={sys.executable}", "PORT=9000", ADMIN_USERNAME="root", PORT="1")
    assert result.returncode == 0, result.stderr
    return project


def test_the_first_run_installs_both_requirement_files_and_serves(made: Project) -> None:
    python = made.folder / ".venv" / "bin" / "python"
    subprocess.run([python, "-c", "import application_package, models_package"], check=True)
    assert (made.folder / "served.json").exists()


def test_settings_reach_the_server_from_the_command_line_and_the_environment(made: Project) -> None:
    made.make("run", f"PYTHON={sys.executable}", "PORT=9000", ADMIN_USERNAME="root", PORT="1")
    served = (made.folder / "served.json").read_text()
    assert served == '[["serve"], {"PORT": "9000", "HOST": null, "ADMIN_USERNAME": "root"}]'


def test_a_second_run_installs_nothing(made: Project) -> None:
    assert made.make("run", f"PYTHON={sys.executable}").stdout == ""


def test_changed_requirements_are_installed_into_what_is_there(made: Project) -> None:
    requirements = made.folder / "requirements.txt"
    requirements.write_text(requirements.read_text() + write_wheel(made.folder / "wheels", "later_package"))
    result = made.make("run", f"PYTHON={sys.executable}")
    assert "Making .venv" not in result.stdout
    subprocess.run([made.folder / ".venv" / "bin" / "python", "-c", "import later_package"], check=True)


def test_after_a_package_with_a_wrong_hash_the_environment_is_made_anew(made: Project) -> None:
    requirements = made.folder / "requirements.txt"
    right = requirements.read_text()
    (made.folder / "served.json").unlink()
    (made.folder / ".venv" / "leftover").touch()

    requirements.write_text(right.split("sha256:")[0] + "sha256:" + "0" * 64 + "\n")
    pip: list[str | Path] = [made.folder / ".venv" / "bin" / "python", "-m", "pip"]
    subprocess.run([*pip, "uninstall", "-qy", "application_package"], check=True)
    refused = made.make("run", f"PYTHON={sys.executable}")
    assert refused.returncode != 0
    assert "HASHES" in refused.stderr
    assert not (made.folder / "served.json").exists()

    requirements.write_text(right)
    result = made.make("run", f"PYTHON={sys.executable}")
    assert "Making .venv" in result.stdout
    assert (made.folder / "served.json").exists()
    assert not (made.folder / ".venv" / "leftover").exists()


def test_an_old_python_is_refused_with_a_sentence(tmp_path: Path) -> None:
    project = Project(tmp_path)
    old = tmp_path / "python3.9"
    old.write_text(
        textwrap.dedent(f"""\
        #!{sys.executable}
        import runpy, sys
        sys.version_info, sys.argv = (3, 9, 2), sys.argv[1:]
        sys.path.insert(0, "tools")
        runpy.run_path(sys.argv[0], run_name="__main__")
        """)
    )
    old.chmod(0o755)
    result = project.make("run", f"PYTHON={old}")
    assert result.returncode != 0
    assert "needs Python 3.11 or newer" in result.stderr
    assert "Traceback" not in result.stderr


def test_without_any_python_it_says_what_to_do(tmp_path: Path) -> None:
    project = Project(tmp_path)
    (tmp_path / "bin").mkdir()
    for name in ("make", "sh"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    result = project.make("run", PATH=str(tmp_path / "bin"))
    assert result.returncode != 0
    assert "no Python 3.11 or newer found" in result.stderr


def test_control_c_reaches_the_server_and_make_stays_quiet(made: Project) -> None:
    (made.folder / "up").unlink(missing_ok=True)
    process = subprocess.Popen(
        ["make", "run", f"PYTHON={sys.executable}"],
        cwd=made.folder,
        env=made.environment(STAY="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    wait_until((made.folder / "up").exists, timeout_s=TIMEOUT_S, what="the server")
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does
    output, _ = process.communicate(timeout=TIMEOUT_S)
    assert output == b""
