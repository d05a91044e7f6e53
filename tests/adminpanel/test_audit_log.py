"""Every change that an administrator makes leaves an entry, by whichever way; and only they read it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User, UserGroup
from accounts.services import users
from adminpanel.api.urls import urlpatterns
from tests.adminpanel.pages import act, messages, page
from tests.api.forms import file
from tests.support.media import image_bytes
from tests.support.rows import claim, make_batch, make_user
from videos.models import Batch, EngineRule, VideoItem
from videos.services import attempts
from videos.services.attempts import Verdict

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

GONE = "There is no such group."


@dataclass
class Scene:
    """Somebody's batch with one failed and one waiting video, and whoever acts on it."""

    api: APIClient
    browser: Client
    owner: User
    batch: Batch
    failed: VideoItem
    waiting: VideoItem

    def batch_call(self, path: str = "") -> str:
        return f"/api/video/batches/{self.batch.pk}{path}"

    def item_call(self, item: VideoItem, path: str) -> str:
        return self.batch_call(f"/items/{item.pk}/{path}")


@pytest.fixture
def scene(client_of_admin: APIClient, browser: Client, user: User) -> Scene:
    batch = make_batch(user, 2)
    failed = claim()
    assert attempts.fail(failed, Verdict("no_face", "No face was found in the portrait."))
    return Scene(
        client_of_admin,
        browser,
        user,
        batch,
        batch.items.get(pk=failed.item_id),
        batch.items.exclude(pk=failed.item_id).get(),
    )


BY_API: dict[str, tuple[str, Callable[[Scene], Any]]] = {
    "rename": ("batch.rename", lambda s: s.api.patch(s.batch_call(), {"name": "n"})),
    "cancel": ("batch.cancel", lambda s: s.api.post(s.batch_call("/cancel"))),
    "delete": ("batch.delete", lambda s: s.api.delete(s.batch_call())),
    "retry failed": ("batch.retry_failed", lambda s: s.api.post(s.batch_call("/retry_failed"))),
    "cancel item": ("item.cancel", lambda s: s.api.post(s.item_call(s.waiting, "cancel"))),
    "retry item": ("item.retry", lambda s: s.api.post(s.item_call(s.failed, "resume"))),
    "replace image": (
        "item.replace",
        lambda s: s.api.post(
            s.item_call(s.failed, "replace"), {"image": file("new.jpg", image_bytes())}, format="multipart"
        ),
    ),
    "delete item": ("item.delete", lambda s: s.api.delete(f"{s.batch_call()}/items/{s.failed.pk}")),
    "put first": ("batch.first", lambda s: s.api.post(f"/api/admin/batches/{s.batch.pk}/first")),
    "create user": ("user.create", lambda s: s.api.post("/api/admin/users", {"username": "new"})),
    "deactivate": (
        "user.deactivate",
        lambda s: s.api.patch(f"/api/admin/users/{s.owner.pk}", {"is_active": False}),
    ),
    "set credits": (
        "credits.set",
        lambda s: s.api.patch(f"/api/admin/users/{s.owner.pk}/credits", {"new_credits": 7}),
    ),
    "reset password": ("user.password", lambda s: s.api.post(f"/api/admin/users/{s.owner.pk}/password", {})),
    "end sessions": ("user.sessions_end", lambda s: s.api.post(f"/api/admin/users/{s.owner.pk}/logout")),
    "move into no group": (
        "user.group",
        lambda s: s.api.patch(f"/api/admin/users/{s.owner.pk}", {"group": None}, format="json"),
    ),
    "adjust credits": (
        "credits.adjust",
        lambda s: s.api.patch(f"/api/admin/users/{s.owner.pk}/credits", {"delta": 7, "reason": "why"}),
    ),
}


@pytest.mark.parametrize(("action", "call"), BY_API.values(), ids=BY_API)
def test_a_change_by_api_leaves_one_entry(
    scene: Scene, admin: User, action: str, call: Callable[[Scene], Any]
) -> None:
    before = AuditEntry.objects.count()
    answer = call(scene)
    assert answer.status_code < 300, answer.content
    entry = AuditEntry.objects.first()
    assert AuditEntry.objects.count() == before + 1
    assert entry is not None
    assert (entry.action, entry.actor, entry.acting_as) == (action, admin, "administrator")
    assert entry.client_address == "127.0.0.1"


