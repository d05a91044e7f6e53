"""Links by which finished videos are watched without an account."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from tests.store.keeping import finish
from tests.support.rows import client_for, make_batch, make_user
from videos.models import Batch, ItemStatus, Share
from videos.services import batches, shares
from videos.services.item_deletion import item_delete

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_earlier_requests() -> None:
    cache.clear()  # where the throttle counts


@pytest.fixture
def batch(user: User, tmp_path: Path) -> Batch:
    """Of two videos, one of them finished."""
    made = make_batch(user, 2, name="Spring sale")
    finish(tmp_path)
    return made


def path_of(batch: Batch) -> str:
    return f"/api/video/batches/{batch.pk}/shares"


def link(client: APIClient, batch: Batch, **fields: Any) -> str:
    answer = client.post(path_of(batch), fields)
    assert answer.status_code == 201, answer.content
    assert answer.headers["Cache-Control"] == "no-store"
    url = str(answer.json()["url"])
    assert url.startswith("http://testserver/s/")
    return url.removeprefix("http://testserver")


def watch(path: str) -> Any:
    return Client(headers={"accept-language": "en"}).get(path)


def test_whoever_has_the_link_sees_the_finished_videos_and_nothing_of_the_account(
    user: User, client_of_user: APIClient, batch: Batch
) -> None:
    page = watch(link(client_of_user, batch))
    text = page.content.decode()
    assert page.status_code == 200
    assert text.count("<video ") == 1
    assert "Spring sale" in text
    assert user.username not in text
    for name, value in (("X-Robots-Tag", "noindex"), ("Referrer-Policy", "no-referrer")):
        assert value in page.headers[name]
    source = text.split('src="')[1].split('"')[0].removeprefix("http://testserver")
    assert Client().get(source).headers["Content-Type"] == "video/mp4"


def test_a_link_of_one_video_shows_that_one(client_of_user: APIClient, batch: Batch, tmp_path: Path) -> None:
    finish(tmp_path)
    first, second = batch.items.order_by("position")
    second.original_name = "second.jpg"
    second.save()
    text = watch(link(client_of_user, batch, item_id=str(second.pk))).content.decode()
    assert text.count("<video ") == 1
    assert "second" in text
    assert first.video not in text


def test_the_table_holds_no_link(client_of_user: APIClient, batch: Batch) -> None:
    token = link(client_of_user, batch).rpartition("/")[2]
    (row,) = Share.objects.values_list("token_hash", flat=True)
    assert token not in row
    assert watch(f"/s/{row}").status_code == 404


@pytest.mark.parametrize("end", ["expired", "revoked", "deleted"])
def test_a_link_ends_with_its_time_its_revocation_and_its_batch(
    user: User, client_of_user: APIClient, batch: Batch, end: str
) -> None:
    page = link(client_of_user, batch)
    if end == "expired":
        Share.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif end == "revoked":
        (share,) = client_of_user.get(path_of(batch)).json()["shares"]
        assert client_of_user.delete(f"{path_of(batch)}/{share['id']}").status_code == 200
    else:
        batches.batch_delete(batch=batch, acting_user=user)
    answer = watch(page)
    assert answer.status_code == 404
    assert "expired, or was withdrawn" in answer.content.decode()
    assert "<video" not in answer.content.decode()


def test_links_are_listed_without_what_opens_them(client_of_user: APIClient, batch: Batch) -> None:
    link(client_of_user, batch, days=30)
    (share,) = client_of_user.get(path_of(batch)).json()["shares"]
    assert set(share) == {"id", "item_id", "item_name", "created_at", "expires_at"}


def test_nobody_else_makes_lists_or_revokes_links(client_of_user: APIClient, batch: Batch) -> None:
    link(client_of_user, batch)
    share = Share.objects.get()
    stranger = client_for(make_user())
    assert stranger.post(path_of(batch), {}).status_code == 404
    assert stranger.get(path_of(batch)).status_code == 404
    assert stranger.delete(f"{path_of(batch)}/{share.pk}").status_code == 404
    assert Share.objects.exists()


@pytest.mark.parametrize("days", [0, 91, "soon"])
def test_a_link_lasts_a_day_to_ninety(client_of_user: APIClient, batch: Batch, days: object) -> None:
    answer = client_of_user.post(path_of(batch), {"days": days})
    assert answer.status_code == 400
    assert "days" in answer.json()["errors"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", ["batch", "video"])
def test_what_was_deleted_since_it_was_looked_up_gets_no_link(
    user: User, client_of_user: APIClient, batch: Batch, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    create, item = shares.share_create, batch.items.get(status=ItemStatus.COMPLETED)

    def create_late(**wanted: Any) -> Any:
        if end == "batch":
            batches.batch_delete(batch=batch, acting_user=user)
        else:
            item_delete(item=item, acting_user=user)
        return create(**wanted)

    monkeypatch.setattr(shares, "share_create", create_late)
    told = client_of_user.post(path_of(batch), {"item_id": str(item.pk)} if end == "video" else {})
    assert (told.status_code, told.json()["code"]) == (404, "not_found")
    assert not Share.objects.exists()


def test_a_batch_has_only_so_many_links(
    client_of_user: APIClient, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MAX_LINKS", 1)
    link(client_of_user, batch)
    assert client_of_user.post(path_of(batch), {}).json()["code"] == "too_many_links"


def test_making_and_revoking_are_in_the_audit_log(admin: User, batch: Batch) -> None:
    """Of what an administrator does to somebody else's batch."""
    client = client_for(admin)
    link(client, batch)
    client.delete(f"{path_of(batch)}/{Share.objects.get().pk}")
    actions = AuditEntry.objects.filter(actor=admin).order_by("number").values_list("action", flat=True)
    assert list(actions) == ["share.create", "share.revoke"]


def test_many_requests_are_told_to_wait(client_of_user: APIClient, batch: Batch) -> None:
    page = link(client_of_user, batch)
    answers = [watch(page) for _ in range(61)]
    assert {answer.status_code for answer in answers[:60]} == {200}
    assert answers[60].status_code == 429
    assert int(answers[60].headers["Retry-After"]) > 0


def test_expired_links_are_swept(client_of_user: APIClient, batch: Batch) -> None:
    link(client_of_user, batch)
    assert shares.delete_expired() == 0
    Share.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert shares.delete_expired() == 1
