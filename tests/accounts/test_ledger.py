"""The ledger: what moves credits, and that what it says stays said."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import CreditEntry, EntryKind, User
from accounts.services import credits as ledger
from accounts.services.credits import InsufficientCreditsError, Run
from tests.support.books import assert_books_balance
from tests.support.rows import make_user
from zhiying.kernel.errors import ConflictError, InvalidError, NotFoundError

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def newest(user: User) -> CreditEntry:
    return CreditEntry.objects.filter(user=user).order_by("-number")[0]


def balance(user: User) -> int:
    return User.objects.get(pk=user.pk).credits


def runs(count: int, price: int = 1) -> list[Run]:
    batch_id = uuid4()
    return [Run(batch_id, uuid4(), 1, price) for _ in range(count)]


def test_a_new_user_is_granted_credits_by_an_entry(user: User) -> None:
    entry = CreditEntry.objects.get(user=user)
    assert (entry.kind, entry.amount, entry.balance_after) == (EntryKind.GRANT, 100, 100)


def test_a_user_without_credits_has_no_entries() -> None:
    user = make_user(credits=0)
    assert not CreditEntry.objects.filter(user=user).exists()
    assert_books_balance()


def test_charging_writes_one_entry_per_run(user: User) -> None:
    charged = runs(3)
    assert ledger.charge_runs(user_id=user.pk, runs=charged, note="batch") == 97
    entries = list(CreditEntry.objects.filter(user=user, kind=EntryKind.CHARGE).order_by("number"))
    assert [entry.balance_after for entry in entries] == [99, 98, 97]
    assert {entry.item_id for entry in entries} == {run.item_id for run in charged}
    assert {entry.note for entry in entries} == {"batch"}
    assert_books_balance()


def test_a_charge_beyond_the_balance_changes_nothing_and_names_both_numbers() -> None:
    user = make_user(credits=2)
    with pytest.raises(InsufficientCreditsError) as refused:
        ledger.charge_runs(user_id=user.pk, runs=runs(3))
    assert refused.value.extra == {"required": 3, "available": 2}
    assert refused.value.status == 402
    assert balance(user) == 2
    assert_books_balance()


def test_the_last_credit_can_be_spent() -> None:
    user = make_user(credits=3)
    assert ledger.charge_runs(user_id=user.pk, runs=runs(3)) == 0
    assert_books_balance()


@pytest.mark.parametrize("operation", [ledger.charge_runs, ledger.refund_runs])
def test_the_same_run_cannot_be_charged_or_refunded_twice(user: User, operation: object) -> None:
    once = runs(1)
    assert callable(operation)
    operation(user_id=user.pk, runs=once)
    left = balance(user)
    with pytest.raises(IntegrityError), transaction.atomic():
        operation(user_id=user.pk, runs=once)
    assert balance(user) == left
    assert_books_balance()


def test_a_second_refund_within_one_call_is_refused_whole(user: User) -> None:
    once = runs(1)
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.refund_runs(user_id=user.pk, runs=once * 2)
    assert balance(user) == 100


def test_credits_are_set_with_the_difference_in_the_ledger(user: User, admin: User) -> None:
    assert ledger.set_credits(user_id=user.pk, new_credits=30, reason="campaign", acting_user=admin) == 30
    entry = newest(user)
    assert (entry.kind, entry.amount, entry.actor, entry.note) == (EntryKind.SET, -70, admin, "campaign")
    assert_books_balance()


def test_credits_are_adjusted_by_a_delta_with_a_reason(user: User, admin: User) -> None:
    assert ledger.adjust_credits(user_id=user.pk, delta=-5, reason=" mistake ", acting_user=admin) == 95
    assert (newest(user).kind, newest(user).amount, newest(user).note) == (EntryKind.ADJUST, -5, "mistake")
    assert_books_balance()


@pytest.mark.parametrize("reason", ["", "   "])
def test_an_adjustment_without_a_reason_is_refused(user: User, admin: User, reason: str) -> None:
    with pytest.raises(InvalidError) as refused:
        ledger.adjust_credits(user_id=user.pk, delta=5, reason=reason, acting_user=admin)
    assert refused.value.code == "reason_required"
    assert balance(user) == 100


def test_an_adjustment_below_zero_is_refused(user: User, admin: User) -> None:
    with pytest.raises(InsufficientCreditsError):
        ledger.adjust_credits(user_id=user.pk, delta=-101, reason="too much", acting_user=admin)
    assert_books_balance()


@pytest.mark.parametrize("new_credits", [-1, ledger.MAX_CREDITS + 1])
def test_credits_cannot_be_set_out_of_bounds(user: User, admin: User, new_credits: int) -> None:
    with pytest.raises(InvalidError):
        ledger.set_credits(user_id=user.pk, new_credits=new_credits, reason="", acting_user=admin)
    assert balance(user) == 100


def test_no_sum_of_top_ups_passes_the_largest_balance(user: User) -> None:
    with pytest.raises(InvalidError):
        ledger.top_up(user_id=user.pk, amount=ledger.MAX_CREDITS, reason="much", acting_user=None)
    assert balance(user) == 100
    assert_books_balance()


@pytest.fixture
def beyond(user: User, admin: User) -> User:
    """Whose balance was set to the largest while runs of theirs waited, which were refunded then."""
    paid = runs(2, price=5)
    ledger.charge_runs(user_id=user.pk, runs=paid)
    ledger.set_credits(user_id=user.pk, new_credits=ledger.MAX_CREDITS, reason="much", acting_user=admin)
    assert ledger.refund_runs(user_id=user.pk, runs=paid) == ledger.MAX_CREDITS + 10
    return user


def test_a_balance_beyond_the_largest_is_spent_lowered_and_set(beyond: User, admin: User) -> None:
    """Refunds lead there: nothing could end whose price was not given back."""
    who = beyond.pk
    assert balance(beyond) == ledger.MAX_CREDITS + 10
    assert_books_balance()
    assert ledger.charge_runs(user_id=who, runs=runs(2)) == ledger.MAX_CREDITS + 8
    lowered = ledger.adjust_credits(user_id=who, delta=-3, reason="less", acting_user=admin)
    assert lowered == ledger.MAX_CREDITS + 5
    assert ledger.set_credits(user_id=who, new_credits=7, reason="", acting_user=admin) == 7
    assert_books_balance()


def test_a_balance_beyond_the_largest_is_not_raised(beyond: User, admin: User) -> None:
    with pytest.raises(InvalidError):
        ledger.top_up(user_id=beyond.pk, amount=1, reason="more", acting_user=None)
    with pytest.raises(InvalidError):
        ledger.adjust_credits(user_id=beyond.pk, delta=1, reason="more", acting_user=admin)
    assert balance(beyond) == ledger.MAX_CREDITS + 10
    assert_books_balance()


@pytest.mark.parametrize("amount", [0, -1, ledger.MAX_CREDITS + 1])
def test_a_top_up_is_positive_and_bounded(user: User, amount: int) -> None:
    with pytest.raises(InvalidError):
        ledger.top_up(user_id=user.pk, amount=amount, reason="x", acting_user=None)


def test_a_top_up_with_the_same_key_happens_once(user: User) -> None:
    first = ledger.top_up(user_id=user.pk, amount=7, reason="paid", key="invoice 1", acting_user=None)
    second = ledger.top_up(user_id=user.pk, amount=7, reason="paid", key="invoice 1", acting_user=None)
    assert first.pk == second.pk
    assert balance(user) == 107


def test_a_key_of_another_top_up_is_a_conflict(user: User) -> None:
    ledger.top_up(user_id=user.pk, amount=7, reason="paid", key="invoice 1", acting_user=None)
    with pytest.raises(ConflictError):
        ledger.top_up(user_id=user.pk, amount=8, reason="paid", key="invoice 1", acting_user=None)
    with pytest.raises(ConflictError):
        ledger.top_up(user_id=make_user().pk, amount=7, reason="paid", key="invoice 1", acting_user=None)
    assert balance(user) == 107


def test_an_unknown_user_cannot_be_charged(db: None) -> None:
    with pytest.raises(NotFoundError):
        ledger.charge_runs(user_id=uuid4(), runs=runs(1))


# --- Append-only -----------------------------------------------------------------------------------


def test_an_entry_cannot_be_saved_again_or_deleted(user: User) -> None:
    entry = newest(user)
    entry.amount = 1
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE credit_entries SET amount = amount + 1",
        "UPDATE credit_entries SET note = 'forged'",
        "DELETE FROM credit_entries",
    ],
)
def test_the_database_refuses_changes_from_raw_sql(user: User, statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert newest(user).amount == 100


def test_the_database_refuses_bulk_changes_from_the_orm(user: User) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        CreditEntry.objects.filter(user=user).update(note="forged")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        CreditEntry.objects.filter(user=user).delete()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        CreditEntry.objects.bulk_update([newest(user)], ["amount"])
    assert (newest(user).amount, newest(user).note) == (100, "")


def test_a_user_with_a_ledger_cannot_be_deleted(user: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        user.delete()
    assert User.objects.filter(pk=user.pk).exists()
