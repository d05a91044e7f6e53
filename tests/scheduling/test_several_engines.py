"""Several engines at once: who works with which, what one in trouble keeps waiting, what falls back."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.utils import timezone

from accounts.models import User
from engines.base import EngineBusyError, Readiness
from engines.remote import JobState, JobView
from tests.support.books import assert_all_is_settled
from tests.support.parallel import all_at_once, times
from tests.support.rows import make_batch, make_user, make_worker
from tests.support.scripted_engine import NAME, VARIABLE, prompt
from videos.models import Batch, EngineRecord, ItemStatus, QueueLane, RemoteJob, VideoItem, Worker
from videos.scheduling import claims, engines
from videos.scheduling.claims import claim_next
from videos.scheduling.sweep import sweep
from videos.services import attempts, batches, fallback, heartbeats, transitions
from videos.services.attempts import StoredResult, Verdict
from videos.worker import runner, trouble
from videos.worker.carried import Carried
from videos.worker.registry import Registration
from videos.worker.runner import work_once
from videos.worker.trouble import breaker, engine_failed, pause

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

SECOND = "second"
THREAD_TIMEOUT_S = 60
ENGINES = (NAME, SECOND)


@pytest.fixture(autouse=True)
def _two_engines(scripted: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of the scripted kind; the first is the installation's own."""
    monkeypatch.setenv("EXTRA_ENGINES", f"{VARIABLE},{VARIABLE.replace(f'{NAME}=', f'{SECOND}=', 1)}")
    scripted.GENERATION_ENGINES = [SECOND]


def lanes() -> dict[str, tuple[int, int]]:
    """What waits and runs, by engine, where something does."""
    rows = QueueLane.objects.exclude(waiting=0, running=0)
    return {lane.engine: (lane.waiting, lane.running) for lane in rows}


# --- Who takes what -------------------------------------------------------------------------------


def test_a_claim_is_for_the_engines_that_are_named(user: User) -> None:
    own, other = make_batch(user), make_batch(user, engines=[SECOND])
    assert claim_next("w", ["portrait"]) is None
    claimed = claim_next("w", [SECOND])
    assert claimed is not None
    assert (claimed.batch_id, claimed.engine) == (other.pk, SECOND)
    assert claim_next("w", [SECOND]) is None
    claimed = claim_next("w", ENGINES)
    assert claimed is not None
    assert (claimed.batch_id, claimed.engine) == (own.pk, "")


def test_an_engine_that_becomes_the_own_one_is_served_under_both_names(
    user: User, scripted: LazySettings
) -> None:
    named, unnamed = make_batch(user, engines=[SECOND]), make_batch(user)
    scripted.GENERATION_ENGINE = SECOND
    found = {claimed.batch_id for _ in range(2) if (claimed := claim_next("w", [SECOND]))}
    assert found == {named.pk, unnamed.pk}


