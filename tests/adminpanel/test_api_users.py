"""The administrators' REST calls on users and credits."""

from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import IntegrityError
from rest_framework.test import APIClient

from accounts.models import CreditEntry, EntryKind, User, UserGroup
from accounts.services import credits as ledger
from tests.support.books import assert_books_balance
from tests.support.losses import gone_after
from tests.support.rows import PASSWORD, client_for, make_batch, make_user

USERS = "/api/admin/users"
FORMS = ["json", "multipart"]


def credits_of(user: User) -> str:
    return f"{USERS}/{user.pk}/credits"


def names(client: APIClient, **query: Any) -> list[str]:
    answer = client.get(USERS, query)
    assert answer.status_code == 200, answer.content
    return [row["username"] for row in answer.json()["users"]]


# --- Who may ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", USERS),
        ("post", USERS),
        ("get", f"{USERS}/{{id}}"),
        ("patch", f"{USERS}/{{id}}"),
        ("get", f"{USERS}/{{id}}/credits"),
        ("patch", f"{USERS}/{{id}}/credits"),
        ("post", f"{USERS}/{{id}}/password"),
        ("post", f"{USERS}/{{id}}/logout"),
        ("get", "/api/admin/groups"),
        ("get", "/api/admin/batches"),
        ("get", "/api/admin/usage"),
    ],
)
def test_only_administrators_may(client_of_user: APIClient, user: User, method: str, path: str) -> None:
    address = path.format(id=user.pk)
    body = {"username": "x", "new_credits": 5000, "is_active": False}
    refused = getattr(client_of_user, method)(address, body)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    unknown = getattr(APIClient(), method)(address, body)
    assert (unknown.status_code, unknown.json()["code"]) == (401, "not_authenticated")
    user.refresh_from_db()
    assert (user.credits, user.is_active, User.objects.count()) == (100, True, 1)


@pytest.mark.parametrize("method", ["get", "patch"])
@pytest.mark.parametrize("tail", ["", "/credits"])
def test_an_unknown_user_is_not_found(client_of_admin: APIClient, method: str, tail: str) -> None:
    answer = getattr(client_of_admin, method)(
        f"{USERS}/{uuid4()}{tail}", {"is_active": False, "new_credits": 1}
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


# --- Lists -----------------------------------------------------------------------------------------


def test_the_list_has_every_user_as_the_front_end_reads_them(client_of_admin: APIClient, admin: User) -> None:
    user = make_user("li.hua", credits=12)
    body = client_of_admin.get(USERS).json()
    assert body["total"] == 2
    first, second = body["users"]
    assert first | {"created_at": ""} == {
        "id": str(user.pk),
        "username": "li.hua",
        "credits": 12,
        "isAdmin": False,
        "is_admin": False,
        "is_active": True,
        "group": None,
        "created_at": "",
    }
    assert second["isAdmin"] is True


def test_users_are_searched_ordered_and_paged(client_of_admin: APIClient, admin: User) -> None:
    for name, balance in (("anna", 30), ("Bernd", 10), ("hanna", 20)):
        make_user(name, credits=balance)
    assert names(client_of_admin) == ["hanna", "Bernd", "anna", admin.username]
    assert names(client_of_admin, search="ANNA") == ["hanna", "anna"]
    assert names(client_of_admin, search="%") == []
    assert names(client_of_admin, ordering="credits", is_admin=False) == ["Bernd", "hanna", "anna"]
    assert names(client_of_admin, ordering="-credits", limit=2, offset=1) == ["anna", "hanna"]
    assert names(client_of_admin, is_admin=True) == [admin.username]
    assert names(client_of_admin, is_active=False) == []
    page = client_of_admin.get(f"{USERS}?limit=1&offset=3&search=a").json()
    assert page["total"] == User.objects.filter(username__icontains="a").count()


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 1001}, {"offset": -1}, {"ordering": "password"}, {"is_admin": "maybe"}]
)
def test_a_wrong_parameter_is_named(client_of_admin: APIClient, query: dict[str, Any]) -> None:
    answer = client_of_admin.get(USERS, query)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == list(query)


