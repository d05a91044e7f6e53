"""What happens to an item while its render is under way: a second thread renders, with real commits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connections
from django.utils import timezone

from tests.scheduling.conftest import THREAD_TIMEOUT_S, rendering_processes
from tests.scheduling.rendering import refunds
from tests.servers.process import wait_until
from tests.support.books import assert_all_is_settled
from tests.support.processes import is_running
from tests.support.rows import client_for, make_item, make_user
from tests.support.scripted_engine import STEPS, prompt
from videos.models import VideoItem
from videos.services import attempts
from videos.store import deletions
from videos.worker.runner import work_once
from videos.worker.stopping import stopping

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("scripted")]

WAIT_S = 120


@contextmanager
def working() -> Iterator[threading.Thread]:
    """A worker thread that takes one item, joined at the end; a test that fails leaves no render running."""

    def work() -> None:
        try:
            work_once()
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield thread
    except BaseException:
        stopping.set()
        raise
    finally:
        thread.join(THREAD_TIMEOUT_S)
    assert not thread.is_alive()


def wait_for_render(item: VideoItem, folder: Path) -> int:
    """Wait until the engine is at work; returns its process."""
    wait_until(lambda: bool(rendering_processes(folder)), timeout_s=WAIT_S, what="the render")
    wait_until(
        lambda: VideoItem.objects.get(pk=item.pk).progress > 0, timeout_s=WAIT_S, what="the first progress"
    )
    return rendering_processes(folder)[0]


def test_cancelling_a_running_item_kills_its_render_and_refunds_it(tmp_path: Path) -> None:
    user = make_user()
    item = make_item(user, prompt=prompt("hang", folder=tmp_path))
    with working() as thread:
        pid = wait_for_render(item, tmp_path)
        answer = client_for(user).post(f"/api/video/batches/{item.batch_id}/items/{item.pk}/cancel")
        assert answer.status_code == 200
        wait_until(lambda: not is_running(pid), timeout_s=WAIT_S, what="the end of the render")
        thread.join(THREAD_TIMEOUT_S)
    item.refresh_from_db()
    assert (item.status, refunds()) == ("cancelled", 1)
    assert_all_is_settled()


def test_deleting_a_batch_kills_its_render(tmp_path: Path) -> None:
    user = make_user()
    item = make_item(user, prompt=prompt("hang", folder=tmp_path))
    with working():
        pid = wait_for_render(item, tmp_path)
        assert client_for(user).delete(f"/api/video/batches/{item.batch_id}").status_code == 200
        wait_until(lambda: not is_running(pid), timeout_s=WAIT_S, what="the end of the render")
    user.refresh_from_db()
    assert user.credits == 100
    deletions.work_off()
    assert not default_storage.exists(item.source_image)


def test_a_worker_that_stops_gives_its_item_back(tmp_path: Path) -> None:
    user = make_user()
    item = make_item(user, prompt=prompt("hang", folder=tmp_path))
    with working():
        pid = wait_for_render(item, tmp_path)
        stopping.set()
        wait_until(lambda: not is_running(pid), timeout_s=WAIT_S, what="the end of the render")
    item.refresh_from_db()
    assert (item.status, item.tries, item.worker, refunds()) == ("pending", 0, "", 0)
    assert not work_once(), "a stopping worker claims nothing"


def test_a_worker_notices_that_its_item_was_given_to_another(tmp_path: Path) -> None:
    item = make_item(make_user(), prompt=prompt("hang", folder=tmp_path))
    with working():
        pid = wait_for_render(item, tmp_path)

        def taken_back() -> bool:
            """A heartbeat may renew the lease in between."""
            VideoItem.objects.update(lease_until=timezone.now())
            return attempts.expire_leases() > 0

        wait_until(taken_back, timeout_s=WAIT_S, what="the end of the lease")
        wait_until(lambda: not is_running(pid), timeout_s=WAIT_S, what="the end of the render")
    item.refresh_from_db()
    assert (item.status, item.attempt) == ("pending", 1)


def test_progress_rises_while_an_item_renders(tmp_path: Path) -> None:
    item = make_item(make_user(), prompt=prompt("climb", folder=tmp_path))
    seen: list[int] = []

    def look() -> int:
        seen.append(VideoItem.objects.get(pk=item.pk).progress)
        return seen[-1]

    with working():
        for percent in STEPS:
            wait_until(lambda: look() >= percent, timeout_s=WAIT_S, what=f"{percent} %")  # noqa: B023
            (tmp_path / str(percent)).touch()
    assert look() == 100
    assert seen == sorted(seen), "progress went back"
    assert {*STEPS, 100} <= set(seen)
