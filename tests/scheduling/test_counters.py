"""What Prometheus is told: each thing counted once, once it is true, and with few series."""

import errno
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import transaction
from django.test import Client
from prometheus_client import REGISTRY, generate_latest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from tests.scheduling.rendering import render
from tests.support.rows import claim, client_for, make_batch, make_item, make_user, make_worker
from tests.support.scripted_engine import NAME
from videos import counters, metrics
from videos.api import engine
from videos.models import VideoItem
from videos.scheduling import hints
from videos.scheduling.sweep import sweep
from videos.services import attempts
from videos.services.runs import cancel_items
from videos.worker import counting, trouble
from zhiying.kernel.clock import database_now

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("scripted")]


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class Change:
    """How much a figure has grown since."""

    def __init__(self, name: str, **labels: str) -> None:
        self._name, self._labels = name, labels
        self._before = value(name, **labels)

    def __call__(self) -> float:
        return value(self._name, **self._labels) - self._before


def outcome(of: str) -> Change:
    return Change("zhiying_renders_total", engine=NAME, outcome=of)


# --- Renders ----------------------------------------------------------------------------------------


def test_a_finished_video_is_counted_with_its_times(user: User) -> None:
    completed, charged = outcome("completed"), Change("zhiying_credits_charged_total")
    rendered = Change("zhiying_render_seconds_count", engine=NAME, where="here")
    waited = Change("zhiying_wait_seconds_count", engine=NAME)
    render(user, "succeed")
    assert (completed(), rendered(), waited(), charged()) == (1, 1, 1, 1)


def test_jobs_elsewhere_are_told_from_renders_and_may_take_hours() -> None:
    """Their seconds have the wait at the engine's server in them."""
    labels = {"engine": "openai-videos", "where": "elsewhere"}
    long = Change("zhiying_render_seconds_bucket", **labels, le="7200.0")
    within_limit = Change("zhiying_render_seconds_bucket", **labels, le="21600.0")
    counters.rendered("openai-videos", 10_000.0)
    assert (long(), within_limit()) == (0, 1)


def test_a_wait_begins_when_the_item_could_have_been_taken(user: User) -> None:
    long_ago = Change("zhiying_wait_seconds_sum", engine=NAME)
    item = make_item(user)
    VideoItem.objects.filter(pk=item.pk).update(not_before=database_now(timedelta(hours=-1)))
    claimed = claim()
    sources = attempts.sources_of(claimed)
    assert sources
    counting.count_wait(claimed, sources.waited_s)
    assert 3600 <= long_ago() < 3660


def test_a_failure_is_counted_with_its_refund_and_its_tries(user: User, settings: LazySettings) -> None:
    settings.RENDER_MAX_TRIES = 2
    failed, again, refunded = (
        outcome("failed"),
        outcome("tried_again"),
        Change("zhiying_credits_refunded_total"),
    )
    render(user, "crash")
    assert (failed(), again(), refunded()) == (1, 1, 1)


def test_what_is_given_back_and_what_nobody_wants_is_told_apart(user: User) -> None:
    given_back, discarded = outcome("given_back"), outcome("completed")
    make_item(user)
    attempts.release(claim())
    again = claim()
    cancel_items(batch_id=again.batch_id, user_id=user.pk)
    assert not attempts.complete(again, attempts.StoredResult("v.mp4", "", 1.0))
    assert (given_back(), discarded()) == (1, 0)


def test_nothing_is_counted_for_what_is_rolled_back(user: User) -> None:
    charged, failed = Change("zhiying_credits_charged_total"), outcome("failed")
    make_item(user)
    claimed = claim()
    with transaction.atomic():
        attempts.fail(claimed, attempts.Verdict("internal_error"))
        make_batch(user)
        transaction.set_rollback(True)
    assert charged() == 1, "the item that was made before"
    assert failed() == 0


def test_what_the_sweep_takes_back_is_counted(user: User) -> None:
    repairs = Change("zhiying_sweep_repairs_total", kind="items_taken_back")
    make_item(user)
    claim()
    VideoItem.objects.update(lease_until=database_now(timedelta(seconds=-1)))
    sweep()
    sweep()
    assert repairs() == 1


# --- Trouble ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "part"),
    [
        (trouble.DISK_FULL, "disk"),
        (trouble.STORE_AWAY, "storage"),
        (trouble.ENGINE_UNAVAILABLE, "engine"),
        (trouble.DATABASE_AWAY, "database"),
    ],
)
def test_trouble_that_a_worker_meets_is_counted_each_time(code: str, part: str) -> None:
    met = Change("zhiying_trouble_total", part=part)
    trouble.pause.begin(code)
    trouble.pause.begin(code)
    assert met() == 2