def user_page(scene: Scene, name: str) -> str:
    return reverse(f"admin:accounts_user_{name}", args=[scene.owner.pk])


CREDITS = {"change": "adjust", "amount": 5, "reason": "why", "key": "k"}
PASSWORDS = {"new_password": "Another-Horse-8", "again": "Another-Horse-8"}
BY_SITE: dict[str, tuple[str, Callable[[Scene], Any]]] = {
    "retry batch": ("batch.retry_failed", lambda s: act(s.browser, Batch, "retry_failed", s.batch)),
    "cancel batch": ("batch.cancel", lambda s: act(s.browser, Batch, "cancel", s.batch)),
    "delete batches": (
        "batch.delete",
        lambda s: s.browser.post(reverse("admin:videos_batch_delete_many"), {"batches": str(s.batch.pk)}),
    ),
    "delete batch": (
        "batch.delete",
        lambda s: s.browser.post(page(Batch, "delete", s.batch.pk), {"post": "yes"}),
    ),
    "put first": ("batch.first", lambda s: act(s.browser, Batch, "put_first", s.batch)),
    "retry video": ("item.retry", lambda s: act(s.browser, VideoItem, "retry", s.failed)),
    "cancel video": ("item.cancel", lambda s: act(s.browser, VideoItem, "cancel", s.waiting)),
    "deactivate": ("user.deactivate", lambda s: act(s.browser, User, "deactivate", s.owner)),
    "log out": ("user.sessions_end", lambda s: act(s.browser, User, "log_out", s.owner)),
    "password": ("user.password", lambda s: s.browser.post(user_page(s, "password"), PASSWORDS)),
    "group": ("user.group", lambda s: s.browser.post(user_page(s, "group"), {"group": ""})),
    "credits": (
        "credits.adjust",
        lambda s: s.browser.post(
            reverse("admin:accounts_user_credits"), {**CREDITS, "users": str(s.owner.pk)}
        ),
    ),
    "create user": (
        "user.create",
        lambda s: s.browser.post(page(User, "add"), {"username": "new", "first_credits": 3}),
    ),
    "create group": (
        "group.create",
        lambda s: s.browser.post(page(UserGroup, "add"), {"name": "press", "queue_weight": 2}),
    ),
}


@pytest.mark.parametrize(("action", "press"), BY_SITE.values(), ids=BY_SITE)
def test_a_change_on_the_admin_site_leaves_one_entry(
    scene: Scene, admin: User, action: str, press: Callable[[Scene], Any]
) -> None:
    before = AuditEntry.objects.count()
    assert press(scene).status_code < 400
    entry = AuditEntry.objects.first()
    assert AuditEntry.objects.count() == before + 1
    assert entry is not None
    assert (entry.action, entry.actor, entry.acting_as) == (action, admin, "administrator")


def test_every_administrators_call_that_changes_something_is_covered() -> None:
    """A new call has to be added above."""
    changing = {
        (str(pattern.pattern), method)
        for pattern in urlpatterns
        for method in ("post", "put", "patch", "delete")
        if hasattr(pattern.callback.view_class, method)  # type: ignore[attr-defined]
    }
    assert changing == {
        ("admin/batches/<uuid:batch_id>/first", "post"),
        ("admin/handover", "post"),  # its use is what counts: tests/adminpanel/test_handover.py
        ("admin/token", "patch"),  # tests/adminpanel/test_credentials.py
        ("admin/token", "delete"),
        ("admin/users", "post"),
        ("admin/users/<uuid:user_id>", "patch"),
        ("admin/users/<uuid:user_id>/credits", "patch"),
        ("admin/users/<uuid:user_id>/logout", "post"),
        ("admin/users/<uuid:user_id>/password", "post"),
    }


