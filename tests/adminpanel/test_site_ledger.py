"""The ledger on the admin site: complete, unchangeable, exported as it is filtered."""

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import CreditEntry, User
from accounts.services import credits as ledger
from tests.adminpanel.pages import act, page
from tests.support.rows import make_batch, make_user

EXPORT = "export"


def export(client: Client, **query: str) -> list[dict[str, str]]:
    """The exported rows by column name."""
    answer = client.get(page(CreditEntry, EXPORT), query)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert isinstance(answer, StreamingHttpResponse)  # a ledger of any length fits in memory
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_entries_can_be_neither_added_nor_changed_nor_deleted(browser: Client, user: User) -> None:
    entry = CreditEntry.objects.get(user=user)
    fields = {"amount": "1000", "user": str(user.pk), "kind": "topup", "post": "yes"}
    for name, args in (("add", ()), ("change", (entry.pk,)), ("delete", (entry.pk,))):
        assert browser.post(page(CreditEntry, name, *args), fields).status_code == 403
    act(browser, CreditEntry, "delete_selected", entry)
    kept = CreditEntry.objects.get(user=user)
    assert (kept.pk, kept.amount, kept.balance_after) == (entry.pk, 100, 100)


@pytest.mark.parametrize(
    "write",
    [
        lambda entries: entries.update(amount=7),
        lambda entries: entries._raw_delete(entries.db),
        lambda entries: CreditEntry.objects.bulk_update([entries.get()], ["note"]),
    ],
    ids=["update", "delete", "bulk_update"],
)
def test_the_database_refuses_too(user: User, write: Callable[[Any], object]) -> None:
    """Whatever a page forgot: no code gets past the triggers."""
    entries = CreditEntry.objects.filter(user=user)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        write(entries)
    assert CreditEntry.objects.get(user=user).amount == 100


EMPTYING = {
    "postgresql": ("TRUNCATE credit_entries", "TRUNCATE users CASCADE"),
    "sqlite": ("DELETE FROM credit_entries",),
}


@pytest.mark.postgresql
def test_the_table_cannot_be_emptied(user: User) -> None:
    connection.check_constraints()  # PostgreSQL truncates nothing while a check is outstanding
    for statement in EMPTYING[connection.vendor]:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            connection.cursor().execute(statement)
    assert CreditEntry.objects.get(user=user).amount == 100


def test_the_export_holds_every_entry_with_all_that_is_known(
    browser: Client, admin: User, user: User
) -> None:
    batch = make_batch(user, 1, name="晨会播报")
    ledger.adjust_credits(user_id=user.pk, delta=-9, reason="含逗号, “引号”\n与换行", acting_user=admin)

    rows = export(browser)

    assert [row["number"] for row in rows] == [
        str(entry.number) for entry in CreditEntry.objects.order_by("-number")
    ]
    newest, charge = rows[0], rows[1]
    assert (newest["user"], newest["kind"], newest["amount"]) == (user.username, "adjust", "-9")
    assert (newest["balance_after"], newest["administrator"]) == ("90", admin.username)
    assert newest["note"] == "含逗号, “引号”\n与换行"
    assert (charge["kind"], charge["note"], charge["amount"]) == ("charge", "晨会播报", "-1")
    assert (charge["batch_id"], charge["item_id"]) == (str(batch.pk), str(batch.items.get().pk))
    written = datetime.fromisoformat(charge["created_at"])
    assert abs(written - CreditEntry.objects.get(number=charge["number"]).created_at) < timedelta(seconds=1)


@pytest.mark.parametrize("note", ['=HYPERLINK("http://x")', "+1", "-2+3", "@SUM(A1)", "\t=1", "=1"])
def test_a_note_never_becomes_a_formula(browser: Client, admin: User, user: User, note: str) -> None:
    ledger.set_credits(user_id=user.pk, new_credits=3, reason=f"x{note}", acting_user=admin)
    CreditEntry.objects.bulk_create(
        [
            CreditEntry(
                user=user, kind="set", amount=0, balance_after=3, operation_key=f"set:{note}", note=note
            )
        ]
    )
    exported = export(browser)[0]["note"]
    assert exported == f"'{note}"
    assert export(browser)[1]["note"] == f"x{note}".strip()


def test_the_export_follows_the_filters_of_the_list(browser: Client, user: User) -> None:
    other = make_user(credits=5)
    make_batch(user, 2)

    assert len(export(browser)) == CreditEntry.objects.count() == 5
    assert {row["user"] for row in export(browser, user=str(other.pk))} == {other.username}
    assert {row["kind"] for row in export(browser, kind__exact="charge")} == {"charge"}
    assert [row["user"] for row in export(browser, q=other.username)] == [other.username]
    days = [
        timezone.localdate(made_at) for made_at in CreditEntry.objects.values_list("created_at", flat=True)
    ]
    first, last = min(days), max(days)  # one day, unless it has just ended
    assert len(export(browser, created_at_first=str(first), created_at_last=str(last))) == 5
    assert export(browser, created_at_last=str(first - timedelta(days=1))) == []
    assert export(browser, created_at_first=str(last + timedelta(days=1))) == []


def test_an_impossible_filter_leads_back_to_the_list(browser: Client) -> None:
    answer = browser.get(page(CreditEntry, EXPORT), {"created_at_first": "yesterday"})
    assert answer.headers["Location"] == f"{page(CreditEntry, 'changelist')}?e=1"


def test_the_export_costs_the_same_queries_however_long_it_is(browser: Client, user: User) -> None:
    counts = []
    for images in (1, 30):
        make_batch(user, images)
        with CaptureQueriesContext(connection) as captured:
            export(browser)
        counts.append(len(captured))
    assert counts[0] == counts[1]
