"""Requests that stand still leave room for probes, and a database that hangs gets no more of them."""

import gc
import io
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.conf import LazySettings
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import Client, RequestFactory
from prometheus_client import REGISTRY
from waitress.buffers import ReadOnlyFileBasedBuffer

from tests.servers.process import wait_until
from zhiying import admission
from zhiying.admission import AdmissionMiddleware, Database
from zhiying.kernel.api import slots

TIMEOUT_S = 60
ORIGIN = "https://app.example"


class Server:
    """A middleware before a view whose requests for `/api/hangs` end when they are let."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.door = AdmissionMiddleware(self._view)
        self._pool = ThreadPoolExecutor(20)

    def _view(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == "/api/hangs":
            self.go_on.wait(TIMEOUT_S)
        if request.path_info == "/api/uploads":
            with slots.slow_request_slot() as taken:
                if not taken:
                    return slots.too_many_slow_requests(request)
                self.go_on.wait(TIMEOUT_S)
        if request.path_info == "/api/streams":
            return StreamingHttpResponse(iter([b"one", b"two"]))
        if request.path_info == "/api/long":
            return HttpResponse("x" * 10_000_000)
        if request.path_info == "/api/files":
            return FileResponse(io.BytesIO(b"file"))
        return HttpResponse("done")

    def get(self, path: str = "/api/x", **environment: object) -> HttpResponseBase:
        request = RequestFactory().get(path, headers={"Accept-Language": "en"})
        request.META.update(environment)
        answer = self.door(request)
        if not answer.streaming:
            answer.close()  # what has been sent at once
        return answer

    def begin(self, path: str) -> "Future[HttpResponseBase]":
        return self._pool.submit(self.get, path)

    def end(self) -> None:
        self.go_on.set()
        self._pool.shutdown()


@pytest.fixture
def server(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    settings.WEB_THREADS = 4
    monkeypatch.setattr(admission, "STILL_S", 0.3)
    monkeypatch.setattr(admission, "SLOW_S", 0.2)
    monkeypatch.setattr(admission, "HANGS_S", 0.5)
    monkeypatch.setattr(admission, "FRESH_S", 0.0)
    monkeypatch.setattr(admission, "database_answers", lambda: True)
    request_finished.disconnect(close_old_connections)  # as Django's own client does: there is no database
    server = Server()
    yield server
    server.end()
    request_finished.connect(close_old_connections)


def body(answer: HttpResponseBase) -> bytes:
    assert isinstance(answer, HttpResponse)
    return answer.content


def test_two_threads_are_kept_from_requests_that_stand_still(server: Server) -> None:
    waiting = [server.begin("/api/hangs") for _ in range(4)]
    wait_until(lambda: sum(one.done() for one in waiting) == 2, timeout_s=TIMEOUT_S, what="refusals")
    refused = server.get()
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert b'"busy"' in body(refused)
    assert server.get("/").status_code == 200
    server.go_on.set()
    assert sorted(one.result().status_code for one in waiting) == [200, 200, 503, 503]
    assert server.get().status_code == 200


def test_a_rush_waits_as_long_as_requests_end(server: Server) -> None:
    rush = [server.begin("/api/x") for _ in range(200)]
    assert {one.result().status_code for one in rush} == {200}


def test_nobody_is_let_in_to_a_database_that_hangs(server: Server) -> None:
    answers = threading.Event()
    server.door.database = Database(lambda: answers.wait(TIMEOUT_S))
    waiting = server.begin("/api/hangs")
    wait_until(lambda: server.get().status_code == 503, timeout_s=TIMEOUT_S, what="a refusal")
    began = time.monotonic()
    refused = server.get()
    assert time.monotonic() - began < TIMEOUT_S / 10
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert b'"part": "database"' in body(refused)
    assert server.get("/batches/1").status_code == 200
    answers.set()
    wait_until(lambda: server.get().status_code == 200, timeout_s=TIMEOUT_S, what="the end of it")
    server.go_on.set()
    assert waiting.result().status_code == 200


def test_one_that_gives_up_after_a_while_hangs_until_it_answers(server: Server) -> None:
    """As connecting to it does, again and again."""
    well = threading.Event()

    def ask() -> bool:
        if not well.wait(0.4):
            raise TimeoutError
        return True

    server.door.database = Database(ask)
    waiting = server.begin("/api/hangs")
    wait_until(lambda: server.get().status_code == 503, timeout_s=TIMEOUT_S, what="a refusal")
    server.go_on.set()
    assert waiting.result().status_code == 200
    asked_for_s = time.monotonic() + 1
    while time.monotonic() < asked_for_s:
        assert server.get().status_code == 503
    well.set()
    wait_until(lambda: server.get().status_code == 200, timeout_s=TIMEOUT_S, what="the end of it")


def test_one_that_refuses_at_once_is_for_requests_to_find_out(server: Server) -> None:
    def refuse() -> bool:
        raise ConnectionRefusedError

    server.door.database = Database(refuse)
    waiting = server.begin("/api/hangs")
    until = time.monotonic() + 1
    while time.monotonic() < until:
        assert server.get().status_code == 200
    server.go_on.set()
    assert waiting.result().status_code == 200


def test_one_that_recovered_while_nobody_asked_is_asked_beside_the_first_request(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "REMEMBERED_S", 0.3)
    well, ended = threading.Event(), threading.Semaphore(0)

    def ask() -> bool:
        threading.Event().wait(0.02 if well.is_set() else 0.4)
        ended.release()
        if not well.is_set():
            raise TimeoutError
        return True

    server.door.database = Database(ask)
    server.door.database.hangs(suspected=True)
    assert ended.acquire(timeout=TIMEOUT_S)
    wait_until(nobody_asks, timeout_s=TIMEOUT_S, what="the end of the question")
    assert server.get().status_code == 503
    assert ended.acquire(timeout=TIMEOUT_S)
    wait_until(nobody_asks, timeout_s=TIMEOUT_S, what="the end of the question")
    well.set()
    later = time.monotonic() + 0.4
    wait_until(lambda: time.monotonic() > later, timeout_s=TIMEOUT_S, what="time to pass")
    assert server.get().status_code == 200
    assert ended.acquire(timeout=TIMEOUT_S), "it is asked all the same"


def nobody_asks() -> bool:
    return not any(thread.name == "question" for thread in threading.enumerate())


# --- Slow requests ----------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [slots.LEAST_THREADS, 5, 6, 8, 16])
def test_slow_requests_never_take_every_place(
    server: Server, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    settings.WEB_THREADS = threads
    most = slots.slow_places(threads)
    monkeypatch.setattr(slots, "_slots", threading.BoundedSemaphore(most))
    server.door = AdmissionMiddleware(server.door.get_response)
    slow = [server.begin("/api/uploads") for _ in range(most)]
    wait_until(lambda: server.get("/api/uploads").status_code == 503, timeout_s=TIMEOUT_S, what="all of them")
    assert server.get().status_code == 200
    assert 1 <= most <= threads / 2
    server.go_on.set()
    assert {one.result().status_code for one in slow} == {200}


# --- Answers that are sent while they are made ------------------------------------------------------


def test_an_answer_keeps_its_place_until_it_has_been_sent(server: Server) -> None:
    first, second = server.get("/api/streams"), server.get("/api/streams")
    assert server.get().status_code == 503
    assert isinstance(first, StreamingHttpResponse)
    assert b"".join(first) == b"onetwo"
    first.close()
    first.close()  # one place, whoever closes it again
    third = server.get("/api/streams")
    assert third.status_code == 200
    assert server.get().status_code == 503
    second.close()  # its client has gone
    third.close()
    assert {server.get().status_code for _ in range(4)} == {200}


def test_so_does_a_long_one_that_was_made_at_once(server: Server) -> None:
    answers = [server.door(RequestFactory().get("/api/long")) for _ in range(2)]
    assert server.get().status_code == 503
    for one in answers:
        one.close()
    assert server.get().status_code == 200


def test_an_answer_that_is_never_closed_ends_when_it_is_forgotten(server: Server) -> None:
    answers = [server.get("/api/streams") for _ in range(2)]
    assert server.get().status_code == 503
    answers.clear()
    gc.collect()
    assert server.get().status_code == 200


def test_a_file_that_is_sent_without_a_thread_keeps_no_place(server: Server) -> None:
    wrapper = {"wsgi.file_wrapper": ReadOnlyFileBasedBuffer}
    assert [server.get("/api/files", **wrapper).status_code for _ in range(4)] == [200] * 4
    held = [server.get("/api/files") for _ in range(2)]
    assert server.get().status_code == 503
    for one in held:
        one.close()


def test_a_client_that_takes_its_answer_slowly_does_not_make_the_database_suspect(server: Server) -> None:
    asked: list[bool] = []

    def ask() -> bool:
        asked.append(True)
        return True

    server.door.database = Database(ask)
    answer = server.get("/api/streams")
    later = time.monotonic() + 2 * admission.SLOW_S
    wait_until(lambda: time.monotonic() > later, timeout_s=TIMEOUT_S, what="time to pass")
    assert server.get().status_code == 200
    wait_until(nobody_asks, timeout_s=TIMEOUT_S, what="the end of a question")
    assert not asked
    answer.close()


# --- What refused people see ------------------------------------------------------------------------


@pytest.fixture
def hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "hangs", lambda self, *, suspected: True)


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission.Places, "take", lambda self: None)


@pytest.fixture
def allowed_origin(settings: LazySettings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]


@pytest.mark.parametrize("trouble", ["hangs", "busy"])
@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html"), ("/batches/1", "text/html"), ("/static/admin/css/base.css", "text/css")],
)
def test_what_needs_no_database_is_for_everybody(
    request: pytest.FixtureRequest, trouble: str, path: str, kind: str
) -> None:
    request.getfixturevalue(trouble)
    answer = Client().get(path)
    assert b"".join(answer)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(kind)
    assert Client().post("/", headers={"Accept-Language": "en"}).status_code == 503, "a body takes a thread"


@pytest.mark.usefixtures("allowed_origin")
@pytest.mark.parametrize("trouble", ["hangs", "busy"])
def test_a_front_end_that_lives_elsewhere_may_read_a_refusal(
    request: pytest.FixtureRequest, trouble: str
) -> None:
    request.getfixturevalue(trouble)
    answer = Client().get("/api/user/profile", headers={"Origin": ORIGIN})
    code = {"hangs": "unavailable", "busy": "busy"}[trouble]
    assert (answer.status_code, answer.json()["code"]) == (503, code)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-ID"]
    preflight = Client().options(
        "/api/video/batch",
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        },
    )
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize("trouble", ["hangs", "busy"])
@pytest.mark.parametrize("path", ["/admin/", "/s/token"])
@pytest.mark.parametrize(("language", "words"), [("en", "Try again"), ("zh-hans", "重试")])
def test_a_refusal_is_a_page_where_people_read_pages(
    request: pytest.FixtureRequest, trouble: str, path: str, language: str, words: str
) -> None:
    request.getfixturevalue(trouble)
    answer = Client().get(path, headers={"Accept-Language": language})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert words in answer.content.decode()


@pytest.mark.usefixtures("busy")
def test_refusals_are_counted_and_told_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("zhiying_trouble_total", {"part": "system"}) or 0

    before, client = counted(), Client()
    with caplog.at_level(logging.INFO):
        assert {client.get("/api/user/profile").status_code for _ in range(5)} == {503}
    assert counted() - before == 5
    (line,) = [record for record in caplog.records if "/api/user/profile" in record.getMessage()]
    assert (line.name, line.levelname) == ("zhiying.admission", "ERROR")
