"""The answer to a COMMIT is lost: whatever was written is found out, and no file that it needs goes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError
from rest_framework.test import APIClient

from accounts.models import User
from tests.api.forms import form, submit
from tests.api.stores import UPLOADS, announce, put
from tests.store.keeping import assert_store_and_rows_agree, needed_keys, stored_keys
from tests.support.books import assert_all_is_settled
from tests.support.losses import MOST_COMMITS, answer_lost, each_loss, gone_after
from tests.support.media import image_bytes
from tests.support.rows import claim, client_for, make_batch, make_item, make_user
from videos.models import Batch, ItemStatus, VideoItem
from videos.services import attempts, batches
from videos.services.attempts import Verdict
from videos.services.intake import PreparedPortrait
from videos.worker import verdicts
from videos.worker.storing import store_result

pytestmark = pytest.mark.django_db(transaction=True)


def portrait(folder: Path) -> PreparedPortrait:
    path = folder / "image.jpg"
    path.write_bytes(b"image")
    return PreparedPortrait("new.jpg", path, path, 160, 160)


def test_the_loss_is_real(user: User) -> None:
    """Or the other tests prove nothing: the rows are there although the commit raised."""
    with answer_lost(1, committed=True), pytest.raises(OperationalError):
        make_user("somebody")
    assert User.objects.filter(username="somebody").exists()


def test_creating_a_batch() -> None:
    user, losses = make_user(credits=1000), 0
    for _loss in each_loss(lambda: make_batch(user, 2)):
        losses += 1
        assert needed_keys() <= stored_keys(), "files of an accepted batch were removed"
        assert_store_and_rows_agree()
        assert_all_is_settled()
    assert losses >= 4


def test_a_batch_found_committed_needs_no_more_of_the_database() -> None:
    """It goes again once the batch was found: told of that, its sender would send, and pay, again."""
    client, found = client_for(make_user(credits=1000)), 'SELECT %s AS "a" FROM "batches"'
    for number in range(1, MOST_COMMITS):
        with gone_after(found) as gone, answer_lost(number, committed=True):
            told = submit(client, form(2))
        if gone:
            break
        assert not Batch.objects.exists()
    assert (told.status_code, told.json()["credits"]) == (201, 998)
    assert Batch.objects.count() == 1


def test_submitting_with_a_key_and_again_makes_one_batch() -> None:
    user = make_user(credits=1000)
    client = client_for(user)
    client.raise_request_exception = False
    number = 0
    for committed in (True, False):
        for lost in range(1, MOST_COMMITS):
            number += 1
            before = Batch.objects.count()
            with answer_lost(lost, committed=committed) as loss:
                first = submit(client, form(1), HTTP_IDEMPOTENCY_KEY=f"k{number}")
            if not loss.happened:
                break
            again = submit(client, form(1), HTTP_IDEMPOTENCY_KEY=f"k{number}")
            assert again.status_code in (201, 409), again.content
            if first.status_code == 201:
                assert again.json() == first.json()
            assert Batch.objects.count() == before + (1 if again.status_code == 201 else 0)
            assert_store_and_rows_agree()
            assert_all_is_settled()


def test_a_part_of_an_upload_has_no_commit_whose_answer_could_be_lost(client_of_user: APIClient) -> None:
    """It is there once its bytes are, as often as they come."""
    photo = ("a.jpg", image_bytes())
    [upload] = announce(client_of_user, photo)
    for _time in range(2):
        with answer_lost(1, committed=False) as loss:
            assert put(upload["url"], photo[1], upload["headers"]) == 200
        assert loss.commits == 0
    shown = client_of_user.get(f"{UPLOADS}/{upload['key']}").json()
    assert [part["received"] for part in shown["parts"]] == [True]


def test_replacing_an_image(tmp_path: Path) -> None:
    user = make_user(credits=1000)

    def replace() -> None:
        item = VideoItem.objects.filter(status=ItemStatus.FAILED).select_related("batch__user").first()
        assert item is not None
        batches.item_replace(item=item, portrait=portrait(tmp_path), acting_user=user)

    def failed_item() -> None:
        make_item(user)
        while not VideoItem.objects.filter(status=ItemStatus.FAILED).exists():
            attempts.fail(claim(), Verdict("no_face"))

    for _loss in each_loss(replace, failed_item):
        assert needed_keys() <= stored_keys()
        assert_store_and_rows_agree()
        assert_all_is_settled()


def test_finishing_an_item(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "OUTAGE_PAUSE_S", 0)
    user = make_user(credits=1000)
    output = tmp_path / "video.mp4"
    output.write_bytes(b"video")
    spec: Any = SimpleNamespace(output=output, poster=output)
    result: Any = SimpleNamespace(duration_s=0.6, width=8, height=8, notes=())

    def store() -> None:
        make_item(user)
        store_result(claim(), spec, result)

    for _loss in each_loss(store):
        shown = VideoItem.objects.filter(status=ItemStatus.COMPLETED)
        assert all(default_storage.exists(item.video) for item in shown)
        assert_store_and_rows_agree()
        assert_all_is_settled()


def test_deleting_a_batch() -> None:
    user = make_user(credits=1000)

    def delete() -> None:
        batch = Batch.objects.first()
        assert batch is not None
        batches.batch_delete(batch=batch, acting_user=user)

    for _loss in each_loss(delete, lambda: make_batch(user)):
        assert_store_and_rows_agree()
