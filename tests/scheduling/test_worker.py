"""One item from claim to verdict, rendered in the real child process by an engine that misbehaves."""

import time
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import OperationalError
from django.utils import timezone

from accounts.models import User
from engines.registry import get_engine
from tests.scheduling.conftest import rendering_processes
from tests.scheduling.rendering import refunds, render
from tests.servers.process import wait_until
from tests.support.books import assert_all_is_settled
from tests.support.parallel import all_at_once, times
from tests.support.processes import is_running
from tests.support.rows import make_batch, make_item, make_user
from tests.support.scripted_engine import NAME, VARIABLE, VIDEO, prompt
from videos import tasks
from videos.models import ItemStatus, VideoItem
from videos.services import attempts
from videos.services.attempts import StoredResult
from videos.store import deletions, files, keys, removal
from videos.store.deletions import Intent
from videos.worker import renderer, verdicts
from videos.worker.runner import work_once
from videos.worker.slots import slots
from videos.worker.trouble import breaker, forget_troubles, pause

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("scripted")]

WAIT_S = 120


# --- Verdicts --------------------------------------------------------------------------------------


def test_a_rendered_video_is_stored_under_a_key_of_its_attempt(user: User) -> None:
    item = render(user, "succeed")
    assert (item.status, item.progress, item.duration_s, item.notes) == (
        "completed",
        100,
        0.6,
        [{"code": "", "params": {"text": "scripted"}}],
    )
    assert item.video.startswith(f"{keys.result_prefix(item.batch_id)}{item.pk}-1-")
    with default_storage.open(item.video) as file:
        assert file.read() == VIDEO
    assert default_storage.exists(item.poster)
    assert_all_is_settled()


def test_nothing_is_left_in_the_scratch_folder(user: User, settings: LazySettings) -> None:
    render(user, "succeed")
    render(user, "refuse")
    assert not list(settings.WORK_DIR.glob("*/render-*"))


def test_an_idle_worker_says_that_there_was_nothing(db: None) -> None:
    assert not work_once()


def test_what_the_engine_refuses_fails_at_once_with_its_reason_and_a_refund(user: User) -> None:
    item = render(user, "refuse")
    assert (item.status, item.error_code, item.tries) == ("failed", "no_face", 1)
    assert item.error_msg == "No face was found in the portrait."
    assert item.error_final
    assert refunds() == 1
    assert_all_is_settled()


def test_a_child_that_refused_renders_the_next_item(user: User, tmp_path: Path) -> None:
    render(user, "refuse", folder=tmp_path)
    render(user, "succeed", folder=tmp_path)
    assert len(set(rendering_processes(tmp_path))) == 1


def test_an_engine_that_is_away_costs_no_try_and_no_other_item(user: User, tmp_path: Path) -> None:
    waiting = make_item(user, prompt=prompt("succeed"))
    VideoItem.objects.filter(pk=waiting.pk).update(not_before=timezone.now() + timedelta(seconds=5))
    item = render(user, "stay away", "succeed", folder=tmp_path)
    assert (item.status, item.tries, refunds()) == ("pending", 0, 0)
    assert (breaker(NAME).code, pause.code) == ("engine_unavailable", "")
    VideoItem.objects.update(not_before=timezone.now())
    assert not work_once(), "items were taken while the engine is away"
    end_pause()
    while work_once():
        pass
    assert set(VideoItem.objects.values_list("status", flat=True)) == {"completed"}
    assert_all_is_settled()


