"""Any order of changes to credits and items: after each of them rows, ledger and model say the same.

`MODEL_EXAMPLES` in the environment sets how many sequences are tried, each time others.
"""

import os
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from accounts.models import CreditEntry, User
from accounts.services import credits as ledger
from accounts.services import ledger_check
from accounts.services.credits import InsufficientCreditsError
from tests.api.forms import form, submit
from tests.model.books import MOST_TRIES, SETTLED, STATUSES, Books, Order, Person, Ticket, Video
from tests.support.books import assert_all_is_settled
from tests.support.rows import UserClient, client_for, make_batch, make_user
from videos.models import Batch, QueueLane, VideoItem
from videos.scheduling.claims import claim_next
from videos.services import attempts, batches, heartbeats
from videos.services.attempts import StoredResult, Verdict
from videos.services.intake import PreparedPortrait
from videos.store import keys
from zhiying.kernel.errors import ConflictError

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "8" if "DATABASE_URL" in os.environ else "16"))
"""Fewer on PostgreSQL, where each takes three times as long."""
STEPS = 50
MOST_VIDEOS = 12
"""A step costs as much as there are rows to compare."""
RECORDING_S = 0.6
LONG_S = 100_000
"""Longer than any example takes: what is to run out does so by a rule."""

KEYS = st.sampled_from(["", "k1", "k2"])
WHO = st.sampled_from(["owner", "owner", "administrator", "stranger"])
BATCH, ITEM = "/api/video/batches/{0.pk}", "/api/video/batches/{0.order.pk}/items/{0.pk}"

OF_RUNS = ("charge:", "refund:")

REACHED = {
    "order 201", "order 402", "change 200", "top-up", "claim", "nothing to claim",
    "complete True", "complete False", "fail True", "another try True", "release True",
    "cancel 200", "cancel 409", "cancel all 200", "retry 409", "retry all 200",
    "replace True", "replace refused", "delete 409", "put first 200",
}  # fmt: skip
"""What the sequences have to come by: without it they would show little."""


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


def body_of(amount: int, how: str) -> dict[str, Any]:
    return {"new_credits": abs(amount)} if how == "set" else {"delta": amount, "reason": "test"}


