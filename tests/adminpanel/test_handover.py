"""One sign-in: the session of the web application opens the administration site, and ends it."""

from datetime import timedelta
from typing import Any

import pyotp
import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Handover, Session, User
from accounts.services import handover, second_factor, sessions, users
from tests.support.parallel import all_at_once
from tests.support.rows import PASSWORD, UserClient, client_for, make_user

OWN = "http://testserver"
INDEX = reverse("admin:index")
ENTER = reverse("admin:enter")


@pytest.fixture
def web(admin: User) -> UserClient:
    """The web application of `admin`."""
    return client_for(admin)


def a_code(web: UserClient) -> str:
    answer = web.post("/api/admin/handover")
    assert answer.status_code == 201, answer.content
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert (body["url"], body["expires_in"]) == (ENTER, 60)
    return str(body["code"])


def enter(code: str, *, origin: str | None = OWN, client: Client | None = None, **fields: str) -> Any:
    """Post a code as the web application's page does, with Django's own checks switched on."""
    client = client or Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    headers = {"origin": origin} if origin else {}
    answer = client.post(ENTER, {"code": code, **fields}, headers=headers)
    answer.client = client
    return answer


def is_inside(client: Client) -> bool:
    return client.get(INDEX).status_code == 200


def test_a_web_session_opens_the_site_and_says_so_in_the_audit_log(web: UserClient, admin: User) -> None:
    answer = enter(a_code(web))
    assert (answer.status_code, answer.headers["Location"]) == (302, INDEX)
    page = answer.client.get(INDEX)
    assert page.status_code == 200
    assert page.context["user"] == admin
    assert AuditEntry.objects.filter(action="user.site_enter", actor=admin).count() == 1


def test_a_code_opens_it_once(web: UserClient) -> None:
    code = a_code(web)
    assert is_inside(enter(code).client)
    again = enter(code)
    assert again.headers["Location"] == reverse("admin:login")
    assert not is_inside(again.client)
    assert "The way in was used before" in again.client.get(reverse("admin:login")).content.decode()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_who_post_a_code_at_once_one_enters() -> None:
    code = a_code(client_for(make_user(is_admin=True)))

    def use() -> bool:
        try:
            handover.handover_use(code=code)
        except handover.HandoverError:
            return False
        return True

    assert sorted(all_at_once([use, use])) == [False, True]


def test_a_code_is_good_for_a_minute_and_then_removed(web: UserClient) -> None:
    code = a_code(web)
    Handover.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not is_inside(enter(code).client)
    assert handover.delete_expired() == 1


def test_the_table_does_not_hold_the_code(web: UserClient) -> None:
    code = a_code(web)
    (row,) = Handover.objects.values_list("code_hash", flat=True)
    assert code not in row
    assert not is_inside(enter(row).client)


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://testserver:8080"])
def test_a_page_of_another_origin_logs_nobody_in(web: UserClient, origin: str | None) -> None:
    """Not even with a good code: it would log a visitor in as whoever made the code."""
    code = a_code(web)
    assert not is_inside(enter(code, origin=origin).client)
    assert is_inside(enter(code).client)  # and the code was not used up


def test_the_public_address_behind_a_proxy_is_the_own_origin(web: UserClient, settings: LazySettings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://videos.example.org"]
    assert is_inside(enter(a_code(web), origin="https://videos.example.org").client)


def test_looking_at_the_address_changes_nothing(web: UserClient) -> None:
    code = a_code(web)
    assert not is_inside(Client())
    assert Client().get(ENTER, {"code": code}).status_code == 302
    assert Handover.objects.count() == 1


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("/admin/videos/batch/", "/admin/videos/batch/"),
        ("https://evil.example/admin/", INDEX),
        ("//evil.example", INDEX),
        ("/admin/../batches", "/admin/../batches"),
        ("/elsewhere", INDEX),
        ("", INDEX),
    ],
)
def test_it_leads_to_the_page_that_was_wanted_if_that_is_here(web: UserClient, wanted: str, got: str) -> None:
    assert enter(a_code(web), next=wanted).headers["Location"] == got


