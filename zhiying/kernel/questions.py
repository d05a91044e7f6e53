"""Questions whose answer may never come: a part that hangs must not hold who asks about it."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import connections

T = TypeVar("T")


class Question(Generic[T]):
    """Asked in a thread of its own, one at a time; the answer is kept for `fresh_s` seconds.

    An answer that takes longer than `patience_s` counts as none, and while a question hangs nobody waits for
    it again: so a hanging part costs one thread, and whoever asks about it waits at most `patience_s`, once.

    Args:
        kept_s: while it is asked again the last answer counts until it is so old, so that a part that is
            only slow is not taken for one that hangs.
    """

    def __init__(
        self, ask: Callable[[], T], *, fresh_s: float, patience_s: float, kept_s: float = 0.0
    ) -> None:
        self._ask, self._fresh_s, self._patience_s, self._kept_s = ask, fresh_s, patience_s, kept_s
        self._changed = threading.Condition()
        self._asked_at: float | None = None
        self._answered_at: float | None = None
        self._answer: T | None = None

    def begin(self) -> None:
        """Ask, unless the last answer is fresh or the question is being asked; does not wait."""
        with self._changed:
            if self._asked_at is not None or self._is_younger(self._fresh_s):
                return
            self._asked_at = time.monotonic()
        try:
            threading.Thread(target=self._run, name="question", daemon=True).start()
        except RuntimeError:  # this process may have no more threads: nobody asks, and it can be asked again
            self._settle(None)

    def answer(self) -> T | None:
        """The answer; None when asking failed or takes too long."""
        self.begin()
        with self._changed:
            if self._asked_at is not None:
                patience_s = self._asked_at + self._patience_s - time.monotonic()
                self._changed.wait_for(lambda: self._asked_at is None, timeout=max(0.0, patience_s))
            return self._answer if self._asked_at is None or self._is_younger(self._kept_s) else None

    def forget(self) -> None:
        """Let the next one who asks get a new answer."""
        with self._changed:
            self._answered_at = None

    def _is_younger(self, age_s: float) -> bool:
        return self._answered_at is not None and time.monotonic() < self._answered_at + age_s

    def _run(self) -> None:
        answer: T | None = None
        try:
            answer = self._ask()
        except Exception:  # noqa: BLE001  (whatever a client library raises means: no answer)
            answer = None
        finally:
            connections.close_all()  # this thread's own
            self._settle(answer)

    def _settle(self, answer: T | None) -> None:
        with self._changed:
            self._answer, self._answered_at, self._asked_at = answer, time.monotonic(), None
            self._changed.notify_all()