class CreditsAndItems(RuleBasedStateMachine):
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

    # --- People and their credits ------------------------------------------------------------------

    @initialize()
    def two_people(self) -> None:
        self.admin = make_user("admin", credits=0, is_admin=True)
        self.as_admin = client_for(self.admin)
        self.new_person(credits=3)
        self.new_person(credits=7)

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        possible = {name: arguments for name, when, arguments in ACTS if when(self)}
        names = [name for name, _when, _arguments in ACTS if name in possible]
        name = data.draw(st.sampled_from(names), label="act")
        chosen = {word: data.draw(values, label=word) for word, values in possible[name].items()}
        getattr(self, name)(data, **chosen)

    def new_person(self, credits: int) -> None:  # noqa: A002
        user = make_user(f"person{len(self.books.people) + 1}", credits=credits)
        person = Person(user.username, user.pk)
        self.books.people.append(person)
        self.clients[person.pk] = client_for(user)
        if credits:
            self.books.move(person, credits)

    @act(1, active=st.sampled_from([True, True, False]))
    def set_active(self, data: st.DataObject, active: bool) -> None:
        """Whoever is deactivated has no business there; what was ordered goes on."""
        person = data.draw(st.sampled_from(self.books.people))
        answer = self.as_admin.patch(f"/api/admin/users/{person.pk}", {"is_active": active}, format="json")
        assert answer.status_code == 200
        if active and not person.active:
            self.clients[person.pk] = client_for(User.objects.get(pk=person.pk))
        person.active = active

    @act(2, amount=st.integers(1, 3), key=KEYS)
    def top_up(self, data: st.DataObject, amount: int, key: str) -> None:
        """As the command does."""
        person = data.draw(st.sampled_from(self.books.people))
        earlier = self.topped_up.get(key)
        same = earlier and earlier[:2] == (person, amount)
        try:
            entry = ledger.top_up(
                user_id=person.pk, amount=amount, reason="paid", key=key, acting_user=self.admin
            )
        except ConflictError:
            assert earlier
            assert not same
            self.note("top-up refused")
            return
        if earlier:
            assert same
            assert entry.repeated
            assert entry.pk == earlier[2]
            self.note("top-up again")
            return
        self.books.move(person, amount)
        if key:
            self.topped_up[key] = (person, amount, entry.pk)
        self.note("top-up")

    @act(3, amount=st.integers(-6, 6), how=st.sampled_from(["set", "adjust"]), key=KEYS)
    def change_credits(self, data: st.DataObject, amount: int, how: str, key: str) -> None:
        """An administrator sets credits, or gives and takes."""
        person = data.draw(st.sampled_from(self.books.people))
        body = body_of(amount or 1, how)
        headers: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
        answer = self.as_admin.patch(f"/api/admin/users/{person.pk}/credits", body, format="json", **headers)
        if key in self.changed:
            before, sent, said = self.changed[key]
            if (before, sent) == (person, body):
                assert (answer.status_code, answer.json()) == (200, said)
                self.note("change again")
            else:
                assert answer.status_code == 422
                self.note("change refused 422")
            return
        difference = body["new_credits"] - person.credits if how == "set" else body["delta"]
        self.note(f"change {answer.status_code}")
        if person.credits + difference < 0:
            assert answer.status_code == 402
            return
        assert answer.status_code == 200
        self.books.move(person, difference)
        assert answer.json()["credits"] == person.credits
        if key:
            self.changed[key] = (person, body, answer.json())

    # --- Orders ------------------------------------------------------------------------------------

    @act(
        3,
        when=lambda self: len(self.books.videos) < MOST_VIDEOS,
        images=st.integers(1, 3),
        price=st.sampled_from([1, 1, 2, 3]),
    )
    def order(self, data: st.DataObject, images: int, price: int) -> None:
        """From now on a video costs so much; what was paid before was paid."""
        settings.CREDITS_PER_STARTED_S[""] = RECORDING_S / price
        self.books.price = price
        person = data.draw(st.sampled_from(self.books.people))
        try:
            batch = make_batch(User.objects.get(pk=person.pk), images)
        except InsufficientCreditsError:
            assert person.credits < images * self.books.price
            self.note("order 402")
            return
        self._ordered(person, batch.pk)
        self.note("order 201")

    @act(
        2,
        when=lambda self: (
            len(self.books.videos) < MOST_VIDEOS and any(person.active for person in self.books.people)
        ),
        images=st.integers(1, 2),
        key=st.sampled_from(["k1", "k2"]),
    )
    def order_with_a_key(self, data: st.DataObject, images: int, key: str) -> None:
        """With files, through the whole of the application."""
        person = data.draw(st.sampled_from([one for one in self.books.people if one.active]))
        answer = submit(self.clients[person.pk], form(images), HTTP_IDEMPOTENCY_KEY=key)
        if (person.pk, key) in self.ordered:
            sent, batch_id = self.ordered[person.pk, key]
            if sent == images:
                assert (answer.status_code, answer.json()["batch_id"]) == (201, batch_id)
                self.note("order again")
            else:
                assert answer.status_code == 422
                self.note("order refused 422")
        elif person.credits < images * self.books.price:
            assert answer.status_code == 402
            self.note("order 402")
        else:
            assert answer.status_code == 201, answer.content
            self.ordered[person.pk, key] = (images, answer.json()["batch_id"])
            self._ordered(person, UUID(answer.json()["batch_id"]))

    def _ordered(self, person: Person, batch_id: UUID) -> None:
        items = VideoItem.objects.filter(batch_id=batch_id).order_by("position")
        self.books.ordered(person, batch_id, items.values_list("pk", flat=True))

    # --- What owners and administrators do to them ----------------------------------------------------

    def _caller(self, order: Order, who: str) -> tuple[UserClient, int]:
        """A client, and the answer that it gets at once where it has no business there."""
        person = order.owner
        if who == "administrator":
            return self.as_admin, 0
        if who == "stranger":
            person = next(one for one in self.books.people if one is not order.owner)
        if not person.active:
            return self.clients[person.pk], 401
        return self.clients[person.pk], 404 if who == "stranger" else 0

    def _call(self, name: str, order: Order, who: str, method: str, path: str) -> Any:
        """The answer, or None where it was a refusal that says nothing of the order."""
        client, refusal = self._caller(order, who)
        answer = getattr(client, method)(path)
        self.note(f"{name} {answer.status_code}")
        if refusal:
            assert answer.status_code == refusal
            return None
        return answer

    def _any_video(self, data: st.DataObject, *statuses: str) -> Video:
        """More often one in these statuses."""
        fitting = [video for video in self.books.videos if video.status in statuses]
        return data.draw(st.sampled_from(fitting * 3 + self.books.videos))

    def _any_order(self, data: st.DataObject) -> Order:
        return data.draw(st.sampled_from(self.books.orders))

    @act(3, when=lambda self: self.books.videos, who=WHO)
    def cancel(self, data: st.DataObject, who: str) -> None:
        video = self._any_video(data)
        answer = self._call("cancel", video.order, who, "post", f"{ITEM.format(video)}/cancel")
        if answer:
            assert answer.status_code == (200 if self.books.cancel([video]) else 409)

    @act(1, when=lambda self: self.books.orders, who=WHO)
    def cancel_all(self, data: st.DataObject, who: str) -> None:
        order = self._any_order(data)
        answer = self._call("cancel all", order, who, "post", f"{BATCH.format(order)}/cancel")
        if answer:
            assert answer.status_code == 200
            assert answer.json()["count"] == self.books.cancel(order.videos)

    @act(4, when=lambda self: self.books.videos, who=WHO)
    def retry(self, data: st.DataObject, who: str) -> None:
        video = self._any_video(data, *SETTLED)
        answer = self._call("retry", video.order, who, "post", f"{ITEM.format(video)}/resume")
        if not answer:
            return
        if not self.books.retryable([video]):
            assert answer.status_code == 409
        elif self._retried(answer, video.order, [video]):
            assert answer.json() == {"success": True}

    @act(3, when=lambda self: self.books.orders, who=WHO)
    def retry_all(self, data: st.DataObject, who: str) -> None:
        order = self._any_order(data)
        answer = self._call("retry all", order, who, "post", f"{BATCH.format(order)}/retry_failed")
        if not answer:
            return
        count = len(self.books.retryable(order.videos))
        if self._retried(answer, order, order.videos):
            assert answer.json()["count"] == count

    def _retried(self, answer: Any, order: Order, videos: list[Video]) -> bool:
        """Whether they could be paid for, whoever asked."""
        required = len(self.books.retryable(videos)) * self.books.price
        if order.owner.credits < required:
            assert answer.status_code == 402
            assert answer.json()["required"] == required
            return False
        assert answer.status_code == 200
        self.books.retry(videos)
        return True

    @act(2, when=lambda self: self.books.videos)
    def replace(self, data: st.DataObject) -> None:
        """Another portrait in a failed one's place, past the calls that decode it."""
        video = self._any_video(data, *SETTLED)
        item = VideoItem.objects.select_related("batch__user").get(pk=video.pk)
        path = settings.MEDIA_ROOT / f"new {uuid4()}.jpg"
        path.write_bytes(b"image")
        portrait = PreparedPortrait("new.jpg", path, path, 160, 160)
        may = bool(self.books.retryable([video]))
        if not may or video.order.owner.credits < self.books.price:
            refusal = InsufficientCreditsError if may else ConflictError
            with pytest.raises(refusal):
                batches.item_replace(item=item, portrait=portrait, acting_user=item.batch.user)
            self.note("replace refused")
            return
        batches.item_replace(item=item, portrait=portrait, acting_user=item.batch.user)
        self.books.retry([video])
        item.refresh_from_db()
        assert item.original_name == "new.jpg"
        self.note("replace True")

    @act(3, when=lambda self: self.books.videos, who=WHO)
    def delete(self, data: st.DataObject, who: str) -> None:
        video = self._any_video(data, *SETTLED, "completed")
        answer = self._call("delete", video.order, who, "delete", ITEM.format(video))
        if answer:
            assert answer.status_code == (200 if self.books.delete(video) else 409)

    @act(1, when=lambda self: len(self.books.orders) > 2, who=WHO)
    def delete_order(self, data: st.DataObject, who: str) -> None:
        order = self._any_order(data)
        answer = self._call("delete batch", order, who, "delete", BATCH.format(order))
        if answer:
            assert answer.status_code == 200
            self.books.delete_order(order)

    @act(1, when=lambda self: self.books.orders)
    def put_first(self, data: st.DataObject) -> None:
        order = self._any_order(data)
        answer = self._call(
            "put first", order, "administrator", "post", f"/api/admin/batches/{order.pk}/first"
        )
        assert answer.json()["count"] == self.books.put_first(order)

    # --- Workers -----------------------------------------------------------------------------------

    @act(6, times=st.integers(1, 3))
    def claim(self, data: st.DataObject, times: int) -> None:
        for _ in range(times):
            allowed = {video.pk: video for video in self.books.next_ones()}
            claimed = claim_next("worker")
            if claimed is None:
                assert not allowed
                self.note("nothing to claim")
                return
            video = allowed[claimed.item_id]
            self.books.claimed(video, claimed)
            assert (claimed.attempt, claimed.tries, claimed.run) == (video.attempt, video.tries, video.run)
            self.note("claim")

    def _any_ticket(self, data: st.DataObject) -> Ticket:
        """More often one that is good than one of a worker that comes late."""
        good = [ticket for ticket in self.books.tickets if self.books.is_good(ticket)]
        return data.draw(st.sampled_from(good * 3 + self.books.tickets[-4:]))

    @act(
        9,
        when=lambda self: self.books.tickets,
        verdict=st.sampled_from(["complete", "fail", "trouble", "trouble", "release"]),
    )
    def decide(self, data: st.DataObject, verdict: str) -> None:
        """A worker's verdict; trouble is what another try may help against."""
        ticket = self._any_ticket(data)
        claim = ticket.claim
        if verdict == "complete":
            video = keys.result_key(claim.batch_id, claim.item_id, claim.attempt, ".mp4")
            done = attempts.complete(claim, StoredResult(video, "", RECORDING_S))
            assert done == self.books.complete(ticket)
        elif verdict == "release":
            done = attempts.release(claim)
            assert done == self.books.release(ticket)
        else:
            may_help = verdict == "trouble"
            done = attempts.fail(
                claim, Verdict("engine_error" if may_help else "no_face", retryable=may_help)
            )
            assert done == self.books.fail(ticket, may_help=may_help)
            if done and ticket.video.status == "pending":
                verdict = "another try"
        self.note(f"{verdict} {done}")

    @act(2, when=lambda self: self.books.tickets, percent=st.integers(0, 120))
    def show_progress(self, data: st.DataObject, percent: int) -> None:
        """A worker says how far it is, and keeps its lease by it; a late one says it to nobody."""
        ticket = self._any_ticket(data)
        before = VideoItem.objects.filter(pk=ticket.video.pk).values_list("progress", "lease_until").first()
        heartbeats.renew([ticket.claim])
        heartbeats.show_progress(ticket.claim, percent)
        after = VideoItem.objects.filter(pk=ticket.video.pk).values_list("progress", "lease_until").first()
        if not self.books.is_good(ticket):
            assert before == after
            return
        assert after
        assert after[0] == min(99, percent)
        ticket.video.silent = False

    @act(4, when=lambda self: any(video.status == "processing" for video in self.books.videos))
    def fall_silent(self, data: st.DataObject) -> None:
        """A worker is heard of no more, and the lease runs out."""
        video = data.draw(st.sampled_from([one for one in self.books.videos if one.status == "processing"]))
        VideoItem.objects.filter(pk=video.pk).update(lease_until=timezone.now())
        video.silent = True

    @act(
        3,
        when=lambda self: any(video.status == "processing" for video in self.books.videos),
        restart=st.sampled_from([False, False, False, True]),
    )
    def sweep(self, data: st.DataObject, restart: bool) -> None:
        """Or the embedded server starts, beside which nobody else can be rendering."""
        before = self._failed()
        taken = attempts.reclaim_all() if restart else attempts.expire_leases()
        assert taken == self.books.sweep(all_of_them=restart)
        self.note("restart" if restart else f"taken back {taken}")
        if self._failed() > before:
            self.note("refunded by the sweep")

    def _failed(self) -> int:
        return sum(video.status == "failed" for video in self.books.videos)

    @act(2, when=lambda self: any(video.resting for video in self.books.videos))
    def time_passes(self, data: st.DataObject) -> None:
        """Until everything that waits for its next try may be tried."""
        for video in self.books.videos:
            if video.resting:
                # one after the other, so that who is next does not depend on ids, which are drawn at random
                VideoItem.objects.filter(pk=video.pk).update(not_before=timezone.now())
                video.resting = False

    # --- What has to be true at every moment -------------------------------------------------------------

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


def test_any_order_of_changes_leaves_true_books(settings: Any, db: None) -> None:
    settings.RENDER_MAX_TRIES = MOST_TRIES
    settings.RENDER_RETRY_DELAY_S = settings.LEASE_S = LONG_S
    settings.CREDITS_PER_STARTED_S = {}
    CreditsAndItems.reached.clear()
    searching = "MODEL_EXAMPLES" in os.environ
    run_state_machine_as_test(
        CreditsAndItems,
        settings=hypothesis_settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, derandomize=not searching
        ),
    )
    missed = REACHED - set(CreditsAndItems.reached)
    assert searching or not missed, dict(CreditsAndItems.reached)
