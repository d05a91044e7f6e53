"""Several servers of one kind as one engine.

A job belongs to the server that took it: its id is `server|id`, the server by its URL without the scheme, so
that ids stay true when servers are added. Which one gets a job is decided by what each says of itself then.
"""

import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from engines.base import EngineBusyError, EngineError, Readiness
from engines.remote import JobView

SEPARATOR = "|"
ASKED_AT_ONCE = 8


class Pool:
    """The servers of an engine, by their short names."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls: Mapping[str, str] = {url.partition("://")[2]: url for url in urls}
        self._turn = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.urls)

    def join(self, url: str, their_id: str) -> str:
        return f"{url.partition('://')[2]}{SEPARATOR}{their_id}"

    def split(self, joined: str) -> tuple[str | None, str]:
        """The server's URL (None: it is not configured any more) and its own id."""
        name, _, their_id = joined.partition(SEPARATOR)
        return self.urls.get(name), their_id

    def by_server(self, joined: Iterable[str]) -> tuple[dict[str, list[str]], list[str]]:
        """Ids of their own by server URL; and joined ids whose server is gone."""
        found: dict[str, list[str]] = {}
        gone: list[str] = []
        for one in joined:
            url, their_id = self.split(one)
            if url is None:
                gone.append(one)
            else:
                found.setdefault(url, []).append(their_id)
        return found, gone

    def in_turn(self) -> Iterator[str]:
        """All URLs, beginning with another one each time."""
        urls = list(self.urls.values())
        with self._lock:
            self._turn += 1
            first = self._turn
        return (urls[(first + index) % len(urls)] for index in range(len(urls)))

    def home_of(self, job_id: UUID) -> list[str]:
        """All URLs in an order that depends on the job alone: where it was sent is where it is looked for."""
        return sorted(self.urls.values(), key=lambda url: zlib.crc32(f"{job_id} {url}".encode()))

    def look(self, joined: Sequence[str], ask: Callable[[str, list[str]], Mapping[str, JobView]]) -> "Views":
        """Ask each server for its jobs, at the same time; one that does not answer leaves its jobs out."""
        found, gone = self.by_server(joined)
        views: dict[str, JobView] = {}
        trouble: EngineError | None = None
        with ThreadPoolExecutor(max(1, min(ASKED_AT_ONCE, len(found)))) as asking:
            answers = {url: asking.submit(ask, url, ids) for url, ids in found.items()}
            for url, answer in answers.items():
                try:
                    views |= {self.join(url, their_id): view for their_id, view in answer.result().items()}
                except EngineError as error:
                    trouble = error
        if trouble is not None and not views and not gone:
            raise trouble
        return views, gone

    def first_ready(self, ask: Callable[[str], bool]) -> Readiness:
        """Ready when one of them is. One request at most is made: to the server whose turn it is."""
        url = next(self.in_turn())
        try:
            ask(url)
        except EngineError as error:
            return Readiness.no(error)
        return Readiness(ready=True)


Views = tuple[Mapping[str, JobView], list[str]]
"""What was learned by joined id, and joined ids whose server is not configured any more."""


def none_took_it(troubles: Sequence[EngineError]) -> EngineError:
    """What to say when a job was sent to no server of a pool: what is worst for the operator to miss."""
    for trouble in troubles:
        if not isinstance(trouble, EngineBusyError):
            return trouble
    busy = next((trouble for trouble in troubles if isinstance(trouble, EngineBusyError)), EngineBusyError())
    busy.nothing_sent = True
    return busy
