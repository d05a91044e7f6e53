"""A machine for an operator's commands: a folder instead of /etc, /opt, /run, /var, and private servers.

Imports nothing heavy: every stand-in (tests/support/stand_ins.py) is a process that begins by reading this.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND_TIMEOUT_S = 300
STAND_INS = ("apt-get", "adduser", "git", "make", "su", "runuser", "rabbitmqctl", "systemctl", "nginx")
PLACE = re.compile(r"(?<![\w.:/}])/(etc|opt|run|var)/")
"""Where operators' files are; not the end of an address or of another path."""


def environment_file(text: str) -> dict[str, str]:
    """What systemd reads in an EnvironmentFile: between single quotes everything stands for itself."""
    pairs = [line.partition("=") for line in text.splitlines() if line and line[0] not in "#;"]
    return {name: value[1:-1] if value[:1] == value[-1:] == "'" else value for name, _, value in pairs}


@dataclass(frozen=True)
class Stage:
    """What the stand-ins have to know."""

    folder: Path
    environment: Mapping[str, str]
    """The operator's own."""
    postgres: Mapping[str, str] = field(default_factory=dict)
    """The environment in which PostgreSQL's programs find the private server."""
    rabbitmq: Mapping[str, str] = field(default_factory=dict)
    real: Mapping[str, str] = field(default_factory=dict)
    """Where the programs are that have a stand-in."""
    http_port: int = 0
    https_port: int = 0

    @classmethod
    def load(cls, folder: Path) -> "Stage":
        facts = json.loads((folder / "stage.json").read_text())
        return cls(**{**facts, "folder": folder})

    def build(self) -> None:
        """The folders that packages bring, and a PATH with the stand-ins."""
        for place in ("etc/systemd/system", "etc/nginx/tls", "opt", "run", "var/lib", "var/www"):
            (self.folder / place).mkdir(parents=True)
        for place in ("var/cache/nginx", "var/log/nginx", "bin", "home"):
            (self.folder / place).mkdir(parents=True)
        shutil.copy("/etc/nginx/mime.types", self.folder / "etc/nginx")
        (self.folder / "stage.json").write_text(json.dumps({**asdict(self), "folder": str(self.folder)}))
        for name in STAND_INS:
            program = self.folder / "bin" / name
            program.write_text(
                f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m tests.support.stand_ins {name} "$@"\n'
            )
            program.chmod(0o755)

    def privately(self, text: str) -> str:
        """Text with places of the machine replaced by those below the folder."""
        return PLACE.sub(rf"{self.folder}/\1/", text)

    def pid_file(self, service: str) -> Path:
        return self.folder / "run" / f"{service}.pid"

    def run(self, commands: str, *, check: bool = True) -> str:
        """Run lines of a shell as the operator, until one fails; returns what they printed."""
        own = {**self.environment, "OPERATOR_STAGE": str(self.folder)}
        own["PATH"] = f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{own['PATH']}:/usr/sbin"
        output = self.folder / "output"
        with output.open("w+") as told:  # services that stay would hold a pipe open
            done = subprocess.run(
                ["sh", "-eu", "-c", commands],
                cwd=self.folder / "home",
                env=own,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=subprocess.STDOUT,
                timeout=COMMAND_TIMEOUT_S,
                check=False,
            )
        said = output.read_text()
        assert not check or done.returncode == 0, f"{commands}\n→ {done.returncode}: {said}"
        return said
