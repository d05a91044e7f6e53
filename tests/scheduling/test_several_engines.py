"""Several engines at once: who works with which, what one in trouble keeps waiting, what falls back."""

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import User
from engines.base import EngineBusyError
from tests.support.books import assert_all_is_settled
from tests.support.parallel import all_at_once, times
from tests.support.rows import make_batch, make_user, make_worker
from tests.support.scripted_engine import NAME, VARIABLE, prompt
from videos.models import Batch, EngineRecord, ItemStatus, QueueLane, VideoItem, Worker
from videos.scheduling import claims, engines
from videos.scheduling.claims import claim_next
from videos.scheduling.sweep import sweep
from videos.services import attempts, batches, fallback
from videos.services.attempts import StoredResult, Verdict
from videos.worker import trouble
from videos.worker.registry import Registration
from videos.worker.runner import work_once
from videos.worker.trouble import breaker, engine_failed, pause

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

SECOND = "second"
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
    engine_failed(NAME, EngineBusyError(retry_after_s=10_000_000))
    assert breaker(NAME)._until < time.monotonic() + 3600, "no server decides for a day"


def test_a_worker_none_of_whose_engines_works_says_so() -> None:
    for name in ENGINES:
        engine_failed(name, EngineBusyError())
    Registration().beat()
    worker = Worker.objects.get()
    assert (worker.state, worker.trouble) == (Worker.State.PAUSED, "engine_unavailable")


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
