"""TOTP of administrators: set up, asked for, never good twice, and recovered from."""

import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry, RecoveryCode, TotpDevice, User
from tests.support.rows import PASSWORD, UserClient, client_for, make_batch

pytestmark = pytest.mark.django_db

TOTP = "/api/user/totp"


@pytest.fixture(autouse=True)
def _optional(settings: LazySettings) -> None:
    settings.ADMIN_TOTP = "optional"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Goes forward when it is told to, so that each code is a new one."""
    now, ahead = timezone.now, [timedelta(0)]
    monkeypatch.setattr(timezone, "now", lambda: now() + ahead[0])

    def forward(seconds: int = 60) -> None:
        ahead[0] += timedelta(seconds=seconds)

    return forward


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).at(timezone.now())


def enrol(client: APIClient) -> tuple[str, list[str]]:
    """Set up the second factor; the secret and the recovery codes."""
    begun = client.post(TOTP, {"password": PASSWORD})
    assert begun.status_code == 200, begun.content
    secret = begun.json()["secret"]
    confirmed = client.post(f"{TOTP}/confirm", {"code": code_of(secret)})
    assert confirmed.status_code == 200, confirmed.content
    return secret, confirmed.json()["recovery_codes"]


def login(user: User, otp: str = "", password: str = PASSWORD) -> Any:
    body = {"username": user.username, "password": password, **({"otp": otp} if otp else {})}
    return APIClient().post("/api/auth/login", body)


def test_a_second_factor_is_set_up_and_then_asked_for(
    client_of_admin: UserClient, admin: User, clock: Any
) -> None:
    elsewhere = client_for(admin)
    begun = client_of_admin.post(TOTP, {"password": PASSWORD}).json()
    assert begun["uri"].startswith(f"otpauth://totp/ZhiYing:{admin.username}?secret={begun['secret']}")
    assert re.match(r"<svg .*</svg>", begun["qr_svg"], re.DOTALL)
    assert login(admin).status_code == 200, "not before it is confirmed"

    secret, codes = enrol(client_of_admin)
    assert len(set(codes)) == 10
    assert elsewhere.get("/api/user/profile").status_code == 401, "other sessions end"
    assert client_of_admin.get(TOTP).json() == {
        "policy": "optional",
        "enabled": True,
        "recovery_codes_left": 10,
    }
    clock()
    missing = login(admin)
    assert (missing.status_code, missing.json()["code"]) == (401, "otp_required")
    wrong = login(admin, "000000")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "otp_invalid")
    assert login(admin, code_of(secret)).status_code == 200
    assert AuditEntry.objects.filter(action="user.totp_on", actor=admin).count() == 1


def test_a_wrong_password_does_not_tell_that_a_code_is_wanted(
    client_of_admin: UserClient, admin: User
) -> None:
    enrol(client_of_admin)
    assert login(admin, password="wrong").json()["code"] == "invalid_credentials"


def test_no_code_works_twice_nor_an_earlier_one(client_of_admin: UserClient, admin: User, clock: Any) -> None:
    secret, _codes = enrol(client_of_admin)
    assert login(admin, code_of(secret)).status_code == 401, "the code that confirmed it"
    clock()
    before = code_of(secret)
    clock(30)
    code = code_of(secret)
    assert login(admin, code).status_code == 200
    assert login(admin, code).json()["code"] == "otp_invalid"
    assert login(admin, before).json()["code"] == "otp_invalid"


def test_codes_of_clocks_that_are_off_by_a_step_are_accepted_and_no_others(
    client_of_admin: UserClient, admin: User, clock: Any
) -> None:
    secret, _codes = enrol(client_of_admin)
    clock(300)
    for seconds, status in ((-90, 401), (90, 401), (-30, 200), (30, 200)):
        code = pyotp.TOTP(secret).at(timezone.now() + timedelta(seconds=seconds))
        assert login(admin, code).status_code == status, seconds


def test_a_recovery_code_works_once(client_of_admin: UserClient, admin: User) -> None:
    _secret, codes = enrol(client_of_admin)
    assert login(admin, codes[0].upper().replace("-", " ")).status_code == 200
    assert login(admin, codes[0]).json()["code"] == "otp_invalid"
    assert client_of_admin.get(TOTP).json()["recovery_codes_left"] == 9


def test_guessing_codes_is_limited_like_guessing_passwords(
    client_of_admin: UserClient, admin: User, settings: LazySettings
) -> None:
    settings.LOGIN_FAILURE_LIMIT = 3
    _secret, codes = enrol(client_of_admin)
    answers = []
    for number in range(3):
        assert login(admin).json()["code"] == "otp_required", "knowing the password resets nothing"
        answers.append(login(admin, f"00000{number}").status_code)
    assert answers == [401, 401, 429]
    assert login(admin, codes[0]).status_code == 429


def test_secret_and_codes_are_not_stored_as_they_are(client_of_admin: UserClient, admin: User) -> None:
    secret, codes = enrol(client_of_admin)
    stored = TotpDevice.objects.get().secret
    assert secret not in stored
    hashes = set(RecoveryCode.objects.values_list("code_hash", flat=True))
    assert not hashes & {*codes, *(code.replace("-", "") for code in codes)}
    assert secret not in str(client_of_admin.get(TOTP).json())


def test_the_secret_stays_readable_when_secret_key_changes(
    client_of_admin: UserClient, admin: User, settings: LazySettings, clock: Any
) -> None:
    secret, _codes = enrol(client_of_admin)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-" * 5
    clock()
    assert login(admin, code_of(secret)).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    clock()
    unreadable = login(admin, code_of(secret))
    assert (unreadable.status_code, unreadable.json()["code"]) == (409, "totp_unreadable")


@pytest.mark.parametrize("body", [{"password": "wrong"}, {}])
def test_a_stolen_token_does_not_suffice_to_set_it_up(client_of_admin: UserClient, body: Any) -> None:
    assert client_of_admin.post(TOTP, body).status_code == 400
    assert not TotpDevice.objects.exists()


def test_it_cannot_be_replaced_or_removed_without_its_code(
    client_of_admin: UserClient, admin: User, clock: Any
) -> None:
    secret, _codes = enrol(client_of_admin)
    again = client_of_admin.post(TOTP, {"password": PASSWORD})
    assert (again.status_code, again.json()["code"]) == (409, "totp_enabled")
    refused = client_of_admin.post(f"{TOTP}/remove", {"password": PASSWORD, "code": "000000"})
    assert (refused.status_code, refused.json()["code"]) == (400, "otp_invalid")
    clock()
    body = {"password": PASSWORD, "code": code_of(secret)}
    assert client_of_admin.post(f"{TOTP}/remove", body).status_code == 200
    assert login(admin).status_code == 200
    assert not RecoveryCode.objects.exists()


def test_users_who_are_no_administrators_have_none(client_of_user: UserClient) -> None:
    assert client_of_user.get(TOTP).status_code == 403
    assert client_of_user.post(TOTP, {"password": PASSWORD}).status_code == 403


def test_where_it_is_off_it_is_neither_set_up_nor_asked_for(
    client_of_admin: UserClient, admin: User, settings: LazySettings
) -> None:
    enrol(client_of_admin)
    settings.ADMIN_TOTP = "off"
    assert login(admin).status_code == 200
    assert client_of_admin.post(TOTP, {"password": PASSWORD}).status_code == 409


def test_where_it_is_required_nothing_is_administered_without_it(
    client_of_admin: UserClient, admin: User, user: User, settings: LazySettings
) -> None:
    settings.ADMIN_TOTP = "required"
    refused = client_of_admin.get("/api/admin/users")
    assert (refused.status_code, refused.json()["code"]) == (403, "totp_enrolment_required")
    browser = Client(headers={"accept-language": "en"})
    form = {"username": admin.username, "password": PASSWORD, "next": "/admin/"}
    assert "Set up a second factor" in browser.post(reverse("admin:login"), form).content.decode()
    enrol(client_of_admin)
    assert client_of_admin.get("/api/admin/users").status_code == 200


def test_where_it_is_required_nobody_elses_batch_is_seen_without_it(
    client_of_admin: UserClient, admin: User, user: User, settings: LazySettings
) -> None:
    settings.ADMIN_TOTP = "required"
    theirs, own = (f"/api/video/batches/{make_batch(owner).pk}" for owner in (user, admin))
    for path in (theirs, f"{theirs}/export", f"{theirs}/shares"):
        assert client_of_admin.get(path).status_code == 404
    assert client_of_admin.patch(theirs, {"name": "x"}, format="json").status_code == 404
    assert client_of_admin.get(own).status_code == 200
    enrol(client_of_admin)
    assert client_of_admin.get(theirs).status_code == 200


def test_the_admin_site_asks_for_the_code_too(client_of_admin: UserClient, admin: User, clock: Any) -> None:
    secret, _codes = enrol(client_of_admin)
    clock()
    browser = Client(headers={"accept-language": "en"})
    address = reverse("admin:login")
    form = {"username": admin.username, "password": PASSWORD, "next": "/admin/"}
    assert 'name="otp"' in browser.get(address).content.decode()
    assert "Enter the code" in browser.post(address, form).content.decode()
    assert browser.post(address, {**form, "otp": "000000"}).status_code == 200
    assert browser.post(address, {**form, "otp": code_of(secret)}).status_code == 302
    assert browser.get(reverse("admin:index")).status_code == 200


def test_an_operator_can_reset_it(client_of_admin: UserClient, admin: User, capsys: Any) -> None:
    enrol(client_of_admin)
    call_command("reset_totp", admin.username.upper())
    assert login(admin).status_code == 200
    assert AuditEntry.objects.filter(action="user.totp_off", actor_name="reset_totp").count() == 1
    call_command("reset_totp", admin.username)
    assert "nothing was changed" in capsys.readouterr().out
