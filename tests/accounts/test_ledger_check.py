"""`audit_credits` finds what does not add up."""

import io
from importlib import import_module
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import CreditEntry, User
from accounts.services import credits as ledger
from accounts.services.credits import Run
from tests.support.rows import make_batch, make_user

ROWS = import_module("accounts.migrations.0002_append_only_ledger")
TABLE = import_module("accounts.migrations.0003_ledger_is_not_truncated")

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def unprotected_ledger(db: None) -> None:
    """Somebody with the rights of the database's owner took the triggers away; rolled back by the test."""
    truncating = [TABLE.UNPROTECT] if connection.vendor == "postgresql" else []
    with connection.cursor() as cursor:
        for statement in (*truncating, *ROWS.BACKWARD[connection.vendor]):
            cursor.execute(statement)


def audit() -> tuple[int, str, str]:
    """Exit code, output and error output of the command."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("audit_credits", stdout=out, stderr=err)
    except SystemExit as exit_:
        return int(exit_.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_true_books_are_reported_as_such(user: User) -> None:
    make_batch(user, 3)
    ledger.adjust_credits(user_id=user.pk, delta=5, reason="more", acting_user=None)
    make_user(credits=0)
    code, out, err = audit()
    assert (code, err) == (0, "")
    assert "2 users" in out


def test_a_balance_that_differs_from_the_ledger_is_reported(user: User) -> None:
    other = make_user()
    User.objects.filter(pk=user.pk).update(credits=101)
    code, _, err = audit()
    assert code == 1
    assert f"{user.username}: balance 101, ledger 100" in err
    assert other.username not in err


def test_credits_without_any_entry_are_reported() -> None:
    user = make_user(credits=0)
    User.objects.filter(pk=user.pk).update(credits=5)
    code, _, err = audit()
    assert code == 1
    assert f"{user.username}: balance 5, ledger 0" in err


def test_a_lost_entry_is_reported(user: User, unprotected_ledger: None) -> None:
    make_batch(user, 2)
    first = CreditEntry.objects.filter(kind="charge").order_by("number").first()
    assert first is not None
    CreditEntry.objects.filter(pk=first.pk).delete()
    code, _, err = audit()
    assert code == 1
    assert "balance 98, ledger 99" in err
    assert "says 98 after it, the ledger 99" in err


def test_changes_that_cancel_out_are_found_by_the_running_sum(user: User, unprotected_ledger: None) -> None:
    ledger.top_up(user_id=user.pk, amount=10, reason="a", acting_user=None)
    last = ledger.top_up(user_id=user.pk, amount=20, reason="b", acting_user=None)
    CreditEntry.objects.filter(user=user, amount=10).update(amount=20)
    CreditEntry.objects.filter(pk=last.pk).update(amount=10)
    code, _, err = audit()
    assert code == 1
    assert "balance 130" not in err  # the sum is right, the way to it is not
    assert "says 110 after it, the ledger 120" in err


def test_a_refund_of_another_amount_than_its_charge_is_reported(user: User) -> None:
    """A price that came from the settings of the day instead of the run's."""
    batch_id, item_id = uuid4(), uuid4()
    ledger.charge_runs(user_id=user.pk, runs=[Run(batch_id, item_id, 1, 3)])
    ledger.refund_runs(user_id=user.pk, runs=[Run(batch_id, item_id, 1, 1)])
    code, _, err = audit()
    assert code == 1
    assert f"refund:{item_id}:1: 1 given back, 3 charged" in err
    assert "1 discrepancies." in err


def test_a_refund_of_what_was_never_charged_is_reported(user: User) -> None:
    run = Run(uuid4(), uuid4(), 1, 2)
    ledger.refund_runs(user_id=user.pk, runs=[run])
    code, _, err = audit()
    assert code == 1
    assert f"refund:{run.item_id}:1: 2 given back, 0 charged" in err


def test_the_report_ends_however_much_is_wrong(user: User, unprotected_ledger: None) -> None:
    make_batch(user, 30)
    CreditEntry.objects.filter(kind="grant").update(balance_after=99)
    CreditEntry.objects.filter(kind="charge").update(balance_after=1)
    User.objects.bulk_create(User(username=f"wrong{n}", password="!", credits=7) for n in range(80))
    code, _, err = audit()
    assert code == 1
    assert err.count("balance 7, ledger 0") == 50
    assert "and 30 entries after it are wrong too" in err
    assert "111 discrepancies." in err