def test_a_store_that_is_away_costs_no_try_and_everything_finishes_after_it(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails where portraits are fetched and where results are stored, for as long as it is away."""
    make_batch(user, 6, prompt=prompt("succeed", folder=tmp_path))
    away = True

    def refuse(name: str) -> None:
        real = getattr(FileSystemStorage, name)

        def call(self: FileSystemStorage, *args: Any, **kwargs: Any) -> Any:
            if away:
                raise ConnectionRefusedError
            return real(self, *args, **kwargs)

        monkeypatch.setattr(FileSystemStorage, name, call)

    refuse("_save")
    refuse("exists")
    for _ in range(4):
        assert not work_once() or pause.code == "store_away"
        end_pause(keep_trouble=True)
    assert set(VideoItem.objects.values_list("status", "tries")) == {("pending", 0)}
    away = False
    end_pause(keep_trouble=True)
    while work_once():
        pass
    assert set(VideoItem.objects.values_list("status", flat=True)) == {"completed"}
    assert refunds() == 0
    assert_all_is_settled()


def test_a_file_that_is_gone_is_the_items_own_trouble(user: User) -> None:
    item = make_item(user, prompt=prompt("succeed"))
    removal.remove([item.source_image])
    assert work_once()
    item.refresh_from_db()
    assert (item.status, item.error_code, pause.code) == ("failed", "source_missing", "")
    assert_all_is_settled()


def test_a_verdict_waits_for_the_database(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer is lost twice: once before the commit, once after it."""
    monkeypatch.setattr(verdicts, "OUTAGE_PAUSE_S", 0)
    real, calls = attempts.complete, []

    def complete(claimed: attempts.Claim, result: StoredResult, intent: Intent | None = None) -> bool:
        calls.append(claimed.item_id)
        if len(calls) == 1:
            raise OperationalError("the connection was lost")
        kept = real(claimed, result, intent)
        if len(calls) == 2:
            raise OperationalError("the connection was lost after the commit")
        return kept

    monkeypatch.setattr(attempts, "complete", complete)
    item = render(user, "succeed")
    assert item.status == "completed"
    assert len(calls) == 3
    assert default_storage.exists(item.video), "the video of a finished item was removed"
    assert_all_is_settled()


def end_pause(*, keep_trouble: bool = False) -> None:
    """Let the pause be over now; unless `keep_trouble`, as if its probe had passed, too."""
    pause._until = breaker(NAME)._until = 0.0
    if not keep_trouble:
        forget_troubles()


@pytest.mark.parametrize(
    ("act", "code"),
    [("crash", "render_crashed"), ("blunder", "engine_error")],
)
def test_trouble_is_retried_then_fails_and_is_refunded_once(
    user: User, tmp_path: Path, scripted: LazySettings, act: str, code: str
) -> None:
    scripted.RENDER_MAX_TRIES = 3
    item = render(user, act, folder=tmp_path)
    assert (item.status, item.error_code, item.attempt) == ("failed", code, 3)
    assert len(rendering_processes(tmp_path)) == 3
    assert refunds() == 1
    assert_all_is_settled()


def test_a_crash_is_survived_by_the_next_try(user: User, tmp_path: Path) -> None:
    item = render(user, "crash", "succeed", folder=tmp_path)
    assert (item.status, item.attempt) == ("completed", 2)
    assert item.video.startswith(f"{keys.result_prefix(item.batch_id)}{item.pk}-2-")
    assert len(set(rendering_processes(tmp_path))) == 2, "a crashed child was used again"
    assert_all_is_settled()


def test_a_render_that_hangs_is_killed_at_its_time_limit(
    user: User, tmp_path: Path, scripted: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time passes from look to look when the engine hangs; until then a machine may take as long as it
    needs, and the engine may hang before the limit is counted from."""
    scripted.RENDER_TIME_LIMIT_S = 1000
    passed_s = count(step=1001)

    def clock() -> float:
        return time.monotonic() + (next(passed_s) if rendering_processes(tmp_path) else 0)

    monkeypatch.setattr(renderer, "time", SimpleNamespace(monotonic=clock))
    item = render(user, "hang", folder=tmp_path)
    assert (item.status, item.error_code, item.tries) == ("failed", "render_timeout", 1)
    assert not is_running(rendering_processes(tmp_path)[0])
    assert_all_is_settled()


@pytest.mark.parametrize("seen", [True, False])
def test_a_time_limit_that_passes_as_the_work_ends_leaves_one_verdict(
    user: User, scripted: LazySettings, monkeypatch: pytest.MonkeyPatch, seen: bool
) -> None:
    """The limit passes when the video is written. Whether that is `seen` or the result is heard first, there
    is one verdict, and neither what the killed process had to say nor its files hinder the next render.
    """
    scripted.RENDER_TIME_LIMIT_S = 1000
    receive, late = renderer._Child.receive, [True]

    def written() -> bool:
        return late[0] and any(scripted.WORK_DIR.glob("*/render-*/video.mp4"))

    def hear(self: Any, timeout_s: float) -> dict[str, Any] | None:
        message = receive(self, timeout_s)
        while written() and not seen and self.running and not (message and "result" in message):
            message = receive(self, timeout_s)
        if seen and message and "result" in message and written():
            self.idle = False  # it lies there unheard, as it would a moment earlier
            return None
        return message

    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + (1001 if written() else 0))
    monkeypatch.setattr(renderer, "time", clock)
    monkeypatch.setattr(renderer._Child, "receive", hear)
    item = render(user, "succeed")
    assert (item.status, item.attempt, refunds()) == (("failed", 1, 1) if seen else ("completed", 1, 0))
    assert item.error_code == ("render_timeout" if seen else "")
    assert bool(files.result_sizes(keys.result_prefix(item.batch_id))) == (not seen)
    late[0] = False
    assert render(user, "succeed").status == "completed"
    assert_all_is_settled()


def test_one_message_five_times_at_once_renders_once(user: User, tmp_path: Path) -> None:
    """As a broker does that thinks nobody has taken it."""
    item = make_item(user, prompt=prompt("succeed", folder=tmp_path))
    outcomes = all_at_once(times(5, tasks.work))
    assert not [one for one in outcomes if isinstance(one, Exception)], outcomes
    item.refresh_from_db()
    assert (item.status, item.attempt) == ("completed", 1)
    assert len(rendering_processes(tmp_path)) == 1
    assert_all_is_settled()


def test_a_render_that_takes_too_much_memory_is_killed(
    user: User, tmp_path: Path, scripted: LazySettings
) -> None:
    scripted.RENDER_MEMORY_LIMIT_MB = 200
    item = render(user, "gorge", folder=tmp_path)
    assert (item.status, item.error_code, item.tries) == ("failed", "render_out_of_memory", 1)
    assert not is_running(rendering_processes(tmp_path)[0])
    assert_all_is_settled()


def test_a_child_that_answers_nonsense_is_killed(user: User, tmp_path: Path, scripted: LazySettings) -> None:
    scripted.RENDER_MAX_TRIES = 1
    item = render(user, "babble", folder=tmp_path)
    assert (item.status, item.error_code) == ("failed", "render_crashed")
    assert not is_running(rendering_processes(tmp_path)[0])
    assert_all_is_settled()


def test_what_libraries_print_does_not_reach_the_protocol(user: User) -> None:
    item = render(user, "chatter")
    assert (item.status, item.notes) == ("completed", [{"code": "", "params": {"text": "scripted"}}])


def test_the_child_gets_no_secret(user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = (
        "SECRET_KEY",
        "JWT_SIGNING_KEY",
        "MEDIA_SIGNING_KEY",
        "DATABASE_URL",
        "BROKER_URL",
        "S3_SECRET_ACCESS_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "ADMIN_PASSWORD",
        "METRICS_TOKEN",
        "PGPASSWORD",
    )
    for name in names:
        monkeypatch.setenv(name, "do-not-tell")
    assert render(user, "confess", folder=tmp_path).status == "completed"
    told = (tmp_path / "environment.json").read_text()
    assert "PATH" in told
    assert "do-not-tell" not in told


@pytest.mark.parametrize("missing_in_child_only", [False, True])
def test_an_engine_that_does_not_exist_costs_no_try_and_items_wait_for_it(
    user: User, monkeypatch: pytest.MonkeyPatch, missing_in_child_only: bool
) -> None:
    get_engine(NAME)
    monkeypatch.setenv("EXTRA_ENGINES", "scripted=no.such.module:Engine")
    if not missing_in_child_only:
        get_engine.cache_clear()
    item = make_item(user, prompt=prompt("succeed"))
    work_once()
    item.refresh_from_db()
    assert (item.status, item.tries, refunds()) == ("pending", 0, 0)
    assert (breaker(NAME).code, pause.code) == ("engine_unavailable", "")
    end_pause(keep_trouble=True)
    assert missing_in_child_only or not work_once(), "items were taken without an engine"
    monkeypatch.setenv("EXTRA_ENGINES", VARIABLE)
    slots.close()
    end_pause()
    while work_once():
        pass
    item.refresh_from_db()
    assert item.status == "completed"


# --- Late workers ----------------------------------------------------------------------------------


def test_a_result_that_comes_too_late_is_thrown_away(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between storing the video and pointing to it, another worker took the item over."""
    save = files.save_file

    def save_then_lose(path: Path, key: str) -> int:
        size = save(path, key)
        if key.endswith(".mp4"):
            VideoItem.objects.update(attempt=5)
        return size

    monkeypatch.setattr(files, "save_file", save_then_lose)
    item = make_item(user, prompt=prompt("succeed"))
    assert work_once()
    item.refresh_from_db()
    assert (item.status, item.video) == (ItemStatus.PROCESSING, "")
    deletions.work_off()
    assert not files.result_sizes(keys.result_prefix(item.batch_id))


# --- With Dramatiq ---------------------------------------------------------------------------------


def all_done() -> bool:
    return not VideoItem.objects.filter(status__in=("pending", "processing")).exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_of_dramatiq_does_everything_that_waits(worker: Any, tmp_path: Path) -> None:
    for acts in (("succeed",), ("crash", "succeed"), ("refuse",)):
        make_batch(make_user(), 2, prompt=prompt(*acts, folder=tmp_path))
    wait_until(all_done, timeout_s=300, what="all items")
    statuses = sorted(VideoItem.objects.values_list("status", flat=True))
    assert statuses == ["completed"] * 4 + ["failed"] * 2
    assert_all_is_settled()


@pytest.mark.django_db(transaction=True)
def test_a_batch_accepted_while_the_broker_is_down_is_done_later(
    broker: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*args: Any, **kwargs: Any) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as outage:
        outage.setattr(broker, "enqueue", unreachable)
        make_batch(make_user(), 2, prompt=prompt("succeed"))
    assert VideoItem.objects.filter(status="pending").count() == 2
    request.getfixturevalue("worker")
    wait_until(all_done, timeout_s=300, what="the sweep's hints and their work")
    assert set(VideoItem.objects.values_list("status", flat=True)) == {"completed"}


def test_what_an_engine_says_can_be_kept_whatever_it_holds(user: User) -> None:
    item = render(user, "rave")
    assert (item.status, item.error_code, item.error_final) == ("failed", "their_code", True)
    assert item.error_msg == "odd ?"
    assert item.error_params == {"share": "nan", "name": "?"}
