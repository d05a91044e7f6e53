"""The line to PostgreSQL is cut between a commit and its answer: an order and a finished video stay whole."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError, connection, connections

from accounts.models import User
from tests.api.forms import form, submit
from tests.store.keeping import assert_store_and_rows_agree
from tests.support.books import assert_all_is_settled
from tests.support.proxy import CommitProxy, cutting_proxy
from tests.support.rows import claim, client_for, make_item, make_user
from videos.models import Batch, ItemStatus, VideoItem
from videos.services import attempts
from videos.services.attempts import Verdict
from videos.worker import runner, verdicts
from videos.worker.storing import store_result
from videos.worker.trouble import DATABASE_AWAY, forget_troubles
from videos.worker.verdicts import surely
from zhiying.kernel.clock import database_now
from zhiying.kernel.models import IdempotencyRecord

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.row_locks]

MOST_COMMITS = 20


@pytest.fixture
def proxy() -> Iterator[CommitProxy]:
    """All new connections of this process go through it."""
    told = connection.settings_dict
    host, port = told["HOST"], told["PORT"]
    with cutting_proxy(host, int(port)) as proxy:
        connections.close_all()
        told.update(HOST="127.0.0.1", PORT=proxy.port)
        try:
            yield proxy
        finally:
            connections.close_all()
            told.update(HOST=host, PORT=port)


def each_cut(proxy: CommitProxy, prepare: Callable[[], object], act: Callable[[], object]) -> Iterator[None]:
    """Let `act`, each time prepared anew, lose the answer to each of its commits."""
    for number in range(1, MOST_COMMITS):
        prepare()
        proxy.lose(number)
        act()
        happened = proxy.happened
        proxy.lose(0)
        connections.close_all()
        if not happened:
            assert number > 1
            return
        yield
    raise AssertionError(f"more than {MOST_COMMITS} commits")


def test_the_line_is_cut_after_the_commit(proxy: CommitProxy) -> None:
    """Or the other tests prove nothing."""
    proxy.lose(1)
    with pytest.raises(OperationalError):
        make_user("somebody")
    assert proxy.happened
    connections.close_all()
    assert User.objects.filter(username="somebody").exists()


def test_an_order_is_charged_once_however_the_line_breaks(proxy: CommitProxy) -> None:
    user = make_user(credits=1000)
    client = client_for(user)
    client.raise_request_exception = False
    answers: list[Any] = []
    key = 0

    def send() -> None:
        answers.append(submit(client, form(2), HTTP_IDEMPOTENCY_KEY=f"k{key}"))

    def next_key() -> None:
        nonlocal key
        key += 1

    for _ in each_cut(proxy, next_key, send):
        IdempotencyRecord.objects.filter(status_code=None).update(alive_until=database_now())
        send()
        first, again = answers[-2:]
        assert first.status_code in {201, 503}
        assert again.status_code == 201
        assert first.status_code == 503 or first.json() == again.json()
        assert Batch.objects.count() == key
        user.refresh_from_db()
        assert user.credits == 1000 - 2 * key
        assert_store_and_rows_agree()
        assert_all_is_settled()


def test_a_verdict_is_written_once_however_the_line_breaks(
    proxy: CommitProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finished video is shown with its files, a failure is refunded once."""
    monkeypatch.setattr(verdicts, "OUTAGE_PAUSE_S", 0)
    user = make_user(credits=1000)
    output = tmp_path / "video.mp4"
    output.write_bytes(b"video")
    spec: Any = SimpleNamespace(output=output, poster=output)
    result: Any = SimpleNamespace(duration_s=0.6, width=8, height=8, notes=())
    watch: Any = SimpleNamespace(claim=None)

    def begin() -> None:
        make_item(user)
        watch.claim = claim()

    def finish() -> None:
        try:
            store_result(watch.claim, spec, result)
        except OperationalError:  # before there was anything to tell: the worker gives the item back
            connections.close_all()
            runner._put_back(watch, DATABASE_AWAY)

    def refuse() -> None:
        surely(watch.claim, lambda: attempts.fail(watch.claim, Verdict("no_face")))

    try:
        for act in (finish, refuse):
            for _ in each_cut(proxy, begin, act):
                shown = VideoItem.objects.filter(status=ItemStatus.COMPLETED)
                assert all(default_storage.exists(item.video) for item in shown)
                assert not VideoItem.objects.filter(status=ItemStatus.PROCESSING).exists()
                assert_store_and_rows_agree()
                assert_all_is_settled()
    finally:
        forget_troubles()
