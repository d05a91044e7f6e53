"""How the tests of this room wait: never for ever, whatever they look at."""

from itertools import count
from typing import Any

import pytest

from tests.faults import site as waiting
from tests.faults.site import Site, until


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LONGEST_S", 0.5)
    monkeypatch.setattr(waiting, "POLL_INTERVAL_S", 0.01)


def test_what_stands_still_is_not_waited_for() -> None:
    with pytest.raises(AssertionError, match="nothing has changed"):
        until(lambda: "as ever", lambda seen: False, timeout_s=0.1)


@pytest.mark.usefixtures("short")
def test_what_changes_for_ever_is_not_waited_for_either() -> None:
    numbers = count()
    with pytest.raises(AssertionError, match="still changing"):
        until(lambda: next(numbers), lambda seen: False)


@pytest.mark.usefixtures("short")
def test_batches_that_never_end_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = count()

    def rows(*_: Any) -> list[dict[str, Any]]:
        return [{"status": "processing", "version": next(versions)}]

    monkeypatch.setattr(Site, "rows", rows)
    with pytest.raises(AssertionError, match="still changing"):
        object.__new__(Site).until_ended("00000000-0000-0000-0000-000000000000")
