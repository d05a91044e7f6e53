"""Logging in and out, tokens, and passwords."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Session, User
from tests.support.rows import PASSWORD, UserClient, client_for, make_user

pytestmark = pytest.mark.django_db

PROFILE = "/api/user/profile"
NEW_PASSWORD = "Battery-Staple-8"


def login(name: str, password: str = PASSWORD, **headers: Any) -> Any:
    return APIClient().post("/api/auth/login", {"username": name, "password": password}, **headers)


def refresh(raw: str) -> Any:
    return APIClient().post("/api/auth/refresh", {"refresh": raw})


def works(client: APIClient) -> bool:
    answer = client.get(PROFILE)
    assert answer.status_code in {200, 401}
    return bool(answer.status_code == 200)


@pytest.mark.parametrize("format_", ["json", "multipart"])
def test_login_answers_a_token_and_the_user(user: User, format_: str) -> None:
    body = {"username": user.username, "password": PASSWORD}
    answer = APIClient().post("/api/auth/login", body, format=format_)
    assert answer.status_code == 200
    data = answer.json()
    assert data["user_info"]["id"] == str(user.pk)
    assert data["user_info"]["username"] == user.username
    assert data["user_info"]["credits"] == 100
    assert data["user_info"]["isAdmin"] is False
    assert data["expires_in"] > 0
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {data['token']}")
    assert works(client)


def test_the_case_of_a_user_name_does_not_matter() -> None:
    make_user("Anna")
    assert login("aNNa").status_code == 200


@pytest.mark.parametrize(("name", "password"), [("anna", "wrong"), ("nobody", PASSWORD)])
def test_a_wrong_name_and_a_wrong_password_are_not_told_apart(name: str, password: str) -> None:
    make_user("anna")
    answer = login(name, password)
    assert answer.status_code == 401
    assert answer.json()["code"] == "invalid_credentials"
    assert answer.json()["detail"] == login("anna", "other").json()["detail"]


def test_an_unknown_user_costs_a_hash_too(monkeypatch: pytest.MonkeyPatch) -> None:
    make_user("anna")
    hashed: list[str] = []
    original = Argon2PasswordHasher.encode

    def encode(self: Any, password: str, salt: str) -> str:
        hashed.append(password)
        return original(self, password, salt)

    monkeypatch.setattr(Argon2PasswordHasher, "encode", encode)
    login("nobody", "some password")
    assert hashed == ["some password"]


def test_a_deactivated_user_cannot_log_in(user: User) -> None:
    User.objects.update(is_active=False)
    assert login(user.username).status_code == 401


# --- Tokens ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Bearer a.b.c", "Basic dXNlcjpwYXNz", "Bearer \u00e9", "Bearer a b"]
)
def test_without_a_good_token_the_answer_is_401_and_says_why(db: None, header: str) -> None:
    answer = APIClient().get(PROFILE, HTTP_AUTHORIZATION=header)
    assert answer.status_code == 401
    assert set(answer.json()) >= {"detail", "code"}
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_refresh_gives_new_tokens(user: User) -> None:
    old = client_for(user)
    answer = refresh(old.tokens.refresh)
    assert answer.status_code == 200
    assert answer.json()["user_info"]["username"] == user.username
    assert answer.json()["refresh"] != old.tokens.refresh
    assert refresh(answer.json()["refresh"]).status_code == 200


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(user: User) -> None:
    client = client_for(user)
    assert refresh(client.tokens.access).status_code == 401
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {client.tokens.refresh}")
    assert not works(client)


@pytest.mark.parametrize("raw", ["", "x", "a.b.c", "\u0000", "é" * 100])
def test_what_is_no_token_is_refused(db: None, raw: str) -> None:
    answer = refresh(raw)
    assert answer.status_code in {400, 401}
    assert set(answer.json()) >= {"detail", "code"}


def test_an_expired_session_ends(user: User) -> None:
    client = client_for(user)
    Session.objects.update(expires_at=timezone.now())
    assert not works(client)
    assert refresh(client.tokens.refresh).status_code == 401


def test_logging_out_ends_this_session_alone(user: User) -> None:
    here, there = client_for(user), client_for(user)
    assert here.post("/api/auth/logout").json() == {"success": True}
    assert not works(here)
    assert refresh(here.tokens.refresh).status_code == 401
    assert works(there)


def test_logging_out_everywhere_ends_all(user: User) -> None:
    here, there, other = client_for(user), client_for(user), client_for(make_user())
    assert here.post("/api/auth/logout_all").status_code == 200
    assert (works(here), works(there), works(other)) == (False, False, True)


# --- Passwords -------------------------------------------------------------------------------------


def change(client: APIClient, old: str, new: str, format_: str = "multipart") -> Any:
    body = {"old_password": old, "new_password": new}
    return client.post("/api/user/change-password", body, format=format_)


@pytest.mark.parametrize("format_", ["multipart", "json"])
def test_changing_the_password_ends_every_other_session(user: User, format_: str) -> None:
    here, there = client_for(user), client_for(user)
    assert change(here, PASSWORD, NEW_PASSWORD, format_).json() == {"success": True}
    assert works(here)
    assert not works(there)
    assert refresh(there.tokens.refresh).status_code == 401
    assert refresh(here.tokens.refresh).status_code == 200
    assert login(user.username).status_code == 401
    assert login(user.username, NEW_PASSWORD).status_code == 200


def test_the_old_password_cannot_be_guessed_with_a_stolen_token(user: User, settings: LazySettings) -> None:
    settings.LOGIN_FAILURE_LIMIT = 3
    thief = client_for(user)
    codes = [change(thief, f"guess {number}", NEW_PASSWORD).json()["code"] for number in range(3)]
    assert codes == ["wrong_password", "wrong_password", "too_many_attempts"]
    late = change(thief, PASSWORD, NEW_PASSWORD)
    assert late.status_code == 429
    assert 0 < int(late.headers["Retry-After"]) <= 900
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_the_right_old_password_clears_earlier_mistakes(user: User, settings: LazySettings) -> None:
    settings.LOGIN_FAILURE_LIMIT = 3
    client = client_for(user)
    assert [change(client, "wrong", NEW_PASSWORD).status_code for _ in range(2)] == [400, 400]
    assert change(client, PASSWORD, NEW_PASSWORD).status_code == 200
    assert [change(client, "wrong", PASSWORD).status_code for _ in range(2)] == [400, 400]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [("wrong", NEW_PASSWORD, "wrong_password"), (PASSWORD, "12345678", "weak_password")],
)
def test_a_refused_change_changes_nothing(user: User, old: str, new: str, code: str) -> None:
    here, there = client_for(user), client_for(user)
    answer = change(here, old, new)
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert works(there)
    assert login(user.username).status_code == 200


def test_a_password_keeps_its_spaces(user: User) -> None:
    assert change(client_for(user), PASSWORD, f" {NEW_PASSWORD} ").status_code == 200
    assert login(user.username, NEW_PASSWORD).status_code == 401
    assert login(user.username, f" {NEW_PASSWORD} ").status_code == 200


# --- Users who are gone ----------------------------------------------------------------------------


@pytest.fixture
def gone(request: pytest.FixtureRequest) -> UserClient:
    """A client whose user was deactivated, or deleted (possible only without a ledger)."""
    user = make_user(credits=0)
    client = client_for(user)
    if request.param == "deactivated":
        client_for(make_user(is_admin=True)).patch(f"/api/admin/users/{user.pk}", {"is_active": False})
    else:
        user.delete()
    return client


@pytest.mark.parametrize("gone", ["deactivated", "deleted"], indirect=True)
def test_tokens_of_users_who_are_gone_stop_working(gone: UserClient) -> None:
    assert not works(gone)
    answer = refresh(gone.tokens.refresh)
    assert answer.status_code == 401
    assert answer.json()["code"]


def test_a_session_does_not_come_back_with_its_user(user: User, client_of_admin: APIClient) -> None:
    client = client_for(user)
    for active in (False, True):
        client_of_admin.patch(f"/api/admin/users/{user.pk}", {"is_active": active}, format="json")
    assert not works(client)
    assert login(user.username).status_code == 200


# --- The own ledger --------------------------------------------------------------------------------


def test_the_profile_shows_the_newest_credits(user: User) -> None:
    client = client_for(user)
    User.objects.filter(pk=user.pk).update(credits=42)
    assert client.get(PROFILE).json()["credits"] == 42
