"""Guessing: limits by user, network, password and installation, and the way in for the real user."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import CounterKind, KnownNetwork, LoginCounter, User
from accounts.services import login_limits
from accounts.services.login import login as check
from accounts.services.login_limits import TooManyAttemptsError
from tests.support.rows import PASSWORD, client_for, make_user
from zhiying.kernel.client_address import network_of
from zhiying.kernel.errors import DomainError

HOME = "198.51.100.7"


def login(name: str, password: str = PASSWORD, address: str = HOME, **headers: Any) -> Any:
    body = {"username": name, "password": password}
    return APIClient(REMOTE_ADDR=address).post("/api/auth/login", body, **headers)


def statuses(*answers: Any) -> list[int]:
    return [answer.status_code for answer in answers]


@pytest.mark.postgresql
@pytest.mark.django_db
def test_attempts_are_limited_by_name_and_network(settings: LazySettings) -> None:
    settings.LOGIN_FAILURE_LIMIT = 3
    make_user("anna"), make_user("bert")
    assert statuses(*(login("anna", "wrong") for _ in range(3))) == [401, 401, 429]
    locked = login("Anna")
    assert locked.status_code == 429, "the right password, in another spelling of the name"
    assert locked.json()["code"] == "too_many_attempts"
    assert 0 < int(locked.headers["Retry-After"]) <= settings.LOGIN_COOLOFF_S
    assert login("bert").status_code == 200, "another name from this network"
    assert login("anna", address="203.0.113.9").status_code == 200, "this name from elsewhere"


@pytest.mark.django_db
def test_the_limit_ends_after_the_cool_off(settings: LazySettings) -> None:
    settings.LOGIN_FAILURE_LIMIT = 2
    make_user("anna")
    assert statuses(login("anna", "wrong"), login("anna", "wrong"), login("anna")) == [401, 429, 429]
    LoginCounter.objects.update(expires_at=timezone.now())
    assert login("anna").status_code == 200


@pytest.mark.django_db
def test_success_resets_the_count(settings: LazySettings) -> None:
    settings.LOGIN_FAILURE_LIMIT = 3
    make_user("anna")
    for _ in range(3):
        assert statuses(login("anna", "wrong"), login("anna", "wrong"), login("anna")) == [401, 401, 200]


@pytest.mark.django_db
def test_a_forged_address_header_buys_no_attempts(settings: LazySettings) -> None:
    settings.LOGIN_FAILURE_LIMIT = 3
    make_user("anna")
    answers = [login("anna", "wrong", HTTP_X_FORWARDED_FOR=f"192.0.{n}.1") for n in range(4)]
    assert statuses(*answers)[-1] == 429


@pytest.mark.django_db
def test_behind_proxies_the_address_is_the_one_our_own_proxy_saw(settings: LazySettings) -> None:
    settings.LOGIN_FAILURE_LIMIT = 2
    settings.NUM_PROXIES = 1
    make_user("anna")
    for number in range(3):
        login("anna", "wrong", HTTP_X_FORWARDED_FOR=f"10.0.{number}.1, 203.0.113.5")
    assert login("anna", HTTP_X_FORWARDED_FOR="10.9.9.9, 203.0.113.5").status_code == 429
    assert login("anna", HTTP_X_FORWARDED_FOR="203.0.113.5, 192.0.2.6").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("block", ["2001:db8:1:2:{:x}::1", "203.0.113.{}"])
def test_addresses_of_one_network_share_a_count(settings: LazySettings, block: str) -> None:
    settings.LOGIN_FAILURE_LIMIT = 3
    make_user("anna")
    answers = [login("anna", "wrong", block.format(number)) for number in range(3)]
    assert statuses(*answers) == [401, 401, 429]


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_user_is_limited_over_all_networks_but_gets_in_from_where_they_were_lately(
    settings: LazySettings,
) -> None:
    settings.LOGIN_USER_FAILURE_LIMIT = 4
    make_user("anna")
    assert login("anna").status_code == 200
    guesses = [login("anna", f"guess {n}", f"192.0.{n}.1") for n in range(6)]
    assert statuses(*guesses) == [401, 401, 401, 429, 429, 429]
    assert login("anna", address="203.0.113.9").status_code == 429, "the right one, from somewhere new"
    assert login("anna").status_code == 200, "from home"
    KnownNetwork.objects.update(seen_at=timezone.now() - login_limits.KNOWN_FOR - timedelta(seconds=1))
    assert login("anna").status_code == 429, "too long ago"


@pytest.mark.django_db
def test_one_password_on_many_names_is_limited_whatever_the_network(settings: LazySettings) -> None:
    settings.LOGIN_PASSWORD_FAILURE_LIMIT = 4
    users = [make_user() for _ in range(6)]
    answers = [login(user.username, "Spring-2026!", f"192.0.{n}.1") for n, user in enumerate(users)]
    assert statuses(*answers) == [401, 401, 401, 429, 429, 429]
    assert login(users[-1].username).status_code == 200, "another password"


@pytest.mark.django_db
def test_names_tried_from_one_network_are_limited_together(settings: LazySettings) -> None:
    settings.LOGIN_NETWORK_FAILURE_LIMIT = 4
    known = make_user("anna")
    assert login("anna").status_code == 200
    answers = [login(f"name{n}", f"guess {n}", f"198.51.100.{n}") for n in range(6)]
    assert statuses(*answers) == [401, 401, 401, 429, 429, 429]
    assert login(make_user().username).status_code == 429
    assert login(known.username).status_code == 200, "who was logged in from here before"


@pytest.mark.django_db
def test_an_installation_is_limited_as_a_whole(settings: LazySettings) -> None:
    settings.LOGIN_INSTALLATION_FAILURE_LIMIT = 3
    answers = [login(f"name{n}", f"guess {n}", f"192.0.{n}.1") for n in range(4)]
    assert statuses(*answers) == [401, 401, 429, 429]


@pytest.mark.django_db
@pytest.mark.parametrize("call", ["login", "refresh"])
def test_calls_without_a_token_are_limited_by_network(settings: LazySettings, call: str) -> None:
    settings.ANONYMOUS_CALLS_PER_MINUTE = 2
    body = {"username": "x", "password": "x", "refresh": "x"}
    answers = [APIClient(REMOTE_ADDR=f"192.0.2.{n}").post(f"/api/auth/{call}", body) for n in range(3)]
    assert statuses(*answers) == [401, 401, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert APIClient(REMOTE_ADDR="203.0.113.1").post(f"/api/auth/{call}", body).status_code == 401


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_guesses_sent_at_once_are_all_counted(settings: LazySettings) -> None:
    settings.LOGIN_FAILURE_LIMIT = 3
    make_user("anna")
    together, results = threading.Barrier(8, timeout=30), []

    def guess(number: int) -> None:
        try:
            together.wait()
            check(username="anna", password=f"guess {number}", address=HOME)
        except TooManyAttemptsError:
            results.append("refused")
        except DomainError:
            results.append("looked at")
        finally:
            connection.close()

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(results) == 8
    # The last of the three learns that it was the last.
    assert results.count("looked at") <= 3
    assert LoginCounter.objects.get(kind=CounterKind.PLACE).attempts == 3


@pytest.mark.django_db
def test_nothing_that_was_typed_is_kept() -> None:
    person = make_user("anna")
    login("anna", "Secret-Guess-1"), login("Secret-As-Name-2", "x")
    form = {"old_password": "Secret-Old-3", "new_password": "Secret-New-4"}
    client_for(person).post("/api/user/change-password", form, format="multipart")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  (the database's own names)
            rows = str(cursor.fetchall()).lower()
            assert "secret-" not in rows, table


@pytest.mark.django_db
def test_an_administrators_new_password_lifts_the_lock(settings: LazySettings, admin: User) -> None:
    settings.LOGIN_FAILURE_LIMIT = 1
    settings.LOGIN_USER_FAILURE_LIMIT = 1
    person = make_user("anna")
    assert statuses(login("anna", "wrong"), login("anna")) == [429, 429]
    answer = client_for(admin).post(f"/api/admin/users/{person.pk}/password", {})
    assert login("anna", answer.json()["password"]).status_code == 200


@pytest.mark.django_db
def test_what_is_out_of_date_is_removed() -> None:
    make_user("anna")
    login("anna"), login("anna", "wrong")
    assert login_limits.delete_expired() == 0
    LoginCounter.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    KnownNetwork.objects.update(seen_at=timezone.now() - login_limits.KNOWN_FOR - timedelta(seconds=1))
    login_limits.delete_expired()
    assert not LoginCounter.objects.exists()
    assert not KnownNetwork.objects.exists()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.5", "203.0.113.0/24"),
        ("203.0.113.5:4711", "203.0.113.0/24"),
        ("::ffff:203.0.113.5", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:3::4]:443", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network