# --- Made and deactivated ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_user_is_made_with_a_password_shown_once(
    client_of_admin: APIClient, admin: User, form: str
) -> None:
    fields = {"username": "newcomer", "credits": 25, "is_admin": False}
    answer = client_of_admin.post(USERS, fields, format=form)

    assert answer.status_code == 201
    body = answer.json()
    assert body["success"] is True
    assert (body["user"]["username"], body["user"]["credits"]) == ("newcomer", 25)
    user = User.objects.get(pk=body["user"]["id"])
    assert user.check_password(body["password"])
    entry = CreditEntry.objects.get(user=user)
    assert (entry.kind, entry.amount, entry.actor) == (EntryKind.GRANT, 25, admin)
    assert "password" not in str(client_of_admin.get(f"{USERS}/{user.pk}").json())


@pytest.mark.django_db(transaction=True)
def test_the_password_of_a_user_who_was_made_is_told_though_the_database_goes_then(
    client_of_admin: APIClient,
) -> None:
    """It is told only here, and the name is taken."""
    with gone_after('INSERT INTO "audit_entries"') as gone:
        answer = client_of_admin.post(USERS, {"username": "newcomer"})
    assert gone
    assert answer.status_code == 201
    assert User.objects.get(username="newcomer").check_password(answer.json()["password"])