def test_groups_are_changed_and_deleted_with_an_entry(browser: Client) -> None:
    group = UserGroup.objects.create(name="press")
    browser.post(page(UserGroup, "change", group.pk), {"name": "press", "queue_weight": 3})
    entry = AuditEntry.objects.get(action="group.change")
    assert entry.details == {"queue_weight": 3, "queue_weight_before": 1}
    browser.post(page(UserGroup, "delete", group.pk), {"post": "yes"})
    assert not UserGroup.objects.exists()
    assert AuditEntry.objects.filter(action="group.delete", target_name="press").count() == 1


@pytest.mark.parametrize(
    ("field", "largest"), [("queue_weight", 10_000), ("retention_days", 36_500), ("quota_mb", 1_000_000_000)]
)
def test_what_a_group_is_granted_has_a_bound(browser: Client, field: str, largest: int) -> None:
    group = UserGroup.objects.create(name="press")
    granted = {"name": "press", "queue_weight": 1}
    answer = browser.post(page(UserGroup, "change", group.pk), {**granted, field: largest + 1})
    assert str(largest) in str(answer.context["errors"])
    assert browser.post(page(UserGroup, "change", group.pk), {**granted, field: largest}).status_code == 302
    group.refresh_from_db()
    assert getattr(group, field) == largest


def test_a_group_with_users_stays(browser: Client, user: User, admin: User) -> None:
    group = UserGroup.objects.create(name="press")
    users.user_set_group(user=user, group=group, acting_user=admin)
    browser.post(page(UserGroup, "delete", group.pk), {"post": "yes"})
    assert UserGroup.objects.exists()
    assert not AuditEntry.objects.filter(action="group.delete").exists()


def deleted_meanwhile(monkeypatch: pytest.MonkeyPatch, model: type[Model]) -> None:
    """Whoever locks a row for what they write finds that all of its kind were deleted."""
    real = QuerySet.select_for_update

    def late(rows: "QuerySet[Any]", **options: Any) -> "QuerySet[Any]":
        return real(rows.none() if rows.model is model else rows, **options)

    monkeypatch.setattr(QuerySet, "select_for_update", late)


