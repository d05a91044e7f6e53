"""Who is let in while others wait without end.

A database that hangs does not fail: each request that asks it holds a thread until it goes on, and so does a
client that takes an answer slowly. Without a bound nobody would be left to answer, not even the probes that
tell of it. So two threads of a process are kept from requests once the others do not move, and nobody is let
in to a database that is known to hang.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils import translation
from waitress.buffers import ReadOnlyFileBasedBuffer

from zhiying import frontend
from zhiying.kernel.api import slots
from zhiying.kernel.counters import Troubled, met_trouble
from zhiying.kernel.outages import Part
from zhiying.kernel.questions import Question
from zhiying.kernel.responses import when_sent
from zhiying.page_middleware import WITHOUT_COOKIES
from zhiying.readiness import database_answers
from zhiying.unhandled import busy_answer, outage_answer

Handler = Callable[[HttpRequest], HttpResponseBase]

STILL_S = 1.0
"""So long without an end of a request, all of them stand still."""
SLOW_S = 1.0
"""A request that takes longer is reason to ask how the database is. Asking costs it a connection."""
HANGS_S = 3.0
"""A database that answers later than this hangs; one that is only busy answers sooner."""
FRESH_S = 1.0
REMEMBERED_S = 5.0
"""One that hung, and that nobody has asked for so long, may have recovered meanwhile."""
TOLD_EVERY_S = 10.0
"""One line of the log in so long tells of refusals: a line for each would bury what else is told."""

logger = logging.getLogger(__name__)


class Database:
    """Whether it hangs, as far as is known; asked beside the requests, none of which waits for the answer."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._question = Question(self._asked, fresh_s=FRESH_S, patience_s=HANGS_S)
        self._asked_at: float | None = None
        self._hung_at: float | None = None

    def hangs(self, *, suspected: bool) -> bool:
        asked_at, hung_at, now = self._asked_at, self._hung_at, time.monotonic()
        if suspected or hung_at is not None:
            self._question.begin()
        if hung_at is not None and asked_at is None and now > hung_at + REMEMBERED_S:
            hung_at = self._hung_at = None  # no more than a suspicion; the answer is on its way
        return hung_at is not None or (asked_at is not None and now > asked_at + HANGS_S)

    def _asked(self) -> bool:
        self._asked_at = began = time.monotonic()
        failed = True
        try:
            failed = not self._ask()
        finally:
            # One that refuses at once keeps nobody waiting: requests find that out, and say so.
            ended = time.monotonic()
            self._hung_at = ended if failed and ended > began + SLOW_S else None
            self._asked_at = None
        return not failed


class Places:
    """Requests under way, of which there are so many at most."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._begun: dict[object, float] = {}
        self._sending: set[object] = set()
        self._moved_at = time.monotonic()
        self._changed = threading.Condition()

    def take(self) -> object | None:
        """A place; None where there is none and nobody has given one back for a while."""
        with self._changed:
            while len(self._begun) + len(self._sending) >= self._most:
                left_s = self._moved_at + STILL_S - time.monotonic()
                if left_s <= 0:
                    return None
                self._changed.wait(left_s)
            place = object()
            self._begun[place] = self._moved_at = time.monotonic()
            return place

    def only_sends(self, place: object) -> None:
        """That a client takes its answer slowly is no reason to suspect the database."""
        with self._changed:
            del self._begun[place]
            self._sending.add(place)

    def give_back(self, place: object) -> None:
        with self._changed:
            self._begun.pop(place, None)
            self._sending.discard(place)
            self._moved_at = time.monotonic()
            self._changed.notify()

    def longest_s(self) -> float:
        """How long the oldest request waits for its answer."""
        with self._changed:
            return time.monotonic() - next(iter(self._begun.values()), time.monotonic())


class AdmissionMiddleware:
    """Before all that asks the database. The web application's page and files are for everybody."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.places = Places(slots.places(settings.WEB_THREADS))
        self.database = Database(database_answers)
        self._told_at: float | None = None

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _needs_no_database(request):
            return self.get_response(request)
        if self.database.hangs(suspected=self.places.longest_s() > SLOW_S):
            with _refusing(request):
                return outage_answer(request, Part.DATABASE, TimeoutError("it does not answer"))
        place = self.places.take()
        if place is None:
            self._tell(request)
            with _refusing(request):
                return busy_answer(request)
        try:
            response = self.get_response(request)
        except BaseException:
            self.places.give_back(place)
            raise
        if _is_sent_without_a_thread(request, response):
            self.places.give_back(place)
        else:
            self.places.only_sends(place)
            when_sent(response, self.places.give_back, place)
        return response

    def _tell(self, request: HttpRequest) -> None:
        met_trouble(Troubled.SYSTEM)
        now = time.monotonic()
        if self._told_at is not None and now < self._told_at + TOLD_EVERY_S:
            return
        self._told_at = now
        logger.error(
            "busy: %s %s refused, and maybe others: requests that do not end hold the threads",
            request.method,
            request.path,
        )


@contextmanager
def _refusing(request: HttpRequest) -> Iterator[None]:
    """In the client's language, which is found out further in."""
    slots.read_no_more(request)
    with translation.override(translation.get_language_from_request(request)):
        yield


def _needs_no_database(request: HttpRequest) -> bool:
    """Whether this fetches the page that routes by its script. Sending a body to it would hold a thread."""
    if request.method not in {"GET", "HEAD"} or request.path_info.startswith(WITHOUT_COOKIES):
        return False
    try:
        return resolve(request.path_info).func is frontend.index
    except Resolver404:
        return False


def _is_sent_without_a_thread(request: HttpRequest, response: HttpResponseBase) -> bool:
    """The embedded server sends whole files from its main loop, when the thread has long gone on."""
    is_file = getattr(response, "file_to_stream", None) is not None
    return is_file and request.META.get("wsgi.file_wrapper") is ReadOnlyFileBasedBuffer
