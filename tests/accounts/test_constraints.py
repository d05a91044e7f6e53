"""Each rule that the database itself enforces on users and entries."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import CreditEntry, User
from tests.support.rows import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def insert_entry(user: User, **values: Any) -> CreditEntry:
    defaults = {"kind": "topup", "amount": 1, "balance_after": 1, "operation_key": f"test:{uuid4()}"}
    return CreditEntry.objects.create(user=user, **{**defaults, **values})


def test_a_proper_entry_is_taken(user: User) -> None:
    assert insert_entry(user).pk


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("credit_entry_kind_known", {"kind": "gift"}),
        ("balance_after_not_negative", {"balance_after": -1}),
        ("credit_entry_sign_fits_kind", {"kind": "charge", "amount": 1}),
        ("credit_entry_sign_fits_kind", {"kind": "charge", "amount": 0}),
        ("credit_entry_sign_fits_kind", {"kind": "refund", "amount": -1}),
        ("credit_entry_sign_fits_kind", {"kind": "topup", "amount": 0}),
    ],
)
def test_the_database_refuses_impossible_entries(user: User, constraint: str, values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        insert_entry(user, **values)


def test_an_operation_key_is_used_once(user: User) -> None:
    insert_entry(user, operation_key="once")
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_entry(make_user(), operation_key="once")


def test_credits_cannot_become_negative(user: User) -> None:
    with (
        pytest.raises(IntegrityError, match="credits_not_negative"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE users SET credits = -1")


@pytest.mark.parametrize("name", ["somebody", "SomeBody", "SOMEBODY"])
def test_user_names_differ_in_more_than_case(name: str) -> None:
    make_user("somebody")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username=name, password="!")