def test_what_is_put_into_a_group_that_was_deleted_meanwhile_is_refused(
    browser: Client, client_of_admin: APIClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = UserGroup.objects.create(name="press")
    deleted_meanwhile(monkeypatch, UserGroup)
    body, rule = {"group": str(group.pk)}, {"position": 1, "engine": "portrait", "prompt": "any"}
    answer = client_of_admin.patch(f"/api/admin/users/{user.pk}", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    for address, form in (
        (reverse("admin:accounts_user_group", args=[user.pk]), body),
        (page(EngineRule, "add"), {**rule, **body}),
        (page(UserGroup, "change", group.pk), {"name": "radio", "queue_weight": 1}),
        (page(UserGroup, "delete", group.pk), {"post": "yes"}),
    ):
        assert GONE in messages(browser.post(address, form, follow=True))
    user.refresh_from_db()
    assert (user.group, UserGroup.objects.get().name) == (None, "press")
    assert not EngineRule.objects.exists()
    assert not AuditEntry.objects.filter(Q(action__startswith="group.") | Q(action="user.group")).exists()


def test_a_rule_that_was_deleted_meanwhile_is_not_made_again(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = EngineRule.objects.create(engine="portrait", position=1)
    deleted_meanwhile(monkeypatch, EngineRule)
    form = {"position": 2, "engine": "portrait", "prompt": "any"}
    shown = messages(browser.post(page(EngineRule, "change", rule.pk), form, follow=True))
    assert "There is no such rule any more." in shown
    rule.refresh_from_db()
    assert rule.position == 1


def test_the_log_is_read_page_by_page(client_of_admin: APIClient, user: User) -> None:
    for number in range(5):
        client_of_admin.patch(f"/api/admin/users/{user.pk}/credits", {"new_credits": number})
    seen: list[int] = []
    before = ""
    while True:
        body = client_of_admin.get(f"/api/admin/audit?limit=2&action=credits.set{before}").json()
        seen += [entry["details"]["balance"] for entry in body["entries"]]
        if body["next_before"] is None:
            break
        before = f"&before={body['next_before']}"
    assert seen == [4, 3, 2, 1, 0]


def test_an_entry_as_it_is_read(client_of_admin: APIClient, admin: User, user: User) -> None:
    client_of_admin.patch(
        f"/api/admin/users/{user.pk}/credits",
        {"delta": 5, "reason": "why"},
        headers={"x-request-id": "r-1", "accept-language": "zh-hans"},
    )
    body = client_of_admin.get("/api/admin/audit?limit=1", headers={"accept-language": "zh-hans"}).json()
    (entry,) = body["entries"]
    assert entry["action_label"] == "调整积分"
    assert {name: entry[name] for name in ("action", "acting_as", "reason", "request_id")} == {
        "action": "credits.adjust",
        "acting_as": "administrator",
        "reason": "why",
        "request_id": "r-1",
    }
    assert (entry["actor_id"], entry["actor_name"]) == (str(admin.pk), admin.username)
    assert (entry["owner_id"], entry["owner_name"]) == (str(user.pk), user.username)
    assert (entry["target_kind"], entry["target_name"]) == ("user", user.username)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search={owner}", True),
        ("search=nobody-of-this-name", False),
        ("actor={admin}", True),
        ("actor={owner_id}", False),
        ("owner={owner_id}", True),
        ("target={owner_id}", True),
        ("action=credits.set", True),
        ("action=batch.delete", False),
        ("date_from=2000-01-01&date_to=2199-12-30", True),
        ("date_to=2000-01-01", False),
    ],
)
def test_the_log_is_searched(
    client_of_admin: APIClient, admin: User, user: User, query: str, found: bool
) -> None:
    client_of_admin.patch(f"/api/admin/users/{user.pk}/credits", {"new_credits": 9})
    filled = query.format(owner=user.username.upper(), owner_id=user.pk, admin=admin.pk)
    body = client_of_admin.get(f"/api/admin/audit?{filled}").json()
    assert any(entry["action"] == "credits.set" for entry in body["entries"]) == found


@pytest.mark.parametrize("query", ["actor=x", "action=x", "limit=0", "limit=201", "before=0", "date_from=x"])
def test_a_wrong_filter_is_named(client_of_admin: APIClient, query: str) -> None:
    answer = client_of_admin.get(f"/api/admin/audit?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["errors"]


def test_only_administrators_read_the_log(client_of_user: APIClient, client: Client) -> None:
    assert client_of_user.get("/api/admin/audit").status_code == 403
    assert client.get("/api/admin/audit").status_code == 401


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes_the_log(client_of_admin: APIClient, method: str) -> None:
    assert getattr(client_of_admin, method)("/api/admin/audit").status_code == 405


def test_the_page_of_the_site_searches_and_filters(browser: Client, admin: User) -> None:
    person = make_user("wanted")
    users.user_set_active(user=person, is_active=False, acting_user=admin)
    shown = page(AuditEntry, "changelist")
    for query in ("q=WANT", "action=user.deactivate", f"actor={admin.pk}", f"owner={person.pk}"):
        answer = browser.get(f"{shown}?{query}")
        assert "wanted" in answer.content.decode(), query
    assert "wanted" not in browser.get(f"{shown}?q=anted").content.decode()
    entry = AuditEntry.objects.get(action="user.deactivate")
    assert "wanted" in browser.get(page(AuditEntry, "change", entry.pk)).content.decode()
    assert browser.post(page(AuditEntry, "delete", entry.pk), {"post": "yes"}).status_code == 403
    assert browser.post(page(AuditEntry, "add"), {}).status_code == 403


def test_a_page_costs_the_same_however_many_entries_it_shows(client_of_admin: APIClient, user: User) -> None:
    costs = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            client_of_admin.get("/api/admin/audit")
        costs.append(len(queries))
        for number in range(20):
            client_of_admin.patch(f"/api/admin/users/{user.pk}/credits", {"new_credits": number})
    assert costs[0] == costs[1]
