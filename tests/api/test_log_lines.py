"""Lines of the log say what they belong to, and answers name the request they answer."""

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from tests.support.rows import make_item
from videos.worker.runner import work_once
from zhiying.kernel.log_lines import JsonLines, TextLines, begin, belongs_to

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """What is logged from now on, as it is written in JSON."""
    written: list[str] = []

    class Memory(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler = Memory()
    handler.setFormatter(JsonLines())
    monkeypatch.setattr(logging.root, "handlers", [*logging.root.handlers, handler])
    return lambda: [json.loads(line) for line in written]


@pytest.mark.django_db
def test_every_answer_names_its_request(client_of_user: APIClient) -> None:
    for path, status in (("/api/user/profile", 200), ("/api/nothing", 404), ("/login", 200)):
        answer = client_of_user.get(path)
        assert answer.status_code == status
        assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])
    assert (
        client_of_user.get("/api/user/profile", headers={"x-request-id": "proxy-1"})["X-Request-ID"]
        == "proxy-1"
    )
    hostile = client_of_user.get("/api/user/profile", headers={"x-request-id": "a b\n"})
    assert re.fullmatch(r"[0-9a-f]{32}", hostile["X-Request-ID"])


@pytest.mark.django_db
def test_lines_of_a_request_carry_its_id_and_its_user(
    user: User, client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    def fail(*args: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr("videos.api.views.selectors.batches_listed", fail)
    client_of_user.raise_request_exception = False
    answer = client_of_user.get("/api/video/batches", headers={"x-request-id": "r-1"})
    assert answer.status_code == 500
    [line] = [
        line for line in lines() if "exception" in line and line["logger"] == "zhiying.kernel.api.errors"
    ]
    assert (line["request"], line["user"], line["level"]) == ("r-1", str(user.pk), "error")
    assert "ValueError: broken" in line["exception"]
    # The next request of this thread is nobody's until somebody logs in.
    client = APIClient()
    client.get("/api/user/profile")
    logging.getLogger("x").warning("after")
    assert "user" not in lines()[-1]


@pytest.mark.django_db(transaction=True)
def test_lines_of_a_worker_carry_user_batch_item_and_attempt(
    user: User, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    item = make_item(user)

    def fail(*args: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr("videos.worker.runner._render_and_store", fail)
    assert work_once()
    [line] = [line for line in lines() if "exception" in line]
    ids = {name: line[name] for name in ("user", "batch", "item", "attempt")}
    assert ids == {"user": str(user.pk), "batch": str(item.batch_id), "item": str(item.pk), "attempt": "1"}


def test_text_carries_the_same() -> None:
    begin()
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "said %s", ("this",), None)
    with belongs_to(item=3, batch=""):
        assert TextLines().format(record).endswith("INFO    x: said this [item=3]")
    assert TextLines().format(record).endswith("said this")
