"""Scratch files of processes that were killed, on a machine that may have no worker."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest
from django.conf import LazySettings

from tests.plugins.environment import ROOT
from tests.servers.process import wait_until
from videos.store import scratch

CHILD = """
import os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "zhiying.settings"
import django
django.setup()
from django.conf import settings
from pathlib import Path
settings.WORK_DIR = Path(sys.argv[1])
from videos.store.uploads import ScratchFile
file = ScratchFile("a.jpg", "image/jpeg", 0, None, None)
file.write(b"half of an upload")
file.flush()
print(file.temporary_file_path(), flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _work_dir(settings: LazySettings, tmp_path: Path) -> None:
    settings.WORK_DIR = tmp_path


def test_the_folder_is_the_processs_own_and_stays_the_same(tmp_path: Path) -> None:
    folder = scratch.own_folder()
    assert folder.parent == tmp_path
    assert scratch.own_folder() == folder
    assert str(os.getpid()) in folder.name


def test_a_disk_that_is_full_for_a_while_costs_no_other_file(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old folder's lock is let go once: its number soon belongs to somebody else's file."""
    scratch.own_folder()
    settings.WORK_DIR = tmp_path / "moved"
    with monkeypatch.context() as patch:
        patch.setattr(scratch, "_made", raise_disk_full)
        with pytest.raises(OSError, match="No space"):
            scratch.own_folder()
        others = [(tmp_path / str(number)).open("wb") for number in range(8)]  # one of them gets the number
        with pytest.raises(OSError, match="No space"):
            scratch.own_folder()
    for file in others:
        file.write(b"x")
        file.close()
    assert scratch.own_folder().parent == tmp_path / "moved"


def raise_disk_full(*given: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.slow
def test_what_a_killed_process_leaves_goes_and_what_a_living_one_uses_stays(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as child:
        try:
            assert child.stdout is not None
            upload = Path(child.stdout.readline().strip())
            assert upload.read_bytes() == b"half of an upload"
            scratch.clean()
            assert upload.exists(), "a living process lost its file"
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
    wait_until(lambda: scratch.clean() == 1, timeout_s=30, what="the lock of the dead")
    assert not upload.parent.exists()


def test_an_old_file_of_a_living_process_stays() -> None:
    file = scratch.own_folder() / "long-render"
    file.write_bytes(b"x")
    past = time.time() - 30 * 24 * 3600
    for path in (file, file.parent, file.parent / scratch.LOCK):
        os.utime(path, (past, past))
    scratch.clean()
    assert file.exists()


def test_leftovers_of_earlier_releases_go_by_age(tmp_path: Path) -> None:
    old, young = tmp_path / "tmpabc.upload.jpg", tmp_path / "tmpdef.upload.jpg"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 25 * 3600,) * 2)
    scratch.clean()
    assert not old.exists()
    assert young.exists()


def test_the_first_use_cleans_and_then_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A web process has no other occasion."""
    old = tmp_path / "left-behind"

    def leave() -> None:
        old.write_bytes(b"x")
        os.utime(old, (time.time() - 25 * 3600,) * 2)

    leave()
    monkeypatch.setattr(scratch, "_looked_at", {})
    scratch.own_folder()
    assert not old.exists()
    leave()
    scratch.own_folder()
    assert old.exists(), "every upload looks through the folder"