def test_a_password_that_was_sent_is_not_sent_back(client_of_admin: APIClient) -> None:
    fields = {"username": "newcomer", "password": PASSWORD, "is_admin": True}
    body = client_of_admin.post(USERS, fields).json()
    assert "password" not in body
    user = User.objects.get(username="newcomer")
    assert user.check_password(PASSWORD)
    assert (user.is_admin, user.credits) == (True, settings.SIGNUP_CREDITS)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"username": ""}, 400, "invalid"),
        ({"username": "with space"}, 400, "invalid"),
        ({"username": "TAKEN"}, 409, "username_taken"),
        ({"username": "other", "password": "12345678"}, 400, "weak_password"),
        ({"username": "other", "credits": -1}, 400, "invalid"),
        ({"username": "other", "credits": "many"}, 400, "invalid"),
        ({"username": "a\0b"}, 400, "invalid"),
    ],
)
def test_a_user_that_cannot_be_is_refused(
    client_of_admin: APIClient, fields: dict[str, Any], status: int, code: str
) -> None:
    make_user("taken")
    answer = client_of_admin.post(USERS, fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert User.objects.count() == 2


@pytest.mark.django_db
def test_a_name_counts_as_taken_only_if_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def violated(**kwargs: Any) -> None:
        raise IntegrityError("something else than the name")

    monkeypatch.setattr(ledger, "grant_signup", violated)
    with pytest.raises(IntegrityError):
        make_user("nobody")
    assert User.objects.named("nobody") is None


@pytest.mark.parametrize("form", FORMS)
def test_a_deactivated_user_is_logged_out_at_once(client_of_admin: APIClient, user: User, form: str) -> None:
    theirs = client_for(user)
    answer = client_of_admin.patch(f"{USERS}/{user.pk}", {"is_active": False}, format=form)
    assert (answer.status_code, answer.json()["is_active"]) == (200, False)
    assert theirs.get("/api/user/profile").status_code == 401
    assert (
        APIClient().post("/api/auth/login", {"username": user.username, "password": PASSWORD}).status_code
        == 401
    )
    again = client_of_admin.patch(f"{USERS}/{user.pk}", {"is_active": True}, format=form)
    assert again.json()["is_active"] is True
    assert theirs.get("/api/user/profile").status_code == 401


def test_an_administrator_cannot_lock_themselves_out(client_of_admin: APIClient, admin: User) -> None:
    answer = client_of_admin.patch(f"{USERS}/{admin.pk}", {"is_active": False})
    assert (answer.status_code, answer.json()["code"]) == (409, "own_account")
    assert client_of_admin.get(USERS).status_code == 200


# --- Credits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("fields", "kind", "expected"),
    [
        ({"new_credits": 7}, "set", 7),
        ({"new_credits": 0, "reason": "closed"}, "set", 0),
        ({"delta": 11, "reason": "gift"}, "adjust", 111),
        ({"delta": -100, "reason": "abuse"}, "adjust", 0),
    ],
)
def test_credits_are_changed_and_written_down(
    client_of_admin: APIClient,
    admin: User,
    user: User,
    form: str,
    fields: dict[str, Any],
    kind: str,
    expected: int,
) -> None:
    answer = client_of_admin.patch(credits_of(user), fields, format=form)

    assert answer.status_code == 200
    assert answer.json() == {"success": True, "user_id": str(user.pk), "credits": expected}
    entry = CreditEntry.objects.filter(user=user).first()
    assert entry is not None
    assert (entry.kind, entry.balance_after, entry.actor) == (kind, expected, admin)
    assert entry.note == fields.get("reason", "")
    assert_books_balance()


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({}, 400, "invalid"),
        ({"new_credits": 5, "delta": 5, "reason": "both"}, 400, "invalid"),
        ({"new_credits": -1}, 400, "invalid"),
        ({"new_credits": 1_000_000_001}, 400, "invalid"),
        ({"new_credits": "all"}, 400, "invalid"),
        ({"delta": 5}, 400, "reason_required"),
        ({"delta": 5, "reason": "  "}, 400, "reason_required"),
        ({"delta": 0, "reason": "none"}, 400, "invalid"),
        ({"delta": -101, "reason": "too much"}, 402, "insufficient_credits"),
        ({"delta": 1_000_000_000, "reason": "above the limit"}, 400, "invalid"),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    client_of_admin: APIClient, user: User, fields: dict[str, Any], status: int, code: str
) -> None:
    answer = client_of_admin.patch(credits_of(user), fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert CreditEntry.objects.filter(user=user).count() == 1


def test_the_same_key_changes_credits_once(client_of_admin: APIClient, user: User) -> None:
    def send(key: str, delta: int) -> Any:
        body = {"delta": delta, "reason": "gift"}
        return client_of_admin.patch(credits_of(user), body, headers={"idempotency-key": key})

    first, again = send("a", 5), send("a", 5)
    assert first.json() == again.json() == {"success": True, "user_id": str(user.pk), "credits": 105}
    different = send("a", 6)
    assert (different.status_code, different.json()["code"]) == (422, "idempotency_key_reused")
    assert send("b", 5).json()["credits"] == 110
    assert CreditEntry.objects.filter(user=user, kind=EntryKind.ADJUST).count() == 2


def test_a_refused_change_leaves_its_key_free(client_of_admin: APIClient, user: User) -> None:
    headers = {"idempotency-key": "k"}
    bad = client_of_admin.patch(credits_of(user), {"delta": -500, "reason": "x"}, headers=headers)
    assert bad.status_code == 402
    good = client_of_admin.patch(credits_of(user), {"delta": -50, "reason": "x"}, headers=headers)
    assert good.json()["credits"] == 50


def test_a_key_belongs_to_its_administrator(client_of_admin: APIClient, user: User) -> None:
    body, headers = {"delta": 1, "reason": "gift"}, {"idempotency-key": "k"}
    other = client_for(make_user(is_admin=True))
    for client in (client_of_admin, other):
        assert client.patch(credits_of(user), body, headers=headers).status_code == 200
    assert User.objects.get(pk=user.pk).credits == 102


def test_the_ledger_of_anybody_is_read(client_of_admin: APIClient, user: User) -> None:
    batch = make_batch(user, 2)
    client_of_admin.patch(credits_of(user), {"delta": 5, "reason": "gift"})

    body = client_of_admin.get(credits_of(user)).json()
    assert body["total"] == 4
    assert [entry["amount"] for entry in body["entries"]] == [5, -1, -1, 100]
    assert [entry["balance_after"] for entry in body["entries"]] == [103, 98, 99, 100]
    assert body["entries"][1]["batch_id"] == str(batch.pk)
    charges = client_of_admin.get(f"{credits_of(user)}?kind=charge&limit=1").json()
    assert (len(charges["entries"]), charges["total"]) == (1, 2)


# --- Passwords, sessions, groups -------------------------------------------------------------------


@pytest.mark.parametrize("given", ["", "Battery-Staple-8"])
def test_a_password_is_reset_and_every_session_ends(
    client_of_admin: APIClient, user: User, given: str
) -> None:
    session = client_for(user)
    answer = client_of_admin.post(f"{USERS}/{user.pk}/password", {"password": given} if given else {})
    assert answer.status_code == 200
    assert ("password" in answer.json()) is (not given), "what was sent is not sent back"
    password = given or answer.json()["password"]
    assert session.get("/api/user/profile").status_code == 401
    login = APIClient().post("/api/auth/login", {"username": user.username, "password": password})
    assert login.status_code == 200


def test_a_weak_password_is_refused_and_changes_nothing(client_of_admin: APIClient, user: User) -> None:
    session = client_for(user)
    answer = client_of_admin.post(f"{USERS}/{user.pk}/password", {"password": "12345678"})
    assert (answer.status_code, answer.json()["code"]) == (400, "weak_password")
    assert session.get("/api/user/profile").status_code == 200


def test_the_own_password_cannot_be_reset_without_the_old_one(
    client_of_admin: APIClient, admin: User
) -> None:
    answer = client_of_admin.post(f"{USERS}/{admin.pk}/password", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "own_account")


def test_every_session_of_a_user_is_ended(client_of_admin: APIClient, user: User) -> None:
    one, two, other = client_for(user), client_for(user), client_for(make_user())
    answer = client_of_admin.post(f"{USERS}/{user.pk}/logout")
    assert answer.json() == {"success": True, "count": 2}
    codes = [client.get("/api/user/profile").status_code for client in (one, two, other)]
    assert codes == [401, 401, 200]


@pytest.mark.parametrize("format_", FORMS)
def test_a_user_is_put_into_a_group_and_nothing_else_changes(
    client_of_admin: APIClient, user: User, format_: str
) -> None:
    group = UserGroup.objects.create(name="press", queue_weight=3)
    listed = client_of_admin.get("/api/admin/groups").json()["groups"]
    assert listed == [
        {
            "id": str(group.pk),
            "name": "press",
            "queue_weight": 3,
            "retention_days": None,
            "quota_mb": None,
        }
    ]
    answer = client_of_admin.patch(f"{USERS}/{user.pk}", {"group": str(group.pk)}, format=format_)
    assert answer.status_code == 200
    assert (answer.json()["group"], answer.json()["is_active"]) == (str(group.pk), True)
    none = client_of_admin.patch(f"{USERS}/{user.pk}", {"group": None}, format="json")
    assert none.json()["group"] is None


@pytest.mark.parametrize(("group", "status"), [("00000000-0000-4000-8000-000000000000", 404), ("x", 400)])
def test_a_group_that_does_not_exist_is_refused(
    client_of_admin: APIClient, user: User, group: str, status: int
) -> None:
    answer = client_of_admin.patch(f"{USERS}/{user.pk}", {"group": group, "is_active": False}, format="json")
    assert answer.status_code == status
    user.refresh_from_db()
    assert user.is_active


def test_a_change_of_nothing_is_refused(client_of_admin: APIClient, user: User) -> None:
    assert client_of_admin.patch(f"{USERS}/{user.pk}", {}, format="json").status_code == 400
