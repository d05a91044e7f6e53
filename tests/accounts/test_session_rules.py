"""How sessions end, who may send a refresh token twice, and keys that change."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import jwt
import pytest
from django.conf import LazySettings
from django.contrib.auth import authenticate
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Session, User
from accounts.services import login, sessions, users
from tests.support.parallel import all_at_once
from tests.support.rows import PASSWORD, UserClient, client_for, make_user
from videos.store.urls import is_valid, media_path

pytestmark = pytest.mark.django_db

PROFILE = "/api/user/profile"
FIREFOX: dict[str, Any] = {"HTTP_USER_AGENT": "Firefox", "REMOTE_ADDR": "198.51.100.7"}
OTHERS = [
    pytest.param({**FIREFOX, "HTTP_USER_AGENT": "curl"}, id="another browser"),
    pytest.param({**FIREFOX, "REMOTE_ADDR": "203.0.113.9"}, id="another network"),
]


def refresh(raw: str, client: dict[str, Any] = FIREFOX) -> Any:
    return APIClient(**client).post("/api/auth/refresh", {"refresh": raw})


def works(client: APIClient) -> bool:
    return bool(client.get(PROFILE).status_code == 200)


def after(monkeypatch: pytest.MonkeyPatch, span: timedelta) -> None:
    """The application's clock is ahead from now on."""
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + span)


def test_two_tabs_of_one_client_get_the_same_tokens(user: User) -> None:
    client = client_for(user)
    first, second = refresh(client.tokens.refresh), refresh(client.tokens.refresh)
    assert (first.status_code, second.status_code) == (200, 200)
    assert {name: first.json()[name] for name in ("token", "refresh")} == {
        name: second.json()[name] for name in ("token", "refresh")
    }
    assert refresh(second.json()["refresh"]).status_code == 200


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_refreshes_at_once_give_one_pair_of_tokens(user: User) -> None:
    raw = client_for(user).tokens.refresh
    together, pairs = threading.Barrier(6, timeout=30), []

    def run() -> None:
        try:
            together.wait()
            pairs.append(sessions.session_refresh(raw, client="tab")[1])
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(pairs) == 6
    assert len({(pair.access, pair.refresh) for pair in pairs}) == 1


OVERTAKEN_BY: dict[str, Callable[[User], object]] = {
    "another password": lambda user: users.password_set(
        user=user, new_password="another-horse-88", acting_user=None
    ),
    "deactivation": lambda user: users.user_set_active(user=user, is_active=False, acting_user=None),
    "the end of all sessions": lambda user: users.sessions_end(user=user, acting_user=None),
}


