"""Too many wrong passwords: a page for people at the admin site, JSON for clients of the API."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import CounterKind, LoginCounter, User
from tests.adminpanel.pages import act, messages
from tests.support.rows import PASSWORD, make_user

WRONG = "Wrong-Horse-1"


def log_in(client: Client, name: str, password: str) -> Any:
    fields = {"username": name, "password": password, "next": reverse("admin:index")}
    return client.post(reverse("admin:login"), fields)


def lock(client: Client, name: str) -> Any:
    """Guess until it is refused."""
    for _ in range(settings.LOGIN_FAILURE_LIMIT + 1):
        answer = log_in(client, name, WRONG)
        if answer.status_code == 429:
            return answer
    pytest.fail("never locked")


@pytest.fixture
def stranger(db: None) -> Client:
    return Client(headers={"accept-language": "en"})


def test_the_right_password_lets_in_whatever_the_case_of_the_name(stranger: Client) -> None:
    make_user("Zhang.San", is_admin=True)
    assert log_in(stranger, " zhang.san ", PASSWORD).headers["Location"] == reverse("admin:index")


def test_users_who_are_no_administrators_are_not_let_in(stranger: Client, user: User) -> None:
    assert log_in(stranger, user.username, PASSWORD).status_code == 200
    assert stranger.get(reverse("admin:index")).status_code == 302


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "Too many attempts to log in."), ("zh-hans", "登录尝试次数过多")]
)
def test_somebody_who_guesses_reads_a_page(admin: User, language: str, sentence: str) -> None:
    answer = lock(Client(headers={"accept-language": language}), admin.username)

    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= settings.LOGIN_COOLOFF_S
    assert answer.headers["Content-Type"].startswith("text/html")
    html = answer.content.decode()
    assert sentence in html
    assert f'<html lang="{language}"' in html


def test_the_right_password_does_not_help_while_it_is_locked(stranger: Client, admin: User) -> None:
    lock(stranger, admin.username)
    assert log_in(stranger, admin.username, PASSWORD).status_code == 429
    assert log_in(stranger, admin.username.upper(), PASSWORD).status_code == 429


def test_both_ways_in_share_one_count_and_clients_get_json(stranger: Client, admin: User) -> None:
    lock(stranger, admin.username)
    answer = stranger.post("/api/auth/login", {"username": admin.username, "password": PASSWORD})
    assert answer.status_code == 429
    assert answer.json()["code"] == "too_many_attempts"
    assert int(answer.headers["Retry-After"]) > 0


def test_guessing_at_the_api_is_answered_in_json(stranger: Client, user: User) -> None:
    for _ in range(settings.LOGIN_FAILURE_LIMIT + 1):
        answer = stranger.post("/api/auth/login", {"username": user.username, "password": WRONG})
        assert answer.headers["Content-Type"] == "application/json"
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")


def test_others_are_not_locked_out_with_them(stranger: Client, admin: User) -> None:
    other = make_user(is_admin=True)
    lock(stranger, admin.username)
    assert log_in(stranger, other.username, PASSWORD).status_code == 302
    from_elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    assert log_in(from_elsewhere, admin.username, PASSWORD).status_code == 302


def test_an_administrator_can_let_them_in_again(stranger: Client, browser: Client, user: User) -> None:
    locked = make_user(is_admin=True)
    lock(stranger, locked.username)
    row = LoginCounter.objects.get(user=locked, kind=CounterKind.PLACE)
    assert row.attempts >= settings.LOGIN_FAILURE_LIMIT

    assert messages(act(browser, LoginCounter, "unlock", row)) == ["1 record was removed."]
    assert log_in(stranger, locked.username, PASSWORD).status_code == 302