def test_whoever_is_no_administrator_gets_no_code(client_of_user: UserClient) -> None:
    assert client_of_user.post("/api/admin/handover").status_code == 403
    assert Client().post("/api/admin/handover").status_code == 401


@pytest.mark.parametrize("change", ["logged out", "deactivated", "no administrator", "password"])
def test_what_ends_the_right_between_code_and_use_is_seen(web: UserClient, admin: User, change: str) -> None:
    code, other = a_code(web), make_user(is_admin=True)
    if change == "logged out":
        web.post("/api/auth/logout")
    elif change == "deactivated":
        users.user_set_active(user=admin, is_active=False, acting_user=other)
    elif change == "password":
        users.password_set(user=admin, new_password="Another-Horse-9", acting_user=other)
    else:
        User.objects.filter(pk=admin.pk).update(is_admin=False)
    assert not is_inside(enter(code).client)


def test_the_second_factor_is_not_passed_by(admin: User, settings: LazySettings) -> None:
    """Where it is required, whoever has none gets no code; where one is set up, a password is no session."""
    settings.ADMIN_TOTP = "required"
    without = client_for(admin).post("/api/admin/handover")
    assert (without.status_code, without.json()["code"]) == (403, "totp_enrolment_required")

    enrolment = second_factor.enrol_begin(user=admin)
    second_factor.enrol_confirm(user=admin, code=pyotp.TOTP(enrolment.secret).now(), keep_session=None)
    credentials = {"username": admin.username, "password": PASSWORD}
    assert Client().post("/api/auth/login", credentials).json()["code"] == "otp_required"
    # That of now is used up. Clocks may be wrong by a step.
    otp = pyotp.TOTP(enrolment.secret).at(timezone.now() + timedelta(seconds=second_factor.STEP_S))
    token = Client().post("/api/auth/login", {**credentials, "otp": otp}).json()["token"]
    made = Client().post("/api/admin/handover", headers={"authorization": f"Bearer {token}"})
    assert is_inside(enter(made.json()["code"]).client)


def test_a_second_factor_required_since_the_code_was_made_is_asked_for(
    web: UserClient, settings: LazySettings
) -> None:
    code = a_code(web)
    settings.ADMIN_TOTP = "required"
    assert not is_inside(enter(code).client)


def test_logging_out_of_the_web_application_ends_both(web: UserClient) -> None:
    site = enter(a_code(web)).client
    assert is_inside(site)
    web.post("/api/auth/logout")
    answer = site.get(INDEX)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{reverse('admin:login')}?next={INDEX}")
    assert "You are logged in as" not in site.get(reverse("admin:login")).content.decode()


def test_the_web_session_is_looked_at_once_in_a_request(
    web: UserClient, django_assert_max_num_queries: Any
) -> None:
    site = enter(a_code(web)).client
    page = reverse("admin:password_change")
    with django_assert_max_num_queries(3):  # site session, user, web session
        assert site.get(page).status_code == 200


def test_changing_the_password_on_the_site_keeps_the_session_it_came_from(
    web: UserClient, admin: User
) -> None:
    other = client_for(admin)
    site = enter(a_code(web), client=Client(headers={"accept-language": "en"})).client
    new = "Another-Horse-9"
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert site.post(reverse("admin:password_change"), fields).status_code == 302
    assert is_inside(site)
    assert web.get("/api/user/profile").status_code == 200
    assert other.get("/api/user/profile").status_code == 401


def test_codes_go_with_their_session(web: UserClient, admin: User) -> None:
    a_code(web)
    Session.objects.filter(user=admin).update(expires_at=timezone.now() - timedelta(days=1))
    sessions.delete_expired()
    assert not Handover.objects.exists()


def test_the_two_lead_to_each_other(browser: Client) -> None:
    assert 'href="/manage"' in browser.get(INDEX).content.decode()
    page = Client(headers={"accept-language": "en"}).get(reverse("admin:login"), {"next": "/admin/videos/"})
    assert 'href="/manage/site?next=%2Fadmin%2Fvideos%2F"' in page.content.decode()
