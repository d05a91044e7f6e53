"""Credits change on the admin site only with a reason, and the ledger says who did it."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from accounts.models import CreditEntry, EntryKind, User
from tests.adminpanel.pages import act, messages, page
from tests.support.books import assert_books_balance
from tests.support.rows import make_user

ADDRESS = "admin:accounts_user_credits"


def change(client: Client, users: list[User], **fields: Any) -> Any:
    given = {
        "users": ",".join(str(user.pk) for user in users),
        "change": "adjust",
        "amount": "5",
        "reason": "goodwill",
        "key": str(uuid4()),
        **fields,
    }
    return client.post(reverse(ADDRESS), given, follow=True)


@pytest.mark.parametrize(
    ("kind", "amount", "expected"),
    [("adjust", "5", 105), ("adjust", "-30", 70), ("set", "7", 7), ("set", "0", 0), ("set", "100", 100)],
)
def test_a_change_is_written_with_its_reason_and_its_author(
    browser: Client, admin: User, user: User, kind: str, amount: str, expected: int
) -> None:
    change(browser, [user], change=kind, amount=amount, reason="refund for a bad day")

    user.refresh_from_db()
    assert user.credits == expected
    entry = CreditEntry.objects.filter(user=user).first()
    assert entry is not None
    assert (entry.kind, entry.amount, entry.balance_after) == (EntryKind(kind), expected - 100, expected)
    assert (entry.actor, entry.note) == (admin, "refund for a bad day")
    assert_books_balance()


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": ""},
        {"reason": "   "},
        {"reason": "x" * 501},
        {"amount": ""},
        {"amount": "0"},
        {"amount": "many"},
        {"amount": "1.5"},
        {"amount": "1000000001"},
        {"change": "set", "amount": "-1"},
        {"change": "steal"},
        {"key": ""},
    ],
)
def test_an_incomplete_change_is_refused(browser: Client, user: User, fields: dict[str, str]) -> None:
    answer = change(browser, [user], **fields)

    assert "errornote" in answer.content.decode()
    assert CreditEntry.objects.filter(user=user).count() == 1  # the signup grant
    assert User.objects.get(pk=user.pk).credits == 100


def test_more_than_there_is_cannot_be_taken(browser: Client, user: User) -> None:
    answer = change(browser, [user], amount="-101")

    assert messages(answer) == [f"{user.username}: Not enough credits: 101 needed, 100 available."]
    assert User.objects.get(pk=user.pk).credits == 100


def test_a_form_sent_twice_changes_credits_once(browser: Client, user: User) -> None:
    key = str(uuid4())
    first, second = (change(browser, [user], key=key) for _ in range(2))

    assert messages(first) == messages(second) == ["The credits of 1 user were changed."]
    assert User.objects.get(pk=user.pk).credits == 105
    assert LogEntry.objects.filter(object_id=str(user.pk)).count() == 1


def test_many_users_are_changed_together(browser: Client, admin: User) -> None:
    users = [make_user() for _ in range(3)]
    form = act(browser, User, "change_credits", *users)
    assert all(user.username in form.content.decode() for user in users)
    assert form.context["form_action"] == reverse(ADDRESS)
    assert set(form.context["packed"].split(",")) == {str(user.pk) for user in users}

    change(browser, users, reason="new year")

    for user in users:
        user.refresh_from_db()
        entry = CreditEntry.objects.filter(user=user).first()
        assert entry is not None
        assert (user.credits, entry.amount, entry.actor, entry.note) == (105, 5, admin, "new year")
    assert_books_balance()


def test_when_one_of_many_cannot_be_changed_none_is(browser: Client) -> None:
    rich, poor = make_user(), make_user(credits=3)
    answer = change(browser, [rich, poor], amount="-4")

    assert poor.username in messages(answer)[0]
    assert set(User.objects.filter(pk__in=[rich.pk, poor.pk]).values_list("credits", flat=True)) == {100, 3}
    assert CreditEntry.objects.filter(kind=EntryKind.ADJUST).count() == 0


def test_the_history_of_the_user_tells_what_was_changed(browser: Client, user: User) -> None:
    change(browser, [user], reason="goodwill")
    html = browser.get(page(User, "history", user.pk)).content.decode()
    assert "Credits: 100 → 105. Reason: goodwill" in html


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_page_of_a_user_has_no_field_for_credits(browser: Client, user: User, method: str) -> None:
    """Posting a balance to the user's page, or to the list, changes nothing."""
    fields = {"credits": "5000", "balance": "5000", "username": "other", "is_admin": "on", "_save": "Save"}
    answer = getattr(browser, method)(page(User, "change", user.pk), fields)
    assert answer.status_code == (200 if method == "get" else 403)
    kept = User.objects.get(pk=user.pk)
    assert (kept.credits, kept.username, kept.is_admin) == (100, user.username, False)
