"""The audit log: what an entry says, that it comes and goes with its act, and that nothing changes it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import Error, connection, transaction
from django.utils import timezone

from accounts.models import ActingAs, AuditAction, AuditEntry, User
from accounts.services import audit_log, users
from accounts.services import credits as ledger
from tests.support.rows import make_batch, make_user
from videos.services import batches
from zhiying.kernel.origin import acting_from, request_origin

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def entry_of(action: AuditAction) -> AuditEntry:
    return AuditEntry.objects.get(action=action)


def test_an_entry_says_who_did_what_to_whom_why_and_from_where(user: User, admin: User) -> None:
    with acting_from(request_origin(request_id="abc-1", client_address="2001:db8::1")):
        ledger.adjust_credits(user_id=user.pk, delta=5, reason=" a gift ", acting_user=admin)

    entry = entry_of(AuditAction.CREDITS_ADJUST)
    assert (entry.actor, entry.actor_name, entry.acting_as) == (admin, admin.username, "administrator")
    assert (entry.target_kind, entry.target_id, entry.target_name) == ("user", str(user.pk), user.username)
    assert (entry.owner, entry.reason) == (user, "a gift")
    assert entry.details == {"amount": 5, "balance": 105}
    assert (entry.request_id, entry.client_address) == ("abc-1", "2001:db8::1")


@pytest.mark.parametrize("request_id", ["", "x" * 65, "a b", "id\n", "😀"])
@pytest.mark.parametrize("address", ["", "unknown", "1.2.3.4:80", "' OR 1"])
def test_what_is_no_id_or_address_is_not_believed(request_id: str, address: str) -> None:
    """A request that comes without an id gets one; an address is left out."""
    origin = request_origin(request_id=request_id, client_address=address)
    assert re.fullmatch("[0-9a-f]{32}", origin.request_id)
    assert origin.client_address is None


def test_a_command_is_recorded_by_its_name(user: User) -> None:
    call_command("topup_credits", user.username, 5, reason="paid")
    entry = entry_of(AuditAction.CREDITS_TOPUP)
    assert (entry.actor, entry.actor_name, entry.acting_as) == (None, "topup_credits", "command")
    assert entry.reason == "paid"


def test_a_top_up_that_was_done_before_is_not_recorded_again(user: User) -> None:
    for _ in range(2):
        ledger.top_up(user_id=user.pk, amount=5, reason="paid", key="k", acting_user=None)
    assert entry_of(AuditAction.CREDITS_TOPUP).acting_as == ActingAs.SYSTEM


def test_an_act_that_is_taken_back_leaves_no_entry(user: User, admin: User) -> None:
    before = AuditEntry.objects.count()
    with transaction.atomic():
        users.user_set_active(user=user, is_active=False, acting_user=admin)
        transaction.set_rollback(True)
    assert User.objects.get(pk=user.pk).is_active
    assert AuditEntry.objects.count() == before


def test_an_act_without_its_entry_does_not_happen(
    user: User, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, password = make_batch(user), user.password

    def fails(*args: object, **more: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(audit_log, "record", fails)
    for act in (
        lambda: users.user_set_active(user=user, is_active=False, acting_user=admin),
        lambda: users.password_set(user=user, new_password="Another-Horse-8", acting_user=admin),
        lambda: ledger.set_credits(user_id=user.pk, new_credits=1, reason="", acting_user=admin),
        lambda: batches.batch_cancel(batch=batch, acting_user=admin),
        lambda: batches.batch_delete(batch=batch, acting_user=admin),
        lambda: batches.batch_rename(batch=batch, name="other", acting_user=admin),
    ):
        with pytest.raises(RuntimeError), transaction.atomic():
            act()
    now = User.objects.get(pk=user.pk)
    assert (now.is_active, now.credits, now.password) == (True, 99, password)
    batch.refresh_from_db()
    assert (batch.status, batch.name != "other") == ("pending", True)


def test_what_owners_do_to_their_own_needs_no_entry_but_a_deletion_does(user: User) -> None:
    batch = make_batch(user)
    before = AuditEntry.objects.count()
    batches.batch_rename(batch=batch, name="mine", acting_user=user)
    batches.batch_cancel(batch=batch, acting_user=user)
    batches.batch_retry_failed(batch=batch, acting_user=user)
    assert AuditEntry.objects.count() == before
    batches.batch_delete(batch=batch, acting_user=user)
    assert entry_of(AuditAction.BATCH_DELETE).acting_as == ActingAs.OWNER


@pytest.mark.parametrize("name", ["password", "new_password", "token", "api_secret", "signing_key"])
def test_a_secret_cannot_be_a_detail(user: User, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        audit_log.record(AuditAction.USER_CREATE, acting_user=None, target=user, details={name: "x"})


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entries SET reason = 'other'",
        "DELETE FROM audit_entries",
    ],
)
def test_the_database_refuses_to_change_an_entry(user: User, change: str) -> None:
    assert AuditEntry.objects.exists()
    with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_the_database_refuses_to_empty_the_log(user: User) -> None:
    statement = {"postgresql": "TRUNCATE audit_entries", "sqlite": "DELETE FROM audit_entries"}
    with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement[connection.vendor])


@pytest.mark.parametrize("change", [lambda entry: entry.save(), lambda entry: entry.delete()])
def test_the_model_refuses_as_well(user: User, change: Callable[[AuditEntry], None]) -> None:
    entry = AuditEntry.objects.first()
    assert entry is not None
    with pytest.raises(TypeError):
        change(entry)


def test_names_are_found_by_their_beginning_in_any_case(admin: User) -> None:
    person = make_user("Änne")
    users.user_set_active(user=person, is_active=False, acting_user=admin)
    assert entry_of(AuditAction.USER_DEACTIVATE) in audit_log.entries({"search": "äN"})
    assert entry_of(AuditAction.USER_DEACTIVATE) in audit_log.entries({"search": admin.username.upper()})
    assert not audit_log.entries({"search": "nne"}).exists()
    assert not audit_log.entries({"search": "%"}).exists()


def test_a_span_of_time_is_entered_by_its_numbers_however_much_came_after(user: User) -> None:
    """The list is in the order of numbers: without a bound it walks all that is newer than the span."""
    now, per_year = timezone.now(), 1500
    AuditEntry.objects.bulk_create(
        AuditEntry(
            created_at=now + timedelta(days=365 * year, seconds=number),
            acting_as=ActingAs.SYSTEM,
            action=AuditAction.USER_GROUP,
            target_kind="user",
            target_id=f"{year}-{number}",
        )
        for year in (1, 2, 3)
        for number in range(per_year)
    )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE audit_entries")
    day = timezone.localdate(now + timedelta(days=365 * 2))
    for filters, bound in (
        ({"date_to": day}, "<="),
        ({"date_from": day - timedelta(days=9), "date_to": day + timedelta(days=9)}, "<="),
        ({"date_from": day - timedelta(days=9)}, ">="),
    ):
        found = audit_log.entries(filters)
        entered = {
            "postgresql": rf"Index Cond: .*number {bound} \d",
            "sqlite": rf"PRIMARY KEY \(.*rowid{bound[0]}\?",
        }
        assert re.search(entered[connection.vendor], found[:50].explain()), found[:50].explain()
    assert audit_log.entries({"date_to": day})[0].target_id.startswith("2-")
    assert not audit_log.entries({"date_from": day + timedelta(days=999)}).exists()
    assert not audit_log.entries({"date_to": day - timedelta(days=999)}).exists()