def test_each_engine_has_its_own_limit(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    most = {NAME: None, SECOND: 2}
    real = engines.capabilities_of

    def limited(name: str) -> Any:
        return replace(real(name), max_concurrent=most[name])

    monkeypatch.setattr(claims, "capabilities_of", limited)
    make_batch(user, 4)
    make_batch(make_user(), 4, engines=[SECOND])
    outcomes = all_at_once(times(8, lambda: claim_next("w", ENGINES)))
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    while claim_next("w", ENGINES):
        pass
    assert lanes() == {"": (0, 4), SECOND: (2, 2)}


def test_a_worker_works_with_those_it_is_told_to(user: User, scripted: LazySettings) -> None:
    make_batch(user, prompt=prompt("succeed"))
    other = make_batch(user, prompt=prompt("succeed"), engines=[SECOND])
    scripted.WORKER_ENGINES = [SECOND]
    assert work_once()
    assert not work_once()
    assert other.items.get().made_by == SECOND
    assert lanes() == {"": (1, 0)}
    Registration().beat()
    assert list(Worker.objects.get().engines) == [SECOND]


# --- Trouble of one ------------------------------------------------------------------------------


def test_an_engine_in_trouble_keeps_no_other_from_working(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trouble, "FIRST_PAUSE_S", 600.0)
    monkeypatch.setattr(trouble, "LONGEST_PAUSE_S", 600.0)
    down = make_batch(user, prompt=prompt("stay away", "succeed", folder=tmp_path), engines=[SECOND])
    fine = make_batch(make_user(), 2, prompt=prompt("succeed"))
    while work_once():
        pass
    item = down.items.get()
    assert (item.status, item.tries) == (ItemStatus.PENDING, 0)
    assert {one.made_by for one in fine.items.all()} == {NAME}
    assert (breaker(SECOND).code, breaker(NAME).code, pause.code) == ("engine_unavailable", "", "")
    Registration().beat()
    worker = Worker.objects.get()
    assert worker.state == Worker.State.READY
    assert [worker.engines[name]["trouble"] for name in ENGINES] == ["", "engine_unavailable"]
    breaker(SECOND)._until = 0.0
    assert work_once()
    assert down.items.get().made_by == SECOND


def test_a_server_is_left_alone_for_as_long_as_it_asks() -> None:
    engine_failed(SECOND, EngineBusyError(retry_after_s=120))
    assert breaker(SECOND)._until > time.monotonic() + 100
    assert not breaker(SECOND).over()


@pytest.mark.parametrize(
    ("asked_s", "kept_s"),
    [
        (trouble.LONGEST_WISH_S - 1, trouble.LONGEST_WISH_S - 1),
        (trouble.LONGEST_WISH_S, trouble.LONGEST_WISH_S),
        (trouble.LONGEST_WISH_S + 1, trouble.LONGEST_WISH_S),
        (10_000_000, trouble.LONGEST_WISH_S),
    ],
)
def test_no_server_decides_for_longer_than_the_bound(asked_s: float, kept_s: float) -> None:
    before = time.monotonic()
    engine_failed(NAME, EngineBusyError(retry_after_s=asked_s))
    after = time.monotonic()
    assert before + kept_s <= breaker(NAME)._until <= after + kept_s


def test_a_worker_none_of_whose_engines_works_says_so() -> None:
    for name in ENGINES:
        engine_failed(name, EngineBusyError())
    Registration().beat()
    worker = Worker.objects.get()
    assert (worker.state, worker.trouble) == (Worker.State.PAUSED, "engine_unavailable")


def test_a_pause_that_a_server_asked_for_is_not_cut_short_by_another_trouble() -> None:
    engine_failed(SECOND, EngineBusyError(retry_after_s=120))
    engine_failed(SECOND, EngineBusyError())
    assert breaker(SECOND)._until > time.monotonic() + 100


def test_a_worker_lives_while_a_server_of_its_hangs(
    scripted: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it knows of the others is told as ever."""
    monkeypatch.setenv("OPENAI_VIDEOS_URL", "http://127.0.0.1:1/v1")
    scripted.GENERATION_ENGINES = ["openai-videos"]
    answers = threading.Event()

    def hang() -> Readiness:
        answers.wait(THREAD_TIMEOUT_S)
        return Readiness(ready=True)

    engines.remote.cache_clear()
    monkeypatch.setattr(engines.remote("openai-videos"), "readiness", hang)
    try:
        Registration().beat()
        told = Worker.objects.get().engines
        assert (told[NAME]["ready"], told["openai-videos"]["ready"]) == (True, False)
    finally:
        answers.set()
        engines.remote.cache_clear()


def test_results_that_wait_get_their_places_first(
    user: User, scripted: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.WORKER_THREADS = 1
    make_batch(user, 3, prompt=prompt("succeed"))
    waiting = [0, 1]  # one comes while the first item is rendered
    monkeypatch.setattr(runner, "results_waiting", lambda: waiting.pop(0) if len(waiting) > 1 else waiting[0])
    assert runner.work_until_idle() == 0, "the place is for the result"
    waiting[:] = [0, 0, 1]
    assert runner.work_until_idle() == 1
    waiting[:] = [0]
    assert runner.work_until_idle() == 2


# --- What servers say -----------------------------------------------------------------------------


def test_an_estimate_that_is_over_is_shown_no_more(user: User) -> None:
    make_batch(user)
    claimed = claim_next("w")
    assert claimed is not None
    heartbeats.show_progress(claimed, 5, server_position=2, server_eta_s=60)
    item = VideoItem.objects.get()
    assert (item.progress, item.server_position, item.server_ready_at is None) == (5, 2, False)
    heartbeats.show_progress(claimed, 5, server_position=1)
    item.refresh_from_db()
    assert (item.server_position, item.server_ready_at) == (1, None)
    heartbeats.show_progress(claimed, 5, server_eta_s=60)
    heartbeats.show_progress(claimed, 5)
    item.refresh_from_db()
    assert (item.server_position, item.server_ready_at) == (None, None)


@pytest.mark.parametrize("told", [0, -1, 10**12, float("nan"), float("inf")])
def test_a_number_that_cannot_be_meant_is_not_believed(told: float) -> None:
    carried = Carried(RemoteJob())
    carried.goes_on(JobView(state=JobState.WAITING, queue_position=cast("int", told)))
    assert carried.position is None


# --- Falling back ---------------------------------------------------------------------------------


def goes_down(name: str = SECOND, *, for_s: float = 120) -> None:
    since = timezone.now() - timedelta(seconds=for_s)
    EngineRecord.objects.update_or_create(engine=name, defaults={"down_since": since})


def test_what_waits_goes_to_the_next_engine_and_what_runs_follows_when_it_is_given_back(user: User) -> None:
    batch = make_batch(user, 3, engines=[SECOND, NAME])
    running = claim_next("w", [SECOND])
    assert running is not None
    goes_down()
    version = Batch.objects.get().version
    assert fallback.fall_back() == 2
    assert lanes() == {SECOND: (0, 1), "": (2, 0)}
    batch.refresh_from_db()
    assert (batch.engine, batch.fallbacks, batch.version > version) == ("", "", True)
    assert attempts.release(running)
    assert lanes() == {"": (3, 0)}
    assert_all_is_settled()


def test_what_is_given_back_stands_first_where_it_stood_first(user: User) -> None:
    batch = make_batch(user, 2, engines=[SECOND, NAME])
    batches.batch_first(batch=batch, acting_user=make_user(is_admin=True))
    running = claim_next("w", [SECOND])
    assert running is not None
    goes_down()
    fallback.fall_back()
    assert attempts.release(running)
    assert set(batch.items.values_list("lane__engine", "lane__urgent")) == {("", True)}


def test_batches_that_can_go_nowhere_stand_before_no_other(
    user: User, scripted: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "BATCHES_AT_ONCE", 1)
    scripted.GENERATION_ENGINES = [SECOND, "portrait"]
    for engines_of in ([SECOND, "portrait"], [SECOND, "portrait"], [SECOND, NAME]):
        make_batch(user, engines=engines_of)
    goes_down()
    goes_down("portrait")
    assert fallback.fall_back() == 1
    assert lanes() == {SECOND: (2, 0), "": (1, 0)}


def test_a_batch_that_somebody_holds_keeps_no_other_from_falling_back(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = make_batch(user, engines=[SECOND, NAME])
    make_batch(make_user(), engines=[SECOND, NAME])
    goes_down()
    real = transitions.lock_batch

    def lock(batch_id: UUID) -> Batch | None:
        if batch_id == held.pk:
            raise OperationalError("canceling statement due to lock timeout")
        return real(batch_id)

    monkeypatch.setattr(fallback, "lock_batch", lock)
    assert fallback.fall_back() == 1
    assert lanes() == {SECOND: (1, 0), "": (1, 0)}


def test_what_waits_for_an_engine_that_was_taken_away_goes_on(user: User, scripted: LazySettings) -> None:
    scripted.FALLBACK_AFTER_S = 0
    make_batch(user, 2, engines=[SECOND, NAME])
    facts = {"ready": True, "code": "", "params": {}, "detail": ""}
    make_worker(engines={NAME: facts, SECOND: facts})
    sweep()
    assert lanes() == {SECOND: (2, 0)}
    scripted.GENERATION_ENGINES = []
    sweep()
    assert lanes() == {"": (2, 0)}


def test_what_is_tried_again_follows_too(user: User) -> None:
    make_batch(user, 2, engines=[SECOND, NAME])
    running = claim_next("w", [SECOND])
    assert running is not None
    goes_down()
    fallback.fall_back()
    assert attempts.fail(running, Verdict("engine_error", retryable=True, pauses=False))
    assert lanes() == {"": (2, 0)}


def test_what_stands_first_stands_first_there(user: User) -> None:
    batch = make_batch(user, 2, engines=[SECOND, NAME])
    batches.batch_first(batch=batch, acting_user=make_user(is_admin=True))
    goes_down()
    fallback.fall_back()
    assert set(batch.items.values_list("lane__engine", "lane__urgent")) == {("", True)}


@pytest.mark.parametrize(
    ("engines", "down_for_s", "also_down"),
    [([SECOND], 120, False), ([SECOND, NAME], 20, False), ([SECOND, NAME], 120, True)],
)
def test_without_another_that_works_or_too_soon_everything_stays(
    user: User, engines: list[str], down_for_s: float, also_down: bool
) -> None:
    make_batch(user, 2, engines=engines)
    goes_down(for_s=down_for_s)
    if also_down:
        goes_down(NAME)
    assert fallback.fall_back() == 0
    assert lanes() == {SECOND: (2, 0)}


def test_the_sweep_notes_since_when_an_engine_is_down(user: User, scripted: LazySettings) -> None:
    scripted.FALLBACK_AFTER_S = 0
    make_batch(user, 2, engines=[SECOND, NAME])
    facts = {"ready": True, "code": "", "params": {}, "detail": ""}
    worker = make_worker(engines={NAME: facts, SECOND: facts})
    sweep()
    assert lanes() == {SECOND: (2, 0)}
    worker.engines[SECOND] = {**facts, "ready": False, "code": "server_unreachable"}
    worker.save()
    sweep()
    assert lanes() == {"": (2, 0)}
    worker.engines[SECOND] = facts
    worker.save()
    sweep()
    assert EngineRecord.objects.get(engine=SECOND).down_since is None


def test_a_retry_begins_with_the_first_engine_again(user: User, scripted: LazySettings) -> None:
    scripted.CREDITS_PER_STARTED_S = {"": 0, SECOND: 0.2}
    batch = make_batch(user, engines=[SECOND, NAME])
    goes_down()
    fallback.fall_back()
    claimed = claim_next("w")
    assert claimed is not None
    attempts.fail(claimed, Verdict("no_face"))
    batches.item_retry(item=batch.items.get(), acting_user=user)
    batch.refresh_from_db()
    assert (batch.engine, batch.fallbacks, batch.items.get().price) == (SECOND, NAME, 3)
    assert lanes() == {SECOND: (1, 0)}
    assert_all_is_settled()


def test_a_result_says_which_engine_made_it(user: User) -> None:
    make_batch(user, engines=[SECOND])
    claimed = claim_next("w", [SECOND])
    assert claimed is not None
    assert attempts.complete(claimed, StoredResult("video.mp4", "", 1.0))
    assert VideoItem.objects.get().made_by == SECOND


def test_a_job_keeps_the_engine_it_was_sent_to(user: User) -> None:
    """Whatever the installation's own engine is by the time its result comes."""
    make_batch(user)
    claimed = claim_next("w")
    assert claimed is not None
    assert attempts.complete(claimed, StoredResult("video.mp4", "", 1.0, made_by="cloud"))
    assert VideoItem.objects.get().made_by == "cloud"
