"""What all acts have in common: model and rows, which act is next, and what is compared after it."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from accounts.models import CreditEntry, User
from accounts.services import ledger_check
from tests.model.books import STATUSES, Books, Person
from tests.support.books import assert_all_is_settled
from tests.support.rows import UserClient, client_for, make_user
from videos.models import Batch, QueueLane, VideoItem

MOST_VIDEOS = 12
"""A step costs as much as there are rows to compare."""
RECORDING_S = 0.6
LONG_S = 100_000
"""Longer than any example takes: what is to run out does so by a rule."""

KEYS = st.sampled_from(["", "k1", "k2"])
WHO = st.sampled_from(["owner", "owner", "administrator", "stranger"])
BATCH, ITEM = "/api/video/batches/{0.pk}", "/api/video/batches/{0.order.pk}/items/{0.pk}"

OF_RUNS = ("charge:", "refund:")


ACTS: list[tuple[str, Callable[[Any], bool], dict[str, st.SearchStrategy[Any]]]] = []
"""What can be done, each as often as it should be chosen, beside when it can and its arguments."""


def act(
    weight: int, when: Callable[[Any], object] = lambda self: True, **arguments: st.SearchStrategy[Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Name a method among `ACTS`. Rules of Hypothesis would do, but for their weights."""

    def name(method: Callable[..., None]) -> Callable[..., None]:
        ACTS.extend([(method.__name__, lambda self: bool(when(self)), arguments)] * weight)
        return method

    return name


class Machine(RuleBasedStateMachine):
    """Calls what clients and workers call. Each sequence is a transaction that is taken back."""

    reached: Counter[str] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.books = Books()
        self.clients: dict[UUID, UserClient] = {}
        self.ordered: dict[tuple[UUID, str], tuple[int, str]] = {}
        self.changed: dict[str, tuple[Person, dict[str, Any], Any]] = {}
        self.topped_up: dict[str, tuple[Person, int, int]] = {}
        settings.CREDITS_PER_STARTED_S.clear()
        self.undone = transaction.atomic()
        self.undone.__enter__()

    def teardown(self) -> None:
        try:
            if not connection.needs_rollback:
                assert_all_is_settled()
        finally:
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)

    def note(self, what: str) -> None:
        self.reached[what] += 1

    @initialize()
    def two_people(self) -> None:
        self.admin = make_user("admin", credits=0, is_admin=True)
        self.as_admin = client_for(self.admin)
        self.new_person(credits=3)
        self.new_person(credits=7)

    def new_person(self, credits: int) -> None:  # noqa: A002
        user = make_user(f"person{len(self.books.people) + 1}", credits=credits)
        person = Person(user.username, user.pk)
        self.books.people.append(person)
        self.clients[person.pk] = client_for(user)
        if credits:
            self.books.move(person, credits)

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        possible = {name: arguments for name, when, arguments in ACTS if when(self)}
        names = [name for name, _when, _arguments in ACTS if name in possible]
        name = data.draw(st.sampled_from(names), label="act")
        chosen = {word: data.draw(values, label=word) for word, values in possible[name].items()}
        getattr(self, name)(data, **chosen)

    # --- What has to be true at every moment ---

    @invariant()
    def people_have_what_the_model_says(self) -> None:
        rows = dict(User.objects.exclude(pk=self.admin.pk).values_list("pk", "credits"))
        assert rows == {person.pk: person.credits for person in self.books.people}

    @invariant()
    def items_are_what_the_model_says(self) -> None:
        rows = {
            pk: facts
            for pk, *facts in VideoItem.objects.values_list(
                "pk", "status", "run", "tries", "attempt", "price", "lane__urgent"
            )
        }
        assert rows == {video.pk: list(video.facts()) for video in self.books.videos}

    @invariant()
    def batches_are_what_the_model_says(self) -> None:
        counts = [f"{status}_count" for status in STATUSES]
        rows = {
            pk: facts
            for pk, *facts in Batch.objects.values_list("pk", "credits_used", "image_count", *counts)
        }
        assert rows == {order.pk: list(order.facts()) for order in self.books.orders}

    @invariant()
    def everything_that_moved_is_in_the_ledger_once(self) -> None:
        entries = list(CreditEntry.objects.values_list("operation_key", "user_id", "amount"))
        rows = Counter((key if key.startswith(OF_RUNS) else "", *facts) for key, *facts in entries)
        assert rows == Counter(
            (about if about.startswith(OF_RUNS) else "", person.pk, amount)
            for about, (person, amount) in self.books.ledger.items()
        )

    @invariant()
    def lanes_count_what_waits_and_runs(self) -> None:
        for field, status in (("waiting", "pending"), ("running", "processing")):
            lanes = QueueLane.objects.filter(**{f"{field}__gt": 0})
            rows = {
                (user, urgent): count for user, urgent, count in lanes.values_list("user", "urgent", field)
            }
            assert rows == self.books.in_lanes(status)

    @invariant()
    def the_audit_finds_nothing(self) -> None:
        report = ledger_check.check()
        assert not report.discrepancies, report.lines
        connection.check_constraints()
