"""Calls about sessions and passwords."""

from typing import Any

import pyotp
from rest_framework.test import APIClient

from accounts.models import LoginCounter, Session, TotpDevice
from tests.api.repeated.calls import NEW_PASSWORD, Call, anonymous, call, client_of, log_in
from tests.support.rows import PASSWORD, client_for, make_user


def opens(tokens: Any) -> bool:
    header = f"Bearer {tokens['token']}"
    return APIClient().get("/api/user/profile", HTTP_AUTHORIZATION=header).status_code == 200


@call
def logging_in() -> Call:
    user = make_user()
    LoginCounter.objects.all().delete()

    def effect() -> None:
        assert opens(log_in(user).json())
        assert not LoginCounter.objects.filter(user=user, kind="place").exists(), "counted as a wrong guess"

    return Call(lambda: log_in(user), effect)


@call
def refreshing() -> Call:
    tokens = client_for(make_user()).tokens
    LoginCounter.objects.all().delete()

    def make() -> Any:
        return anonymous().post("/api/auth/refresh", {"refresh": tokens.refresh}, format="json")

    def effect() -> None:
        """Whoever asks again gets what they were given, and is not taken for a thief."""
        given = make().json()
        assert opens(given)
        assert make().json()["token"] == given["token"]

    return Call(make, effect)


@call
def logging_out() -> Call:
    client = client_of(user := make_user())
    other = client_for(user)

    def effect() -> None:
        assert client.get("/api/user/profile").status_code == 401
        assert other.get("/api/user/profile").status_code == 200

    return Call(lambda: client.post("/api/auth/logout"), effect, done=[401])


@call
def logging_out_everywhere() -> Call:
    client = client_of(user := make_user())

    def effect() -> None:
        assert not Session.objects.filter(user=user, revoked_at=None).exists()

    return Call(lambda: client.post("/api/auth/logout_all"), effect, done=[401])


@call
def changing_the_password() -> Call:
    client = client_of(user := make_user())
    other = client_for(user)
    body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}

    def effect() -> None:
        LoginCounter.objects.all().delete()
        assert log_in(user, NEW_PASSWORD).status_code == 200
        assert client.get("/api/user/profile").status_code == 200
        assert other.get("/api/user/profile").status_code == 401

    # The second time the old password is wrong.
    return Call(lambda: client.post("/api/user/change-password", body, format="json"), effect, done=[400])


@call
def beginning_a_second_factor() -> Call:
    client = client_of(user := make_user(is_admin=True))

    def effect() -> None:
        assert TotpDevice.objects.get(user=user).confirmed_at is None
        assert log_in(user).status_code == 200, "not before it is confirmed"

    return Call(lambda: client.post("/api/user/totp", {"password": PASSWORD}, format="json"), effect)


@call
def confirming_a_second_factor() -> Call:
    client = client_of(user := make_user(is_admin=True))
    secret = client.post("/api/user/totp", {"password": PASSWORD}, format="json").json()["secret"]
    code = pyotp.TOTP(secret).now()

    def effect() -> None:
        assert TotpDevice.objects.get(user=user).confirmed_at is not None
        assert log_in(user).json()["code"] == "otp_required"

    path = "/api/user/totp/confirm"
    return Call(lambda: client.post(path, {"code": code}, format="json"), effect, done=[409])
