"""Who is let in while others wait without end.

A database that hangs does not fail: each request that asks it holds a thread until it goes on. Without a
bound nobody would be left to answer, not even the probes that tell of it. So two threads of a process are
kept from requests once the others do not move, and nobody is let in to a database that is known to hang.
"""

import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from zhiying.kernel.api.slots import read_no_more
from zhiying.kernel.outages import RETRY_AFTER_S, Part
from zhiying.kernel.questions import Question
from zhiying.kernel.responses import error_response
from zhiying.readiness import database_answers
from zhiying.unhandled import outage_answer

Handler = Callable[[HttpRequest], HttpResponse]

KEPT_THREADS = 2
"""Of each process, for probes and for refusing."""
STILL_S = 1.0
"""So long without an end of a request, all of them stand still."""
SLOW_S = 1.0
"""A request that takes longer is reason to ask how the database is. Asking costs it a connection."""
HANGS_S = 3.0
"""A database that answers later than this hangs; one that is only busy answers sooner."""
FRESH_S = 1.0


class Database:
    """Whether it hangs, as far as is known; asked beside the requests, none of which waits for the answer."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._question = Question(self._asked, fresh_s=FRESH_S, patience_s=HANGS_S)
        self._asked_at: float | None = None
        self._hung = False

    def hangs(self, *, suspected: bool) -> bool:
        if suspected or self._hung:
            self._question.begin()
        asked_at = self._asked_at
        return self._hung or (asked_at is not None and time.monotonic() > asked_at + HANGS_S)

    def _asked(self) -> bool:
        self._asked_at = began = time.monotonic()
        failed = True
        try:
            failed = not self._ask()
        finally:
            # One that refuses at once keeps nobody waiting: requests find that out, and say so.
            self._hung = failed and time.monotonic() > began + SLOW_S
            self._asked_at = None
        return not failed


class Places:
    """Requests under way, of which there are so many at most."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._begun: dict[object, float] = {}
        self._moved_at = time.monotonic()
        self._changed = threading.Condition()

    def take(self) -> object | None:
        """A place; None where there is none and nobody has given one back for a while."""
        with self._changed:
            while len(self._begun) >= self._most:
                left_s = self._moved_at + STILL_S - time.monotonic()
                if left_s <= 0:
                    return None
                self._changed.wait(left_s)
            place = object()
            self._begun[place] = self._moved_at = time.monotonic()
            return place

    def give_back(self, place: object) -> None:
        with self._changed:
            del self._begun[place]
            self._moved_at = time.monotonic()
            self._changed.notify()

    def longest_s(self) -> float:
        """How long the oldest request is under way."""
        with self._changed:
            return time.monotonic() - next(iter(self._begun.values()), time.monotonic())


class AdmissionMiddleware:
    """Before all that asks the database. Files of the web application are for everybody."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.places = Places(max(1, settings.WEB_THREADS - KEPT_THREADS))
        self.database = Database(database_answers)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(settings.STATIC_URL):
            return self.get_response(request)
        if self.database.hangs(suspected=self.places.longest_s() > SLOW_S):
            return self._refused(request, hangs=True)
        place = self.places.take()
        if place is None:
            return self._refused(request, hangs=False)
        try:
            return self.get_response(request)
        finally:
            self.places.give_back(place)

    def _refused(self, request: HttpRequest, *, hangs: bool) -> HttpResponse:
        read_no_more(request)
        with translation.override(translation.get_language_from_request(request)):
            if hangs:
                return outage_answer(request, Part.DATABASE, TimeoutError("it does not answer"))
            return error_response(
                503,
                "busy",
                _("The server is overloaded. Try again in a moment."),
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )
