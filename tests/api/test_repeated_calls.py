"""Every call that writes, made again because its answer was lost, has one effect.

The answer to each of a call's commits is lost in turn; the client is told to come again, and does. What the
files of batches need, also when a commit is not carried out, is in tests/store/test_lost_answers.py.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest
from django.conf import LazySettings
from django.db import OperationalError, connections
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import CreditEntry, LoginCounter, Session, TotpDevice, User, UserGroup
from accounts.services import bulk_topup, handover
from accounts.services import credits as ledger
from accounts.services.bulk_topup import TopUpLine
from accounts.services.groups import group_delete, group_save
from adminpanel.services.bulk_credits import credits_adjust, credits_set
from tests.api.forms import file
from tests.api.stores import announce, batch_of_keys, use_disk
from tests.store.keeping import assert_store_and_rows_agree
from tests.support.books import assert_all_is_settled
from tests.support.losses import MOST_COMMITS, answer_lost
from tests.support.media import image_bytes
from tests.support.rows import PASSWORD, UserClient, claim, client_for, make_batch, make_item, make_user
from videos.models import Batch, ItemStatus, Upload, VideoItem
from videos.services import attempts, runs, uploads
from videos.services.attempts import Verdict
from zhiying.kernel.clock import database_now
from zhiying.kernel.errors import DomainError
from zhiying.kernel.models import IdempotencyRecord

pytestmark = pytest.mark.django_db(transaction=True)

AWAY = 503
NEW_PASSWORD = "Another-Horse-8"
FINAL = Verdict("no_face")


@dataclass
class Call:
    """A call that is ready to be made, with rows of its own."""

    make: Callable[[], Any]
    """Makes it; the answer."""
    effect: Callable[[], object]
    """Asserts that it has happened, once."""
    status: int = 200
    done: Collection[int] = ()
    """What may be answered beside that when it has happened before."""


CALLS: list[Callable[[], Call]] = []


def call(prepare: Callable[[], Call]) -> Callable[[], Call]:
    CALLS.append(prepare)
    return prepare


@pytest.fixture(autouse=True)
def _as_installed(settings: LazySettings, tmp_path: Any) -> None:
    settings.ADMIN_TOTP = "optional"
    use_disk(settings, tmp_path)


@pytest.mark.parametrize("prepare", CALLS, ids=lambda prepare: prepare.__name__)
def test_a_call_made_again_after_its_answer_was_lost_has_one_effect(prepare: Callable[[], Call]) -> None:
    for number in range(1, MOST_COMMITS):
        ready = prepare()
        with answer_lost(number, committed=True) as loss:
            first = ready.make().status_code
        connections.close_all()
        if not loss.happened:
            assert number > 1, "a call that writes nothing"
            assert first == ready.status
            return
        # Whoever was told that the database is away comes again, once a record of the work has lapsed.
        IdempotencyRecord.objects.filter(status_code=None).update(alive_until=database_now())
        again = ready.make()
        said = (number, first, again.status_code, getattr(again, "content", b""))
        assert first in {ready.status, AWAY}, said
        assert again.status_code in {ready.status, *ready.done}, said
        ready.effect()
        assert_all_is_settled()
    raise AssertionError(f"more than {MOST_COMMITS} commits")


# --- How calls are made ----------------------------------------------------------------------------


def client_of(user: User) -> UserClient:
    client = client_for(user)
    client.raise_request_exception = False
    return client


def anonymous() -> APIClient:
    client = APIClient()
    client.raise_request_exception = False
    return client


def service(act: Callable[[], object]) -> Callable[[], Any]:
    """A call of a command or of the administration site, which has no status: told in those of the API."""

    def make() -> Any:
        try:
            act()
        except OperationalError:
            return SimpleNamespace(status_code=AWAY)
        except DomainError as error:
            return SimpleNamespace(status_code=error.status)
        return SimpleNamespace(status_code=200)

    return make


def has_credits(user: User, amount: int) -> None:
    user.refresh_from_db(fields=["credits"])
    assert user.credits == amount


def have_credits(users: list[User], amount: int) -> Callable[[], None]:
    def effect() -> None:
        for user in users:
            has_credits(user, amount)

    return effect


def forget_uploads() -> None:
    """As if a day had passed."""
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    uploads.delete_abandoned()


def failed_item(user: User) -> VideoItem:
    item = make_item(user)
    while VideoItem.objects.get(pk=item.pk).status != ItemStatus.FAILED:
        attempts.fail(claim(), FINAL)
    return item


def item_path(item: VideoItem, act: str = "") -> str:
    return f"/api/video/batches/{item.batch_id}/items/{item.pk}{act}"


def batch_path(batch: Batch, act: str = "") -> str:
    return f"/api/video/batches/{batch.pk}{act}"


# --- Batches and their items -----------------------------------------------------------------------


@call
def submitting_by_keys() -> Call:
    user = make_user()
    client, name = client_of(user), f"by keys {user.pk}"
    body = {**batch_of_keys(client), "name": name}

    def effect() -> None:
        assert Batch.objects.filter(user=user).count() == 1
        has_credits(user, 99)
        assert set(Upload.objects.filter(user=user).values_list("status", flat=True)) == {"used"}
        forget_uploads()
        assert_store_and_rows_agree()

    return Call(
        lambda: client.post("/api/video/batch", body, format="json", HTTP_IDEMPOTENCY_KEY="k"), effect, 201
    )


@call
def cancelling_an_item() -> Call:
    user = make_user()
    client, item = client_of(user), make_item(user)
    claim()

    def effect() -> None:
        assert VideoItem.objects.get(pk=item.pk).status == ItemStatus.CANCELLED
        has_credits(user, 100)

    return Call(lambda: client.post(item_path(item, "/cancel")), effect, done=[409])


@call
def cancelling_a_batch() -> Call:
    user = make_user()
    client, batch = client_of(user), make_batch(user, 2)

    def effect() -> None:
        assert Batch.objects.get(pk=batch.pk).cancelled_count == 2
        has_credits(user, 100)

    return Call(lambda: client.post(batch_path(batch, "/cancel")), effect)


@call
def retrying_an_item() -> Call:
    user = make_user()
    client, item = client_of(user), failed_item(user)
    return Call(lambda: client.post(item_path(item, "/resume")), second_run(item, user), done=[409])


@call
def retrying_what_failed() -> Call:
    user = make_user()
    client, item = client_of(user), failed_item(user)
    path = batch_path(item.batch, "/retry_failed")
    return Call(lambda: client.post(path), second_run(item, user))


@call
def replacing_an_image() -> Call:
    user = make_user()
    client, item = client_of(user), failed_item(user)

    def make() -> Any:
        return client.post(
            item_path(item, "/replace"), {"image": file("new.jpg", image_bytes())}, format="multipart"
        )

    return Call(make, second_run(item, user), done=[409])


def second_run(item: VideoItem, user: User) -> Callable[[], None]:
    def effect() -> None:
        now = VideoItem.objects.get(pk=item.pk)
        assert (now.status, now.run) == (ItemStatus.PENDING, 2)
        has_credits(user, 99)
        runs.cancel_items(batch_id=item.batch_id, user_id=user.pk)  # so that the next case's is claimed next

    return effect


@call
def deleting_an_item() -> Call:
    user = make_user()
    client, batch = client_of(user), make_batch(user, 2)
    runs.cancel_items(batch_id=batch.pk, user_id=user.pk)
    item = batch.items.order_by("position")[0]

    def effect() -> None:
        assert Batch.objects.get(pk=batch.pk).image_count == batch.items.count() == 1
        assert_store_and_rows_agree()

    return Call(lambda: client.delete(item_path(item)), effect, done=[404])


@call
def deleting_a_batch() -> Call:
    user = make_user()
    client, batch = client_of(user), make_batch(user, 2)

    def effect() -> None:
        assert not Batch.objects.filter(pk=batch.pk).exists()
        has_credits(user, 100)
        assert_store_and_rows_agree()

    return Call(lambda: client.delete(batch_path(batch)), effect, done=[404])


@call
def renaming_a_batch() -> Call:
    user = make_user()
    client, batch = client_of(user), make_batch(user)

    def effect() -> None:
        assert Batch.objects.get(pk=batch.pk).name == "new"

    return Call(lambda: client.patch(batch_path(batch), {"name": "new"}, format="json"), effect)


@call
def announcing_files() -> Call:
    user = make_user()
    client = client_of(user)
    body = {"files": [{"name": "a.jpg", "size": 10, "content_type": "image/jpeg"}]}

    def effect() -> None:
        """What nobody knows the key of is gone after a day."""
        assert Upload.objects.filter(user=user).count() in {1, 2}
        forget_uploads()
        assert not Upload.objects.filter(user=user).exists()

    return Call(lambda: client.post("/api/video/uploads", body, format="json"), effect, 201)


@call
def forgetting_an_upload() -> Call:
    user = make_user()
    client = client_of(user)
    key = announce(client, ("a.jpg", image_bytes()))[0]["key"]

    def effect() -> None:
        assert not Upload.objects.filter(pk=key).exists()

    return Call(lambda: client.delete(f"/api/video/uploads/{key}"), effect, done=[404])


# --- Sessions and passwords ------------------------------------------------------------------------


def opens(tokens: Any) -> bool:
    header = f"Bearer {tokens['token']}"
    return APIClient().get("/api/user/profile", HTTP_AUTHORIZATION=header).status_code == 200


def log_in(user: User, password: str = PASSWORD, otp: str = "") -> Any:
    body = {"username": user.username, "password": password, "otp": otp}
    return anonymous().post("/api/auth/login", body, format="json")


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


# --- Administrators --------------------------------------------------------------------------------


@call
def giving_credits() -> Call:
    return changed_credits({"delta": 5, "reason": "test"}, 105)


@call
def taking_credits() -> Call:
    return changed_credits({"delta": -5, "reason": "test"}, 95)


@call
def setting_credits() -> Call:
    return changed_credits({"new_credits": 7}, 7)


def changed_credits(body: dict[str, Any], left: int) -> Call:
    user, client = make_user(), client_of(make_user(is_admin=True))
    path = f"/api/admin/users/{user.pk}/credits"

    def effect() -> None:
        has_credits(user, left)
        assert CreditEntry.objects.filter(user=user).count() == 2

    return Call(lambda: client.patch(path, body, format="json", HTTP_IDEMPOTENCY_KEY="k"), effect)


@call
def giving_credits_on_the_site() -> Call:
    users, admin = [make_user(), make_user()], make_user(is_admin=True)

    def act() -> None:
        credits_adjust(
            users=users, delta=5, reason="test", acting_user=admin, key="k", on_changed=lambda *_: None
        )

    return Call(service(act), have_credits(users, 105))


@call
def setting_credits_on_the_site() -> Call:
    users, admin = [make_user(), make_user()], make_user(is_admin=True)

    def act() -> None:
        credits_set(
            users=users, new_credits=7, reason="test", acting_user=admin, key="k", on_changed=lambda *_: None
        )

    def effect() -> None:
        for user in users:
            has_credits(user, 7)
            assert CreditEntry.objects.filter(user=user).count() == 2

    return Call(service(act), effect)


@call
def topping_up() -> Call:
    user = make_user()

    def act() -> None:
        ledger.top_up(user_id=user.pk, amount=5, reason="paid", key=f"{user.pk}", acting_user=None)

    return Call(service(act), lambda: has_credits(user, 105))


@call
def topping_up_from_a_file() -> Call:
    users = [make_user(), make_user()]
    lines = [TopUpLine(number, user, 5, "paid") for number, user in enumerate(users, 2)]
    key = f"{users[0].pk}"
    act = service(lambda: bulk_topup.top_up_all(lines, key=key, acting_user=None))
    return Call(act, have_credits(users, 105))


@call
def making_a_user() -> Call:
    client, name = client_of(make_user(is_admin=True)), f"new{User.objects.count()}"
    body = {"username": name, "password": NEW_PASSWORD, "credits": 3}

    def effect() -> None:
        has_credits(User.objects.get(username=name), 3)
        assert CreditEntry.objects.filter(user__username=name).count() == 1

    return Call(lambda: client.post("/api/admin/users", body, format="json"), effect, 201, done=[409])


@call
def deactivating_a_user() -> Call:
    user, client = make_user(), client_of(make_user(is_admin=True))
    theirs = client_for(user)

    def effect() -> None:
        assert theirs.get("/api/user/profile").status_code == 401
        assert not User.objects.get(pk=user.pk).is_active

    path = f"/api/admin/users/{user.pk}"
    return Call(lambda: client.patch(path, {"is_active": False}, format="json"), effect)


@call
def putting_a_user_into_a_group() -> Call:
    user, client = make_user(), client_of(make_user(is_admin=True))
    group = UserGroup.objects.create(name=f"group of {user.pk}")

    def effect() -> None:
        assert User.objects.get(pk=user.pk).group_id == group.pk

    path = f"/api/admin/users/{user.pk}"
    return Call(lambda: client.patch(path, {"group": str(group.pk)}, format="json"), effect)


@call
def making_and_deleting_a_group() -> Call:
    admin = make_user(is_admin=True)
    group = UserGroup(name=f"group of {admin.pk}")

    def act() -> None:
        group_save(group=group, acting_user=admin)
        group_delete(group=group, acting_user=admin)

    def effect() -> None:
        assert not UserGroup.objects.filter(name=group.name).exists()

    return Call(service(act), effect)


@call
def resetting_a_password() -> Call:
    user, client = make_user(), client_of(make_user(is_admin=True))
    path = f"/api/admin/users/{user.pk}/password"

    def effect() -> None:
        LoginCounter.objects.all().delete()
        assert log_in(user, NEW_PASSWORD).status_code == 200

    return Call(lambda: client.post(path, {"password": NEW_PASSWORD}, format="json"), effect)


@call
def logging_a_user_out() -> Call:
    user, client = make_user(), client_of(make_user(is_admin=True))
    client_for(user)

    def effect() -> None:
        assert not Session.objects.filter(user=user, revoked_at=None).exists()

    return Call(lambda: client.post(f"/api/admin/users/{user.pk}/logout"), effect)


@call
def putting_a_batch_first() -> Call:
    user, client = make_user(), client_of(make_user(is_admin=True))
    batch = make_batch(user, 2)

    def effect() -> None:
        assert set(batch.items.values_list("lane__urgent", flat=True)) == {True}

    return Call(lambda: client.post(f"/api/admin/batches/{batch.pk}/first"), effect)


@call
def entering_the_site() -> Call:
    """Each code is good once; whoever lost the answer asks for another."""
    admin = make_user(is_admin=True)
    client = client_of(admin)

    def make() -> Any:
        answer = client.post("/api/admin/handover")
        if answer.status_code != 201:
            return answer
        return service(lambda: handover.handover_use(code=answer.json()["code"]))()

    return Call(make, lambda: None)
