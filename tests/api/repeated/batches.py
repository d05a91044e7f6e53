"""Calls about batches and their items."""

from collections.abc import Callable
from typing import Any

from accounts.models import User
from tests.api.forms import file
from tests.api.repeated.calls import (
    Call,
    batch_path,
    call,
    client_of,
    failed_item,
    forget_uploads,
    has_credits,
    item_path,
)
from tests.api.stores import announce, batch_of_keys
from tests.store.keeping import assert_store_and_rows_agree
from tests.support.media import image_bytes
from tests.support.rows import claim, make_batch, make_item, make_user
from videos.models import Batch, ItemStatus, Upload, VideoItem
from videos.services import runs


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
