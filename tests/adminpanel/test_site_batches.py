"""Batches and videos on the admin site: retried, cancelled, deleted, and the credits that belong to it."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from accounts.models import CreditEntry, EntryKind, User
from tests.adminpanel.pages import act, messages, page
from tests.store.keeping import work_all_off
from tests.support.books import assert_all_is_settled, assert_books_balance
from tests.support.rows import claim, make_batch, make_user
from videos.models import Batch, ItemStatus, VideoItem
from videos.services import attempts
from videos.services.attempts import StoredResult, Verdict

NO_FACE = Verdict("no_face", "No face was found in the portrait.")


def failed_batch(user: User, images: int = 1) -> Batch:
    """A batch of which every video failed."""
    batch = make_batch(user, images)
    for _ in range(images):
        assert attempts.fail(claim(), NO_FACE)
    return batch


def counts(batch: Batch) -> dict[str, int]:
    found: dict[str, int] = {}
    for status in batch.items.values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def entries(user: User, kind: EntryKind) -> int:
    return CreditEntry.objects.filter(user=user, kind=kind).count()


@pytest.mark.parametrize("way", ["action", "button"])
def test_failed_videos_are_retried_and_charged_once(browser: Client, user: User, way: str) -> None:
    batch = failed_batch(user, 2)
    assert User.objects.get(pk=user.pk).credits == 100

    for _ in range(2):  # pressed twice in a hurry
        if way == "action":
            act(browser, Batch, "retry_failed", batch)
        else:
            browser.post(reverse("admin:videos_batch_retry", args=[batch.pk]))

    assert counts(batch) == {"pending": 2}
    assert User.objects.get(pk=user.pk).credits == 98
    assert entries(user, EntryKind.CHARGE) == 4
    assert_all_is_settled()


@pytest.mark.parametrize("way", ["action", "button"])
def test_what_has_not_finished_is_cancelled_and_refunded_once(browser: Client, user: User, way: str) -> None:
    batch = make_batch(user, 3)
    running = claim()
    result = StoredResult(video="batches/x/result/y-1.mp4", poster="", duration_s=0.6)

    for _ in range(2):
        if way == "action":
            act(browser, Batch, "cancel", batch)
        else:
            browser.post(reverse("admin:videos_batch_cancel", args=[batch.pk]))

    assert counts(batch) == {"cancelled": 3}
    assert not attempts.complete(running, result), "the worker that was rendering comes too late"
    assert User.objects.get(pk=user.pk).credits == 100
    assert entries(user, EntryKind.REFUND) == 3
    assert_all_is_settled()


def test_a_finished_video_stays_and_is_not_refunded(browser: Client, user: User) -> None:
    batch = make_batch(user, 2)
    done = claim()
    attempts.complete(done, StoredResult(video=f"{batch.folder}/result/a-1.mp4", poster="", duration_s=0.6))

    act(browser, Batch, "cancel", batch)

    assert counts(batch) == {"completed": 1, "cancelled": 1}
    assert User.objects.get(pk=user.pk).credits == 99
    assert_all_is_settled()


def test_owners_without_credits_are_named_and_the_rest_is_retried(browser: Client, user: User) -> None:
    poor = make_user(credits=1)
    theirs, batch = failed_batch(poor), failed_batch(user)
    make_batch(poor, 1)

    shown = messages(act(browser, Batch, "retry_failed", theirs, batch))

    assert any("Not enough credits: 1 needed, 0 available." in text for text in shown)
    assert "1 failed video was queued again." in shown
    assert (counts(theirs), counts(batch)) == ({"failed": 1}, {"pending": 1})
    assert_all_is_settled()


@pytest.mark.parametrize("way", ["action", "button"])
def test_a_single_video_is_retried_and_cancelled(browser: Client, user: User, way: str) -> None:
    item = failed_batch(user).items.get()

    def press(name: str) -> list[str]:
        if way == "action":
            return messages(act(browser, VideoItem, name, item))
        address = reverse(f"admin:videos_videoitem_{name}", args=[item.pk])
        return messages(browser.post(address, follow=True))

    assert press("retry") == ["1 video was queued again."]
    item.refresh_from_db()
    assert (item.status, item.run) == (ItemStatus.PENDING, 2)
    assert press("retry") == [f"{item.original_name}: Only failed or cancelled videos can be retried."]
    assert press("cancel") == ["1 video was cancelled and refunded."]
    item.refresh_from_db()
    assert item.status == ItemStatus.CANCELLED
    assert "has finished already" in press("cancel")[0]
    assert User.objects.get(pk=user.pk).credits == 100
    assert_all_is_settled()


@pytest.mark.parametrize("way", ["page", "selection"])
@pytest.mark.django_db(transaction=True)
def test_a_deleted_batch_is_refunded_and_its_files_are_gone(browser: Client, user: User, way: str) -> None:
    batch, other = make_batch(user, 2), make_batch(user, 1)
    folder = Path(settings.MEDIA_ROOT, batch.folder)
    assert any(folder.rglob("*.jpg"))

    if way == "page":
        confirmation: Any = browser.get(page(Batch, "delete", batch.pk))
        assert batch.name in confirmation.content.decode()
        browser.post(page(Batch, "delete", batch.pk), {"post": "yes"})
    else:
        confirmation = act(browser, Batch, "delete_batches", batch)
        assert batch.name in confirmation.content.decode()
        assert Batch.objects.count() == 2, "nothing happens before it is confirmed"
        browser.post(confirmation.context["form_action"], {"batches": confirmation.context["packed"]})

    assert list(Batch.objects.all()) == [other]
    work_all_off()
    assert not any(folder.rglob("*.jpg"))
    assert Path(settings.MEDIA_ROOT, other.folder).exists()
    assert User.objects.get(pk=user.pk).credits == 99
    assert_books_balance()
    assert LogEntry.objects.filter(object_id=str(batch.pk), user__is_admin=True).count() == 1


def test_the_page_of_a_batch_plays_what_is_finished_and_explains_what_failed(
    browser: Client, user: User
) -> None:
    batch = make_batch(user, 2)
    key = f"{batch.folder}/result/a-1.mp4"
    attempts.complete(claim(), StoredResult(video=key, poster="", duration_s=0.6))
    attempts.fail(claim(), NO_FACE)

    html = browser.get(page(Batch, "change", batch.pk)).content.decode()
    assert f"/{key}" in html
    assert "<video" in html
    assert "No face was found in the portrait." in html
    assert html.count(batch.audio) == 1
    chinese = browser.get(page(Batch, "change", batch.pk), headers={"accept-language": "zh-hans"})
    assert "未在人像中检测到人脸。" in chinese.content.decode()


def test_media_on_the_pages_are_signed_and_readable(browser: Client, user: User) -> None:
    batch = make_batch(user, 1)
    html = browser.get(page(Batch, "change", batch.pk)).content.decode()
    source = html.split('<img src="/media/')[1].split('"')[0]
    picture: Any = Client().get(f"/media/{source}")
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/jpeg")
    assert b"".join(picture.streaming_content).startswith(b"\xff\xd8")
    tampered = source.replace("/", "x/", 1)
    assert Client().get(f"/media/{tampered}").status_code == 403


@pytest.mark.parametrize("model", [Batch, VideoItem])
def test_nothing_is_changed_in_place(
    browser: Client, user: User, model: type[Batch] | type[VideoItem]
) -> None:
    batch = make_batch(user, 1)
    row = batch if model is Batch else batch.items.get()
    fields = {"status": "completed", "name": "other", "video": "x.mp4", "_save": "Save"}
    assert browser.post(page(model, "change", row.pk), fields).status_code == 403
    assert counts(batch) == {"pending": 1}


def test_names_from_users_are_text_not_markup(browser: Client, user: User) -> None:
    batch = make_batch(user, 1, name="<script>alert(1)</script>")
    attempts.fail(claim(), Verdict("theirs", "<img src=x onerror=alert(1)>"))
    for address in (
        page(Batch, "changelist"),
        page(Batch, "change", batch.pk),
        page(VideoItem, "changelist"),
        page(VideoItem, "change", batch.items.get().pk),
        page(Batch, "delete", batch.pk),
    ):
        html = browser.get(address).content.decode()
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "&lt;script&gt;alert(1)" in html


def test_batches_are_found_and_filtered(browser: Client, user: User) -> None:
    theirs, mine = failed_batch(make_user()), make_batch(user, 1, name="spring")

    def listed(**query: str) -> list[Batch]:
        return list(browser.get(page(Batch, "changelist"), query).context["cl"].queryset)

    assert listed(q="spri") == [mine]
    assert listed(q=theirs.user.username) == [theirs]
    assert listed(status__exact="failed") == [theirs]
    assert listed(user=str(user.pk)) == [mine]
    assert listed(created_at_last="2001-01-01") == []
