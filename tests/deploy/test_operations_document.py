"""docs/operations.md is done as written: installed, used, backed up, restored into an empty installation.

Each block of commands of these sections is run by a shell. What stands in for the machine itself is in
tests/support/stand_ins.py; what an operator fills in, and ports, are replaced by the table below.
"""

import contextlib
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.plugins.environment import ROOT
from tests.plugins.servers import start
from tests.servers.nginx import Nginx, make_certificate
from tests.servers.postgres import run_postgresql
from tests.servers.process import (
    LOOPBACK,
    accepts_connections,
    find_program,
    free_port,
    scratch_folder,
    wait_until,
)
from tests.servers.rabbitmq import run_rabbitmq_node
from tests.servers.topology import HOST_NAME, release
from tests.support.films import watch
from tests.support.live import clean_environment, serving
from tests.support.main_job import ProxiedApi
from tests.support.media import short_speech, small_portrait
from tests.support.stage import Stage, environment_file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("operations")]

TEXT = (ROOT / "docs" / "operations.md").read_text()
TIMEOUT_S = 300
"""A bound, for busy machines; all of it takes a minute on two idle cores."""
ALL_WELL = '{"status": "ok", "failed": []}'
"""All that the questions of "Is it well?" print then: the second says nothing."""
SERVICES = ("zhiying-web", "zhiying-worker", "nginx")
ROOT_RUNS = os.geteuid() == 0


