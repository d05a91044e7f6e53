"""Requests that stand still leave room for probes, and a database that hangs gets no more of them."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.conf import LazySettings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from tests.servers.process import wait_until
from zhiying import admission
from zhiying.admission import AdmissionMiddleware, Database

TIMEOUT_S = 60


class Server:
    """A middleware before a view whose requests for `/hangs` end when they are let."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.door = AdmissionMiddleware(self._view)
        self._pool = ThreadPoolExecutor(20)

    def _view(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/hangs":
            self.go_on.wait(TIMEOUT_S)
        return HttpResponse("done")

    def get(self, path: str = "/api/x", language: str = "en") -> HttpResponse:
        return self.door(RequestFactory().get(path, headers={"Accept-Language": language}))

    def begin(self, path: str) -> "Future[HttpResponse]":
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
    server = Server()
    yield server
    server.end()


def test_two_threads_are_kept_from_requests_that_stand_still(server: Server) -> None:
    waiting = [server.begin("/hangs") for _ in range(4)]
    wait_until(lambda: sum(one.done() for one in waiting) == 2, timeout_s=TIMEOUT_S, what="refusals")
    refused = server.get()
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert b'"busy"' in refused.content
    assert server.get("/static/app.js").status_code == 200
    server.go_on.set()
    assert sorted(one.result().status_code for one in waiting) == [200, 200, 503, 503]
    assert server.get().status_code == 200


def test_a_rush_waits_as_long_as_requests_end(server: Server) -> None:
    rush = [server.begin("/api/x") for _ in range(200)]
    assert {one.result().status_code for one in rush} == {200}


def test_nobody_is_let_in_to_a_database_that_hangs(server: Server) -> None:
    answers = threading.Event()
    server.door.database = Database(lambda: answers.wait(TIMEOUT_S))
    waiting = server.begin("/hangs")
    wait_until(lambda: server.get().status_code == 503, timeout_s=TIMEOUT_S, what="a refusal")
    began = time.monotonic()
    refused = server.get()
    assert time.monotonic() - began < TIMEOUT_S / 10
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert b'"part": "database"' in refused.content
    assert server.get("/admin/").headers["Content-Type"].startswith("text/html")
    assert server.get("/static/app.js").status_code == 200
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
    waiting = server.begin("/hangs")
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
    waiting = server.begin("/hangs")
    until = time.monotonic() + 1
    while time.monotonic() < until:
        assert server.get().status_code == 200
    server.go_on.set()
    assert waiting.result().status_code == 200