@pytest.mark.parametrize("meanwhile", OVERTAKEN_BY.values(), ids=OVERTAKEN_BY)
def test_a_log_in_whose_password_was_checked_before_all_sessions_ended_opens_none(
    user: User, meanwhile: Callable[[User], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords_left(user, meanwhile, monkeypatch)
    answer = APIClient().post("/api/auth/login", {"username": user.username, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    assert not Session.objects.exists()


@pytest.mark.parametrize("meanwhile", OVERTAKEN_BY.values(), ids=OVERTAKEN_BY)
def test_a_change_of_the_password_whose_old_one_was_checked_before_changes_nothing(
    user: User, meanwhile: Callable[[User], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_for(user)
    left = passwords_left(user, meanwhile, monkeypatch)
    words = {"old_password": PASSWORD, "new_password": "third-horse-99"}
    answer = client.post("/api/user/change-password", words)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    assert [User.objects.get(pk=user.pk).password] == left


def passwords_left(
    user: User, meanwhile: Callable[[User], object], monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Does something right after each check of a password; the hashes that it leaves."""
    left: list[str] = []

    def check(**given: Any) -> Any:
        found = authenticate(**given)
        meanwhile(User.objects.get(pk=user.pk))
        left.append(User.objects.get(pk=user.pk).password)
        return found

    monkeypatch.setattr(login, "authenticate", check)
    return left


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_log_ins_beside_a_change_of_the_password_none_survives_it(user: User) -> None:
    checked = [User.objects.get(pk=user.pk) for _ in range(8)]
    change = partial(users.password_set, user=user, new_password="another-horse-88", acting_user=None)
    _, *begun = all_at_once([change, *(partial(sessions.session_start, one) for one in checked)])
    refused = sum(isinstance(one, sessions.WrongCredentialsError) for one in begun)
    assert refused + sum(isinstance(one, sessions.Tokens) for one in begun) == len(checked)
    assert Session.objects.count() == len(checked) - refused
    assert not Session.objects.filter(revoked_at=None).exists()


@pytest.mark.parametrize("other", OTHERS)
def test_a_second_use_by_somebody_else_ends_the_session(user: User, other: dict[str, str]) -> None:
    client = client_for(user)
    fresh = refresh(client.tokens.refresh).json()
    stolen = refresh(client.tokens.refresh, other)
    assert (stolen.status_code, stolen.json()["code"]) == (401, "token_used")
    assert not works(client)
    assert refresh(fresh["refresh"]).status_code == 401


def test_a_second_use_after_the_next_token_was_used_ends_the_session(user: User) -> None:
    client = client_for(user)
    fresh = refresh(client.tokens.refresh).json()
    assert refresh(fresh["refresh"]).status_code == 200
    assert refresh(client.tokens.refresh).json()["code"] == "token_used"
    assert not works(client)


def test_a_second_use_later_ends_the_session(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_for(user)
    refresh(client.tokens.refresh)
    after(monkeypatch, sessions.REPLAY_GRACE + timedelta(seconds=1))
    assert refresh(client.tokens.refresh).json()["code"] == "token_used"
    assert not works(client)


def test_a_session_has_an_absolute_end(user: User, settings: LazySettings) -> None:
    settings.SESSION_MAX_LIFETIME_S = 90 * 86_400
    raw = client_for(user).tokens.refresh
    Session.objects.update(created_at=timezone.now() - timedelta(days=90) + timedelta(hours=1))
    answer = refresh(raw).json()
    assert 3500 < answer["expires_in"] <= 3600, "an access token does not outlive its session"
    session = Session.objects.get()
    assert session.expires_at == session.created_at + timedelta(days=90)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer['token']}")
    assert works(client)
    Session.objects.update(expires_at=timezone.now())
    assert not works(client)
    assert refresh(answer["refresh"]).status_code == 401


# --- Keys ------------------------------------------------------------------------------------------

OLD, NEW, OTHER = "old-key-" * 6, "new-key-" * 6, "other-key-" * 6


def test_signing_keys_change_without_logging_anybody_out(user: User, settings: LazySettings) -> None:
    settings.JWT_SIGNING_KEYS = [OLD]
    client = client_for(user)
    settings.JWT_SIGNING_KEYS = [NEW, OLD]
    assert works(client)
    fresh = refresh(client.tokens.refresh).json()
    assert jwt.decode(fresh["token"], NEW, algorithms=["HS256"])["sid"]
    settings.JWT_SIGNING_KEYS = [NEW]
    assert not works(client), "the old key is believed no more"
    after_change = APIClient()
    after_change.credentials(HTTP_AUTHORIZATION=f"Bearer {fresh['token']}")
    assert works(after_change)


def test_a_token_of_an_unknown_key_is_refused(user: User, settings: LazySettings) -> None:
    settings.JWT_SIGNING_KEYS = [OTHER]
    client = client_for(user)
    settings.JWT_SIGNING_KEYS = [NEW, OLD]
    assert not works(client)
    assert refresh(client.tokens.refresh).status_code == 401


def test_an_expired_token_of_an_old_key_is_refused(user: User, settings: LazySettings) -> None:
    settings.JWT_SIGNING_KEYS = [NEW, OLD]
    session = Session.objects.create(
        user=user, refresh_jti="x", expires_at=timezone.now() + timedelta(days=1)
    )
    claims = {"sid": str(session.pk), "user_id": str(user.pk), "jti": "y", "token_type": "access"}
    for ends_in, good in ((60, True), (-60, False)):
        moment = timezone.now() + timedelta(seconds=ends_in)
        raw = jwt.encode({**claims, "exp": moment}, OLD, algorithm="HS256")
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {raw}")
        assert works(client) is good


def test_media_links_of_an_earlier_key_live_on(settings: LazySettings) -> None:
    settings.MEDIA_SIGNING_KEYS = [OLD]
    token = media_path("a/b.mp4").split("/")[2]
    settings.MEDIA_SIGNING_KEYS = [NEW, OLD]
    assert is_valid(token, "a/b.mp4")
    assert media_path("a/b.mp4").split("/")[2] != token
    settings.MEDIA_SIGNING_KEYS = [NEW]
    assert not is_valid(token, "a/b.mp4")


# --- The admin site --------------------------------------------------------------------------------


@pytest.fixture
def boss_browser() -> tuple[User, Client]:
    boss, browser = make_user("boss", is_admin=True), Client()
    browser.post(reverse("admin:login"), {"username": "boss", "password": PASSWORD, "next": "/admin/"})
    assert browser.get(reverse("admin:index")).status_code == 200
    return boss, browser


def test_sessions_of_the_admin_site_end_with_deactivation_for_good(
    boss_browser: tuple[User, Client], admin: User
) -> None:
    boss, browser = boss_browser
    for active in (False, True):
        users.user_set_active(user=boss, is_active=active, acting_user=admin)
    assert browser.get(reverse("admin:index")).status_code == 302


def test_sessions_of_the_admin_site_end_when_all_are_ended(
    boss_browser: tuple[User, Client], admin: User
) -> None:
    boss, browser = boss_browser
    users.sessions_end(user=boss, acting_user=admin)
    assert browser.get(reverse("admin:index")).status_code == 302


def test_sessions_of_the_admin_site_end_with_a_changed_password(boss_browser: tuple[User, Client]) -> None:
    boss, browser = boss_browser
    api: UserClient = client_for(boss)
    form = {"old_password": PASSWORD, "new_password": "Battery-Staple-8"}
    assert api.post("/api/user/change-password", form).status_code == 200
    assert browser.get(reverse("admin:index")).status_code == 302
    assert works(api)


def test_whoever_changes_their_password_on_the_admin_site_stays(boss_browser: tuple[User, Client]) -> None:
    _boss, browser = boss_browser
    new = "Battery-Staple-8"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert browser.post(reverse("admin:password_change"), form).status_code == 302
    assert browser.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("meanwhile", OVERTAKEN_BY.values(), ids=OVERTAKEN_BY)
def test_a_change_on_the_admin_site_that_was_overtaken_changes_nothing(
    boss_browser: tuple[User, Client], meanwhile: Callable[[User], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    boss, browser = boss_browser
    left = passwords_left(boss, meanwhile, monkeypatch)
    form = {"old_password": PASSWORD, "new_password1": "third-horse-99", "new_password2": "third-horse-99"}
    assert browser.post(reverse("admin:password_change"), form).status_code == 200
    assert [User.objects.get(pk=boss.pk).password] == left


def test_sessions_of_the_admin_site_survive_a_changed_secret_key(
    boss_browser: tuple[User, Client], settings: LazySettings
) -> None:
    _boss, browser = boss_browser
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = NEW
    assert browser.get(reverse("admin:index")).status_code == 200


def test_the_old_password_cannot_be_guessed_on_the_admin_site(
    boss_browser: tuple[User, Client], settings: LazySettings
) -> None:
    settings.LOGIN_FAILURE_LIMIT = 2
    boss, browser = boss_browser
    new = "Battery-Staple-8"
    for old in ("guess 1", "guess 2", PASSWORD):
        form = {"old_password": old, "new_password1": new, "new_password2": new}
        assert browser.post(reverse("admin:password_change"), form).status_code == 200
    boss.refresh_from_db()
    assert boss.check_password(PASSWORD)
