"""Processes that touch other people's files find no secret, in their own environment or in others'."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from engines.sandbox import child_environment
from tests.plugins.environment import ROOT
from tests.support.live import ADMIN_PASSWORD, serving
from tests.support.media import image_bytes, wav_bytes
from tests.support.scripted_engine import NAME, VARIABLE, prompt

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


def test_a_child_gets_what_is_named_and_nothing_else() -> None:
    given = {
        "PATH": "/bin",
        "PYTHONPATH": "/x",
        "OMP_NUM_THREADS": "2",
        "LC_ALL": "C",
        "MY_MODEL": "m",
        "RENDER_ENVIRONMENT": " MY_MODEL , NOT_THERE,",
        "SECRET_KEY": "s",
        "DATABASE_URL": "postgres://u:p@h/d",
        "AWS_SECRET_ACCESS_KEY": "a",
        "SOMETHING_NEW": "x",
        "HF_TOKEN": "h",
    }
    assert set(child_environment(given)) == {"PATH", "PYTHONPATH", "OMP_NUM_THREADS", "LC_ALL", "MY_MODEL"}


@LINUX
def test_an_engine_reads_no_secret_of_the_server(tmp_path: Path) -> None:
    """With secrets in the server's initial environment, where every process of its user could look."""
    hidden = {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "METRICS_TOKEN": secrets.token_hex(16),
        "S3_SECRET_ACCESS_KEY": secrets.token_hex(16),
    }
    with serving(
        tmp_path / "data", EXTRA_ENGINES=VARIABLE, GENERATION_ENGINE=NAME, PYTHONPATH=str(ROOT), **hidden
    ) as platform:
        api = platform.login()
        batch_id = api.submit({"a.jpg": image_bytes()}, wav_bytes(), prompt=prompt("spy", folder=tmp_path))
        assert api.wait(batch_id)["status"] == "completed"
        server = f"environ {platform.process.pid}"
    loot = json.loads((tmp_path / "loot.json").read_text())
    assert any(place.startswith("environ ") for place in loot), "the engine looked, and read its own"
    assert "memory of the parent" not in loot
    assert server not in loot
    found = [
        (place, name)
        for place, text in loot.items()
        for name, value in {**hidden, "ADMIN_PASSWORD": ADMIN_PASSWORD}.items()
        if f"{name}={value}" in text or (place == "own" and value in text)
    ]
    assert found == []


@LINUX
def test_a_decoder_has_no_privileges_and_a_short_environment(tmp_path: Path) -> None:
    code = (
        "from engines.sandbox import give_up_privileges; give_up_privileges();"
        "print([line for line in open('/proc/self/status') if line.startswith(('CapEff', 'NoNewPrivs'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert "NoNewPrivs:\\t1" in done.stdout
    assert int(done.stdout.split("CapEff:\\t")[1].split("\\n")[0], 16) & ~0b10 == 0


ASK = "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
SERVERS = {
    "any process with Django": f"import ctypes, django; django.setup(); {ASK}",
    "the workers' master": (
        "import ctypes, sys; from videos.worker import master; sys.argv.append('broker');"
        f"master.cli.main = lambda words: {ASK}; master.main()"
    ),
    "gunicorn's master": (
        "import ctypes, pathlib; path = pathlib.Path('deploy/gunicorn.conf.py').resolve();"
        "facts = {'__file__': str(path)}; exec(path.read_text(), facts);"
        f"facts['on_starting'](None); {ASK}"
    ),
}


@LINUX
@pytest.mark.parametrize("server", SERVERS)
def test_a_server_cannot_be_looked_into_by_others_of_its_user(server: str) -> None:
    """It is undumpable: the kernel asks for privileges to read its environment and memory."""
    done = subprocess.run(
        [sys.executable, "-c", SERVERS[server]],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "zhiying.settings",
            "BROKER_URL": "redis://127.0.0.1:1/0",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.strip() == "0", done.stderr
