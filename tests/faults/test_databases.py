"""PostgreSQL ends in the middle of work, in both of its quick ways, and comes back."""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from tests.faults.conftest import WORKERS, Servers
from tests.faults.site import LEASE_S, TIMEOUT_S, Person, Site, open_the_way, until
from tests.support import scripted_engine
from tests.support.media import image_bytes, wav_bytes

pytestmark = [pytest.mark.faults]

CLIENTS = 3
RETRY = {503, 409}
"""Come again: away, or the first request with this key has not ended."""


@dataclass
class Submissions:
    """What a person submits without a pause, each with a key that is sent until there is an answer."""

    person: Person
    accepted: dict[str, str] = field(default_factory=dict)
    """Batches by key."""
    refused: list[requests.Response] = field(default_factory=list)
    _done: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(self._submit) for _ in range(CLIENTS)]
            try:
                yield
            finally:
                self._done.set()
        for client in clients:
            client.result()

    def until_more(self, count: int) -> None:
        before = len(self.accepted)
        until(lambda: len(self.accepted), lambda now: now >= before + count)

    def _submit(self) -> None:
        headers = dict(self.person.session.headers)
        key = uuid4().hex
        while not self._done.wait(0.1):
            answer = requests.post(
                f"{self.person.origin}/api/video/batch",
                files=[("images", ("a.jpg", image_bytes())), ("audio", ("a.wav", wav_bytes()))],
                data={"prompt": scripted_engine.prompt("succeed")},
                headers={"Authorization": str(headers["Authorization"]), "Idempotency-Key": key},
                timeout=TIMEOUT_S,
            )
            if answer.status_code in RETRY:
                self.refused.append(answer)
                continue
            assert answer.status_code == 201, answer.text
            self.accepted[key] = answer.json()["batch_id"]
            key = uuid4().hex


@pytest.mark.parametrize(
    ("way", "away_s"),
    [
        pytest.param(signal.SIGINT, 0.0, id="fast"),
        pytest.param(signal.SIGQUIT, LEASE_S * 2, id="immediate, and away for two leases"),
    ],
)
def test_postgresql_ends_while_batches_are_submitted_rendered_and_finished(
    way: signal.Signals, away_s: float, site: Site, servers: Servers, tmp_path: Path
) -> None:
    user = site.person()
    workers = site.until_all_work(WORKERS)
    rendered = user.batch_of("climb", "succeed", folder=tmp_path)
    site.until_rendered(rendered, tmp_path)
    submissions = Submissions(user)
    with submissions.going_on():
        submissions.until_more(5)
        with ExitStack() as stack:
            with site.batch_locked(rendered):
                open_the_way(tmp_path)
                until(site.waits_for_a_lock, bool)  # its render is about to be finished
                stack.enter_context(servers.postgres.away(way))
                ended = time.monotonic()
            refused = len(submissions.refused)
            until(lambda: len(submissions.refused), lambda now: now > refused)
            until(time.monotonic, lambda now: now > ended + away_s)
        submissions.until_more(5)
    batches = [rendered, *submissions.accepted.values()]
    assert site.until_ended(*batches) == {"completed"}
    answers = [answer.json()["code"] for answer in submissions.refused]
    assert set(answers) <= {"unavailable", "idempotency_in_flight"}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in submissions.refused)
    mine = site.rows("SELECT id FROM batches WHERE user_id = %s", user.id)
    unanswered = {str(row["id"]) for row in mine} - set(batches)
    assert len(unanswered) <= CLIENTS, "the last answers were not waited for"
    assert site.until_ended(*(str(row["id"]) for row in mine)) == {"completed"}
    assert site.entries(user) == {"charge": len(mine)}
    assert site.until_all_work(WORKERS) == workers, "nobody had to be started again"
