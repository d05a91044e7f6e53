"""From one machine to many with all that is there, as docs/operations.md says: nothing is lost."""

import re
import shutil
import sys
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
import requests

from tests.plugins.environment import ROOT
from tests.servers import S3Server
from tests.support.films import watch
from tests.support.live import clean_environment, manage, serving
from tests.support.media import short_speech, small_portrait
from tests.system.test_many_machines import Installation, installed

pytestmark = [pytest.mark.faults, pytest.mark.slow]


def documented(command: str) -> list[str]:
    """The words of a management command as the operators' page has them."""
    text = (ROOT / "docs" / "operations.md").read_text()
    found = re.search(rf"^\.venv/bin/python manage\.py ({command} .*)$", text, re.MULTILINE)
    assert found, command
    return found[1].split()


def sync(folder: Path, s3: S3Server, prefix: str) -> None:
    """What `aws s3 sync` does."""
    for path in folder.rglob("*"):
        if path.is_file():
            s3.client().upload_file(str(path), s3.bucket, f"{prefix}{path.relative_to(folder)}")


def test_users_credits_videos_and_logins_move(
    postgres_url: str, redis_url: str, s3_server: S3Server, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    with serving(old, WORKER_THREADS="1") as platform:
        api = platform.login()
        batch_id = api.submit({"a.jpg": small_portrait(), "b.jpg": small_portrait()}, short_speech())
        before = api.wait(batch_id)
        entries = api.get("/api/user/credits")["entries"]
        login = api.session.headers["Authorization"]
    dumped = run(
        manage(*documented("dumpdata")),
        env=clean_environment(DATA_DIR=str(old)),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert dumped.returncode == 0, dumped.stderr
    moved = {"SECRET_KEY": (old / "secret_key").read_text().strip(), "S3_PREFIX": "moved/"}
    folder = tmp_path / "new"
    folder.mkdir()
    with installed(postgres_url, redis_url, s3_server, folder, admin=False, **moved) as installation:
        shutil.move(tmp_path / "zhiying.jsonl", folder / "zhiying.jsonl")
        load(installation)
        sync(old / "media", s3_server, moved["S3_PREFIX"])
        installation.manage("prepare_store")
        installation.manage("audit_credits")
        installation.manage("media_orphans")
        with installation.web() as platform, installation.worker("worker"):
            api = platform.login()
            assert to_the_millisecond(api.get("/api/user/credits")["entries"]) == to_the_millisecond(entries)
            after = api.batch(batch_id)
            assert [item["id"] for item in after["items"]] == [item["id"] for item in before["items"]]
            film = requests.get(after["items"][0]["videoUrl"], timeout=60)
            assert len(watch(film.content).frames) == 30
            api.session.headers["Authorization"] = login
            assert api.get("/api/user/profile")["credits"] == 98, "who was logged in still is"
            again = api.wait(api.submit({"c.jpg": small_portrait()}, short_speech()))
            assert again["status"] == "completed", again["items"]


def to_the_millisecond(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As JSON keeps times."""
    return [{**entry, "created_at": entry["created_at"][:23]} for entry in entries]


def load(installation: Installation) -> None:
    loaded = run(
        [sys.executable, str(ROOT / "manage.py"), *documented("loaddata")],
        env=installation.environment,
        cwd=installation.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr
