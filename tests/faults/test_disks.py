"""Disks that are really full, for media and for scratch files: small file systems of their own in memory."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import Servers
from tests.faults.site import Site, new_site, open_the_way, until
from tests.plugins.environment import missing
from tests.servers.process import find_program, scratch_folder
from tests.support.media import image_bytes, wav_bytes

pytestmark = [pytest.mark.faults]

SIZES = {"media": 4_000_000, "work": 208_000_000}
"""Scratch space counts as full with less than 200 MB."""
FULL = "SELECT 1 FROM workers WHERE trouble = 'disk_full' AND state = 'paused'"


@contextmanager
def small_file_system(folder: Path, size: int) -> Iterator[None]:
    """Nothing but what is written into it is held in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={size},mode=777"
    words: list[str | Path] = [find_program("mount"), "-t", "tmpfs", "-o", options, "tmpfs", folder]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        missing("a file system of its own cannot be mounted")
    try:
        yield
    finally:
        subprocess.run([find_program("umount"), "--lazy", folder], check=True)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Not a byte more has room."""
    ballast = folder / "ballast"
    free = os.statvfs(folder)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)
    try:
        yield
    finally:
        ballast.unlink()


@pytest.fixture(scope="module")
def small(servers: Servers) -> Iterator[Site]:
    """An installation whose disks are small."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder("faults"))
        for name, size in SIZES.items():
            stack.enter_context(small_file_system(folder / "data" / name, size))
        site = stack.enter_context(new_site(folder, servers.postgres_url, servers.redis_url))
        site.started(stack, site.web(), site.worker("worker"))
        yield site


@pytest.mark.parametrize("which", ["media", "work"])
def test_a_full_disk_loses_nothing_and_is_left_behind_by_itself(
    which: str, small: Site, tmp_path: Path
) -> None:
    site, user = small, small.person()
    batch_id = user.batch_of("climb", "succeed", folder=tmp_path)
    until(lambda: list(tmp_path.iterdir()), bool)  # it is being rendered
    with filled(site.data / which):
        open_the_way(tmp_path)
        until(lambda: site.rows(FULL), bool)
        assert site.until_item(batch_id, "pending", attempt=1)["tries"] == 0
        before = user.credits
        files = [("images", ("a.jpg", image_bytes())), ("audio", ("a.wav", wav_bytes()))]
        answer = user.call("POST", "/api/video/batch", files=files)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), answer.text
        assert answer.json()["part"] == "disk"
        assert user.credits == before
    done = site.until_item(batch_id, "completed", attempt=2)
    assert done["tries"] == 1
    assert site.entries(user) == {"charge": 1}
    until(lambda: site.rows("SELECT 1 FROM workers WHERE state = 'ready'"), bool)
