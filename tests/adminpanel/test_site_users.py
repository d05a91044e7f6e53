"""Users on the admin site: made, given passwords, deactivated, logged out; never deleted."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import CreditEntry, EntryKind, Session, User
from tests.adminpanel.pages import act, messages, page
from tests.support.rows import PASSWORD, client_for


def add(client: Client, **fields: str) -> Any:
    given = {"username": "newcomer", "password": PASSWORD, "first_credits": "7", **fields}
    return client.post(page(User, "add"), given, follow=True)


def test_a_user_is_made_with_credits_that_the_ledger_knows(browser: Client, admin: User) -> None:
    add(browser)

    user = User.objects.get(username="newcomer")
    entry = CreditEntry.objects.get(user=user)
    assert (user.credits, entry.kind, entry.amount, entry.actor) == (7, EntryKind.GRANT, 7, admin)
    assert user.check_password(PASSWORD)
    assert not user.is_admin


def test_an_empty_password_is_generated_and_shown_once(browser: Client) -> None:
    answer = add(browser, password="")

    found = re.search(r"shown only this once: (\S+)", " ".join(messages(answer)))
    assert found
    user = User.objects.get(username="newcomer")
    assert user.check_password(found.group(1))
    assert found.group(1) not in browser.get(page(User, "change", user.pk)).content.decode()


def test_the_form_begins_with_the_signup_credits(browser: Client) -> None:
    html = browser.get(page(User, "add")).content.decode()
    assert f'name="first_credits" value="{settings.SIGNUP_CREDITS}"' in html


@pytest.mark.parametrize(
    "fields",
    [
        {"username": ""},
        {"username": "no spaces please"},
        {"username": "TAKEN"},
        {"password": "12345678"},
        {"password": "newcomer1"},
        {"first_credits": "-1"},
        {"first_credits": "1000000001"},
    ],
)
def test_a_user_that_cannot_be_is_refused(browser: Client, fields: dict[str, str]) -> None:
    add(browser, username="taken")
    before = User.objects.count()
    answer = add(browser, **fields)
    assert "errornote" in answer.content.decode()
    assert User.objects.count() == before


def test_a_new_password_ends_every_session(browser: Client, user: User) -> None:
    api = client_for(user)
    assert api.get("/api/user/profile").status_code == 200
    address = reverse("admin:accounts_user_password", args=[user.pk])

    differing = browser.post(address, {"new_password": "Another-Horse-8", "again": "Another-Horse-9"})
    assert "The two passwords differ." in differing.content.decode()
    weak = browser.post(address, {"new_password": "password", "again": "password"})
    assert "errornote" in weak.content.decode()
    assert api.get("/api/user/profile").status_code == 200

    browser.post(address, {"new_password": "Another-Horse-8", "again": "Another-Horse-8"})
    user.refresh_from_db()
    assert user.check_password("Another-Horse-8")
    assert api.get("/api/user/profile").status_code == 401


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_own_password_is_not_set_without_the_old_one(browser: Client, admin: User, method: str) -> None:
    """Whoever finds an open browser would have the account for good."""
    new = {"new_password": "Another-Horse-8", "again": "Another-Horse-8"}
    answer = getattr(browser, method)(reverse("admin:accounts_user_password", args=[admin.pk]), new)
    assert answer.headers["Location"] == reverse("admin:password_change")
    admin.refresh_from_db()
    assert admin.check_password(PASSWORD)


def test_the_own_password_ends_api_sessions_but_not_this_one(browser: Client, admin: User) -> None:
    api = client_for(admin)
    fields = {
        "old_password": PASSWORD,
        "new_password1": "Another-Horse-8",
        "new_password2": "Another-Horse-8",
    }
    answer = browser.post(reverse("admin:password_change"), fields)
    assert answer.headers["Location"] == reverse("admin:password_change_done")
    assert api.get("/api/user/profile").status_code == 401
    assert browser.get(reverse("admin:index")).status_code == 200


def test_deactivating_ends_sessions_and_activating_allows_new_ones(browser: Client, user: User) -> None:
    api = client_for(user)
    address = reverse("admin:accounts_user_active", args=[user.pk])

    browser.post(address, {"active": "0"})
    assert not User.objects.get(pk=user.pk).is_active
    assert api.get("/api/user/profile").status_code == 401

    browser.post(address, {"active": "1"})
    assert User.objects.get(pk=user.pk).is_active
    assert api.get("/api/user/profile").status_code == 401  # what has ended stays so
    assert client_for(user).get("/api/user/profile").status_code == 200


def test_an_administrator_cannot_lock_themselves_out(browser: Client, admin: User, user: User) -> None:
    answer = act(browser, User, "deactivate", admin, user)
    shown = " ".join(messages(answer))
    assert "You cannot deactivate yourself." in shown
    assert "1 user was deactivated" in shown
    assert User.objects.get(pk=admin.pk).is_active
    assert not User.objects.get(pk=user.pk).is_active


def test_a_user_can_be_logged_out_everywhere(browser: Client, user: User) -> None:
    apis = [client_for(user), client_for(user)]
    act(browser, User, "log_out", user)
    assert [api.get("/api/user/profile").status_code for api in apis] == [401, 401]
    assert Session.objects.filter(user=user, revoked_at=None).count() == 0


def test_users_are_never_deleted(browser: Client, user: User) -> None:
    assert browser.post(page(User, "delete", user.pk), {"post": "yes"}).status_code == 403
    act(browser, User, "delete_selected", user)
    assert User.objects.filter(pk=user.pk).exists()


def test_users_are_found_and_filtered(browser: Client, user: User, admin: User) -> None:
    def listed(**query: str) -> set[str]:
        return {row.username for row in browser.get(page(User, "changelist"), query).context["cl"].queryset}

    assert listed(q=user.username[1:]) == {user.username}
    assert listed(is_admin__exact="1") == {admin.username}
    assert listed(created_at_last="2001-01-01") == set()
    assert listed(created_at_first="2001-01-01", created_at_last="2199-01-01") == {
        user.username,
        admin.username,
    }