def test_a_hint_that_the_broker_does_not_take_is_counted(
    broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(message: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(broker, "enqueue", refuse)
    met = Change("zhiying_trouble_total", part="broker")
    hints.wake_workers()
    assert met() == 1


def test_an_outage_that_a_request_meets_is_counted(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(engine, "engine_states", full)
    met = Change("zhiying_trouble_total", part="disk")
    assert client_for(user).get("/api/engine/status").status_code == 503
    assert met() == 1


# --- The queue --------------------------------------------------------------------------------------


def sample(text: str, series: str) -> float:
    found = [line for line in text.splitlines() if line.startswith(series + " ")]
    assert len(found) == 1, (series, text)
    return float(found[0].rpartition(" ")[2])


def queue_text() -> str:
    class Figures:
        def collect(self) -> object:
            return metrics.figures()

    return generate_latest(Figures()).decode()  # type: ignore[arg-type]


def test_depth_and_age_of_the_oldest_by_engine(user: User) -> None:
    make_batch(user, 3)
    make_batch(make_user(), 2)
    claim()
    oldest = VideoItem.objects.filter(status="pending").first()
    assert oldest
    VideoItem.objects.filter(pk=oldest.pk).update(not_before=database_now(timedelta(minutes=-10)))
    text = queue_text()
    assert sample(text, f'zhiying_queue_items{{engine="{NAME}",status="pending"}}') == 4
    assert sample(text, f'zhiying_queue_items{{engine="{NAME}",status="processing"}}') == 1
    assert 600 <= sample(text, f'zhiying_queue_oldest_seconds{{engine="{NAME}"}}') < 660


def test_an_item_that_waits_for_its_next_try_is_not_late(user: User) -> None:
    make_item(user)
    VideoItem.objects.update(not_before=database_now(timedelta(hours=1)))
    assert sample(queue_text(), f'zhiying_queue_oldest_seconds{{engine="{NAME}"}}') == 0


def test_figures_exist_when_nothing_waits() -> None:
    assert sample(queue_text(), f'zhiying_queue_items{{engine="{NAME}",status="pending"}}') == 0


def test_the_limit_of_an_engine_elsewhere_is_that_of_all_workers_together() -> None:
    """Each process tells it, and two renders of its own beside it."""
    elsewhere = {"slots": 3, "capabilities": {"kind": "remote", "max_concurrent": 3}}
    unlimited = {"slots": 500, "capabilities": {"kind": "remote", "max_concurrent": None}}
    here = {"slots": 2, "capabilities": {"kind": "local", "max_concurrent": 1}}
    for number in range(4):
        engines = {"elsewhere": elsewhere, "unlimited": unlimited, "here": here}
        make_worker(f"host:{number}", slots=3 + 500 + 2, engines=engines)
    assert sample(queue_text(), "zhiying_worker_slots") == 3 + 4 * 500 + 4 * 2


def test_figures_take_two_queries_however_much_waits(
    user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_worker()
    for _ in range(3):
        make_batch(make_user(), 5)
    with django_assert_num_queries(2):
        metrics.figures()


# --- Requests ---------------------------------------------------------------------------------------


def routes() -> set[tuple[str, str]]:
    return {
        (found.labels["view"], found.labels["method"])
        for family in REGISTRY.collect()
        if family.name == "django_http_requests_latency_seconds_by_view_method"
        for found in family.samples
    }


def test_requests_are_counted_by_route_and_not_by_path(user: User) -> None:
    api = client_for(user)
    batches = [make_batch(user), make_batch(user)]
    before = routes()
    for batch in batches:
        assert api.get(f"/api/video/batches/{batch.pk}").status_code == 200
    made = routes() | before
    assert ("api/video/batches/<uuid:batch_id>", "GET") in made
    assert not any(str(batch.pk) in route for batch in batches for route, _ in made)


def test_clients_cannot_make_series() -> None:
    client = Client()
    for number in range(3):
        client.generic(f"MADEUP{number}", f"/api/no-such-call-{number}")
        client.get(f"/media/no/such/file/{number}")
    seen = generate_latest(REGISTRY).decode()
    assert "MADEUP" not in seen
    assert "no-such-call" not in seen
    assert "no/such/file" not in seen
