"""`/healthz`, `/readyz` and `/metrics`: whoever asks, by whatever name, and whatever is away."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings
from django.db import OperationalError, transaction
from django.test import Client

from tests.support.no_threads import no_more_threads
from videos.models import Worker
from zhiying import metrics, readiness
from zhiying.kernel.clock import database_now
from zhiying.kernel.questions import Question

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

PROBES = ("/healthz", "/readyz", "/metrics")


def forget() -> None:
    for question in readiness.QUESTIONS.values():
        question.forget()
    metrics._queue.forget()


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    """Answers of another test say nothing about this one's database."""
    forget()
    yield
    forget()


@pytest.fixture
def worker() -> Worker:
    """A worker process that lives and is ready."""
    now = database_now()
    with transaction.atomic():
        return Worker.objects.create(
            id="11111111-1111-1111-1111-111111111111",
            name="worker",
            version="1",
            slots=3,
            engines={"portrait": {"ready": True}},
            started_at=now,
            seen_at=now,
        )


def replace(monkeypatch: pytest.MonkeyPatch, part: str, ask: Callable[[], bool]) -> None:
    """Let a part answer otherwise."""
    question = Question(ask, fresh_s=0.0, patience_s=0.2)
    monkeypatch.setitem(readiness.QUESTIONS, part, question)


def refuse() -> bool:
    raise OperationalError("connection refused: postgresql://user:secret@host")


@pytest.mark.parametrize("path", PROBES)
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "video.example.com", "no such name!"])
def test_probes_do_not_depend_on_the_name_they_are_asked_by(
    settings: LazySettings, path: str, host: str, worker: Worker
) -> None:
    settings.ALLOWED_HOSTS = ["video.example.com"]
    answer = Client().get(path, headers={"Host": host})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PROBES)
def test_probes_can_only_be_read(path: str) -> None:
    answer = Client().post(path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert Client().head(path).content == b""


def test_all_is_well_with_a_ready_worker(worker: Worker) -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "failed": []})


def test_without_workers_the_platform_serves_and_says_so() -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded", "failed": ["workers"]})


def test_an_engine_that_is_not_ready_is_named(worker: Worker) -> None:
    Worker.objects.update(engines={"portrait": {"ready": False, "detail": "no models"}})
    assert Client().get("/readyz").json() == {"status": "degraded", "failed": ["engine"]}


@pytest.mark.parametrize("trouble", ["store_away", "disk_full", "database_away"])
def test_a_pause_for_something_else_is_no_trouble_of_the_engine(worker: Worker, trouble: str) -> None:
    Worker.objects.update(state=Worker.State.PAUSED, trouble=trouble)
    assert Client().get("/readyz").json() == {"status": "ok", "failed": []}


def test_a_pause_for_the_engine_is_its_trouble(worker: Worker) -> None:
    facts = {"portrait": {"ready": True, "trouble": "engine_unavailable"}}
    Worker.objects.update(state=Worker.State.PAUSED, trouble="engine_unavailable", engines=facts)
    assert Client().get("/readyz").json() == {"status": "degraded", "failed": ["engine"]}


@pytest.mark.parametrize("part", ["broker", "storage"])
def test_a_part_that_the_platform_gets_along_without_degrades_it(
    monkeypatch: pytest.MonkeyPatch, part: str, worker: Worker
) -> None:
    replace(monkeypatch, part, refuse)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded", "failed": [part]})


def test_without_the_database_nothing_can_be_served(monkeypatch: pytest.MonkeyPatch) -> None:
    replace(monkeypatch, "database", refuse)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "failed": ["database"]})
    assert int(answer.headers["Retry-After"]) > 0
    assert b"secret" not in answer.content


def test_parts_that_hang_are_waited_for_once_and_cost_one_thread(
    monkeypatch: pytest.MonkeyPatch, worker: Worker
) -> None:
    end = threading.Event()
    asked = []

    def hang() -> bool:
        asked.append(threading.current_thread())
        return end.wait(60)

    for part in ("storage", "broker"):
        replace(monkeypatch, part, hang)
    began = time.monotonic()
    for _ in range(5):
        assert Client().get("/readyz").json()["failed"] == ["storage", "broker"]
    elapsed_s = time.monotonic() - began
    assert len(asked) == 2
    assert elapsed_s < 30, "each look waited"
    end.set()
    for thread in asked:
        thread.join(60)
    assert Client().get("/readyz").json()["failed"] == []


def test_media_on_a_full_disk_are_no_storage(
    monkeypatch: pytest.MonkeyPatch, settings: LazySettings, worker: Worker
) -> None:
    monkeypatch.setattr(readiness, "MIN_FREE_BYTES", 1 << 60)
    assert Client().get("/readyz").json() == {"status": "degraded", "failed": ["storage"]}


# --- Metrics ----------------------------------------------------------------------------------------


def test_figures_of_the_queue_its_workers_and_the_parts(worker: Worker) -> None:
    text = Client().get("/metrics").content.decode()
    assert 'zhiying_queue_items{engine="portrait",status="pending"} 0.0' in text
    assert 'zhiying_workers{state="ready"} 1.0' in text
    assert "zhiying_worker_slots 3.0" in text
    assert 'zhiying_part_up{part="database"} 1.0' in text
    assert "django_http_requests_total_by_method_total" in text


def test_without_a_database_metrics_say_so_instead_of_failing(monkeypatch: pytest.MonkeyPatch) -> None:
    replace(monkeypatch, "database", refuse)
    monkeypatch.setattr(metrics, "_queue", Question(lambda: refuse() and [], fresh_s=0.0, patience_s=0.2))
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert 'zhiying_part_up{part="database"} 0.0' in text
    assert "zhiying_queue_items" not in text


def test_a_part_that_no_thread_could_ask_about_is_asked_again() -> None:
    question = Question(lambda: True, fresh_s=0.0, patience_s=60.0)
    assert question.answer() is True
    with no_more_threads():
        assert question.answer() is None
    assert question.answer() is True


def test_a_part_that_is_slow_is_believed_for_a_while_and_one_that_hangs_is_not() -> None:
    hangs, begun = threading.Event(), threading.Event()
    answers = iter([lambda: True])

    def ask() -> bool:
        begun.set()
        return next(answers, lambda: hangs.wait(60))()

    question = Question(ask, fresh_s=0.0, patience_s=0.05, kept_s=60.0)
    try:
        assert question.answer() is True
        begun.clear()
        assert question.answer() is True, "while it is asked again"
        assert begun.wait(60)
        question._kept_s = 0.0
        assert question.answer() is None
    finally:
        hangs.set()


def test_without_a_token_metrics_are_for_this_machine_past_every_proxy(settings: LazySettings) -> None:
    for production in (False, True):
        settings.PRODUCTION = production
        assert Client().get("/metrics", REMOTE_ADDR="::1").status_code == 200
        assert Client().get("/metrics", REMOTE_ADDR="203.0.113.5").status_code == 403
        for name in ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via", "X-Real-IP"):
            answer = Client().get("/metrics", headers={name: "127.0.0.1"})
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), name


def test_metrics_are_for_the_bearer_of_their_token_alone(settings: LazySettings) -> None:
    settings.METRICS_TOKEN = "tell-me"
    assert Client().get("/metrics").status_code == 403
    assert Client().get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 403
    through_a_proxy = {"Authorization": "Bearer tell-me", "X-Forwarded-For": "203.0.113.5"}
    assert Client().get("/metrics", headers=through_a_proxy).status_code == 200