def blocks(section: str) -> list[tuple[str, str]]:
    """The blocks of a section: the words before each, since the block before it, and its lines."""
    text = re.search(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert text, section
    return [(found[1], found[2]) for found in re.finditer(r"(.*?)^```\w+\n(.*?)^```$", text[1], re.M | re.S)]


def block(section: str, words: str) -> str:
    """The one block with these words before it."""
    found = [lines for before, lines in blocks(section) if words in before]
    assert len(found) == 1, (words, found)
    return found[0]


@pytest.mark.parametrize(
    ("section", "words"), [("Debian, part by part", "Write into it"), ("E-mail", "With a mail server")]
)
def test_a_shell_reads_settings_as_systemd_does(section: str, words: str, tmp_path: Path) -> None:
    lines = block(section, words)
    file = tmp_path / "env"
    file.write_text(f"{lines}LABEL_TEXT='a & b; $c < \"d\" \\e `f`'\n")
    read = ["sh", "-c", f"set -a; . {file}; exec env -0"]
    done = subprocess.run(read, env={"PATH": os.environ["PATH"]}, capture_output=True, check=True, timeout=60)
    found = dict(line.split("=", 1) for line in done.stdout.decode().split("\0") if line)
    expected = environment_file(file.read_text())
    assert len(expected) == len(lines.splitlines()) + 1
    assert {name: found.get(name) for name in expected} == expected


class Machine:
    """The document's machine: a stage, and what its operator fills in."""

    def __init__(self, stage: Stage, postgres_port: int, amqp_port: int) -> None:
        self.stage = stage
        self.web_port = free_port()
        owners = {"www-data": "www-data"} if ROOT_RUNS else {}  # as others nobody but root may act
        named = [("o", "root"), ("o", "zhiying"), ("o", "www-data"), ("g", "zhiying"), ("g", "www-data")]
        me = {"o": str(os.geteuid()), "g": str(os.getegid())}
        self.table = {
            r"\bVERSION\b": "1.0.0",
            r"\bREPOSITORY\b": str(ROOT),
            r"\bDATABASE_PASSWORD\b": secrets.token_hex(12),
            r"\bBROKER_PASSWORD\b": secrets.token_hex(12),
            r"\b64 random characters\b": secrets.token_urlsafe(64),
            r"\banother 32 random characters\b": secrets.token_urlsafe(32),
            r"\blocalhost:5432\b": f"localhost:{postgres_port}",
            r"\blocalhost:5672\b": f"localhost:{amqp_port}",
            r"(?<=127\.0\.0\.1:)8000\b|(?<=^PORT=)8000$": str(self.web_port),
            **{rf"(?<=-{kind}) {user}\b": f" {owners.get(user, me[kind])}" for kind, user in named},
        }
        self.used: set[str] = set()

    def filled_in(self, lines: str) -> str:
        for pattern, replacement in self.table.items():
            lines, count = re.subn(pattern, replacement, lines, flags=re.MULTILINE)
            if count:
                self.used.add(pattern)
        return self.stage.privately(lines)

    def do(self, section: str, words: str, *, only: str = "") -> str:
        """Run a block (or its lines that begin with `only`); returns what it printed."""
        lines = "".join(
            line for line in block(section, words).splitlines(keepends=True) if line.startswith(only)
        )
        assert lines
        return self.stage.run(self.filled_in(lines))

    # --- Sections ---------------------------------------------------------------------------------------

    def install(self) -> str:
        """The whole part by part, in the document's order; returns what setup printed."""
        section = "Debian, part by part"
        self.do(section, "**Packages, user, folders.**")
        self.do(section, "**Database and broker.**")
        self.do(section, "**The code.**")
        self.do(section, "**Settings**")
        settings = self.stage.folder / "etc" / "zhiying" / "env"
        assert settings.stat().st_mode & 0o777 == 0o640
        settings.write_text(self.filled_in(block(section, "Write into it")))
        said = self.do(section, "**Setup.**")
        self.do(section, "**Services.**")
        make_certificate(self.stage.folder / "etc" / "nginx" / "tls", HOST_NAME)
        self.do(section, "**nginx**")
        return said

    def install_empty(self) -> None:
        """Another machine, where nothing is but the settings: here, the same one without its data."""
        section = "Debian, part by part"
        self.stage.run("systemctl stop zhiying-web zhiying-worker")
        self.stage.run("su postgres -c 'dropdb zhiying && dropuser zhiying'")
        shutil.rmtree(self.stage.folder / "var" / "lib" / "zhiying")
        self.do(section, "**Packages, user, folders.**")
        self.do(section, "**Database and broker.**", only="su ")
        self.do(section, "**Setup.**")

    def wait_until_well(self) -> None:
        """Asks as the document does, until the answer is the one it promises."""
        question = self.filled_in(block("Debian, part by part", "**Is it well?**"))
        wait_until(
            lambda: (
                accepts_connections(self.web_port)  # until then each look would only slow its start down
                and self.stage.run(question, check=False) == ALL_WELL
            ),
            timeout_s=TIMEOUT_S,
            what="all parts",
        )

    @cached_property
    def api(self) -> ProxiedApi:
        tls = self.stage.folder / "etc" / "nginx" / "tls"
        nginx = Nginx(self.stage.http_port, self.stage.https_port, tls, HOST_NAME)
        return ProxiedApi(nginx, HOST_NAME)

    def logs(self) -> str:
        return "\n".join(
            path.read_text()[-2000:] for path in self.stage.folder.glob("*.log") if path.is_file()
        )


@pytest.fixture
def machine() -> Iterator[Machine]:
    with contextlib.ExitStack() as stack:
        # Not a folder of pytest's, which no other user may enter: nginx's workers are another under root.
        folder = stack.enter_context(scratch_folder("operations"))
        folder.chmod(0o755)
        database = urlsplit(start(stack, lambda: run_postgresql("unused", superuser="postgres")))
        node = start(stack, run_rabbitmq_node)
        release()
        postgres = {
            "PGHOST": LOOPBACK,
            "PGPORT": str(database.port),
            "PGUSER": "postgres",
            "PGPASSWORD": database.password or "",
        }
        real = {name: str(find_program(name)) for name in ("make", "nginx")}
        real["rabbitmqctl"] = str(find_program("rabbitmqctl", prefer_extra=True))
        rabbitmq = dict(node.environment)
        stage = Stage(folder, clean_environment(), postgres, rabbitmq, real, free_port(), free_port())
        stage.build()
        amqp_port = urlsplit(node.url).port
        assert database.port
        assert amqp_port
        try:
            yield Machine(stage, database.port, amqp_port)
        finally:
            stage.run(f"systemctl stop {' '.join(SERVICES)}", check=False)


def played(api: ProxiedApi, batch_id: str) -> bytes:
    """The video of the batch's only item, seen to be one."""
    whole = api.call("GET", api.batch(batch_id)["items"][0]["videoUrl"])
    assert whole.status_code == 200, whole.text[:500]
    assert "ETag" in whole.headers, "nginx sends the file, not Python"
    assert len(watch(whole.content).frames) == 30
    return whole.content


@pytest.mark.faults
def test_an_installation_works_and_comes_back_from_its_backup(machine: Machine) -> None:
    password = re.search(r"shown only this once\): (\S+)", machine.install())
    assert password
    machine.wait_until_well()
    api = machine.api.login(password[1])
    batch_id = api.submit({"a.jpg": small_portrait()}, short_speech())
    batch = api.wait(batch_id, timeout_s=TIMEOUT_S)
    assert batch["status"] == "completed", (batch["items"], machine.logs())
    video = played(api, batch_id)

    machine.do("Back up and restore", "The database first")
    home = machine.stage.folder / "home"
    kept = {path.name: path.stat().st_mode & 0o777 for path in home.iterdir()}
    assert kept == {"zhiying.dump": 0o600, "zhiying-media.tar": 0o600}

    machine.install_empty()
    machine.do("Back up and restore", "Restore into an empty installation")
    machine.wait_until_well()
    assert played(api, batch_id) == video, "for the same session, since the settings were kept"
    assert machine.api.login(password[1]).get("/api/user/profile")["credits"] == 99
    machine.do("Back up and restore", "see that the books are right")
    again = api.submit({"b.jpg": small_portrait()}, short_speech())
    assert api.wait(again, timeout_s=TIMEOUT_S)["status"] == "completed", "it goes on where it was"
    assert played(api, again)
    assert machine.used == set(machine.table), "nothing is replaced that the document does not say any more"
    access_log = (machine.stage.folder / "var" / "log" / "nginx" / "access.log").read_text()
    assert "+00:00 " in access_log


def test_one_machine_with_sqlite_comes_back_from_its_backup(tmp_path: Path) -> None:
    """The commands are run beside `data`, as the document has it."""
    section = "Back up and restore"
    stage = Stage(tmp_path, clean_environment())
    (tmp_path / "home").mkdir()
    with serving(tmp_path / "home" / "data") as platform:
        api = platform.login()
        batch_id = api.submit({"a.jpg": small_portrait()}, short_speech())
        batch = api.wait(batch_id, timeout_s=TIMEOUT_S)
        token = api.session.headers["Authorization"]
        stage.run(block(section, "**One machine with SQLite.**"))
    shutil.rmtree(tmp_path / "home" / "data")
    stage.run(block(section, "Restore where no server runs"))
    with serving(tmp_path / "home" / "data") as platform:
        api = platform.login()
        assert api.batch(batch_id)["status"] == batch["status"] == "completed"
        link = urlsplit(api.batch(batch_id)["items"][0]["videoUrl"])
        film = requests.get(f"{platform.origin}{link.path}?{link.query}", timeout=TIMEOUT_S)
        assert len(watch(film.content).frames) == 30
        api.session.headers["Authorization"] = token
        assert api.get("/api/user/profile")["credits"] == 99, "its key is the same"
