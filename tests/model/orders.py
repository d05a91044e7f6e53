"""Orders, and what owners and administrators do to them."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.services.credits import InsufficientCreditsError
from tests.api.forms import form, submit
from tests.model.books import SETTLED, Order, Person, Video
from tests.model.machine import BATCH, ITEM, MOST_VIDEOS, RECORDING_S, WHO, act
from tests.model.people import People
from tests.support.rows import UserClient, make_batch
from videos.models import VideoItem
from videos.services import batches
from videos.services.intake import PreparedPortrait
from zhiying.kernel.errors import ConflictError


class Orders(People):
    """Of one to several videos, at the price of the moment."""

    @act(
        3,
        when=lambda self: len(self.books.videos) < MOST_VIDEOS,
        images=st.integers(1, 3),
        price=st.sampled_from([1, 1, 2, 3]),
    )
    def order(self, data: st.DataObject, images: int, price: int) -> None:
        """From now on a video costs so much; what was paid before was paid."""
        settings.CREDITS_PER_STARTED_S[""] = RECORDING_S / price
        self.books.price = price
        person = data.draw(st.sampled_from(self.books.people))
        try:
            batch = make_batch(User.objects.get(pk=person.pk), images)
        except InsufficientCreditsError:
            assert person.credits < images * self.books.price
            self.note("order 402")
            return
        self._ordered(person, batch.pk)
        self.note("order 201")

    @act(
        2,
        when=lambda self: (
            len(self.books.videos) < MOST_VIDEOS and any(person.active for person in self.books.people)
        ),
        images=st.integers(1, 2),
        key=st.sampled_from(["k1", "k2"]),
    )
    def order_with_a_key(self, data: st.DataObject, images: int, key: str) -> None:
        """With files, through the whole of the application."""
        person = data.draw(st.sampled_from([one for one in self.books.people if one.active]))
        answer = submit(self.clients[person.pk], form(images), HTTP_IDEMPOTENCY_KEY=key)
        if (person.pk, key) in self.ordered:
            sent, batch_id = self.ordered[person.pk, key]
            if sent == images:
                assert (answer.status_code, answer.json()["batch_id"]) == (201, batch_id)
                self.note("order again")
            else:
                assert answer.status_code == 422
                self.note("order refused 422")
        elif person.credits < images * self.books.price:
            assert answer.status_code == 402
            self.note("order 402")
        else:
            assert answer.status_code == 201, answer.content
            self.ordered[person.pk, key] = (images, answer.json()["batch_id"])
            self._ordered(person, UUID(answer.json()["batch_id"]))

    def _ordered(self, person: Person, batch_id: UUID) -> None:
        items = VideoItem.objects.filter(batch_id=batch_id).order_by("position")
        self.books.ordered(person, batch_id, items.values_list("pk", flat=True))

    # --- What owners and administrators do to them ---

    def _caller(self, order: Order, who: str) -> tuple[UserClient, int]:
        """A client, and the answer that it gets at once where it has no business there."""
        person = order.owner
        if who == "administrator":
            return self.as_admin, 0
        if who == "stranger":
            person = next(one for one in self.books.people if one is not order.owner)
        if not person.active:
            return self.clients[person.pk], 401
        return self.clients[person.pk], 404 if who == "stranger" else 0

    def _call(self, name: str, order: Order, who: str, method: str, path: str) -> Any:
        """The answer, or None where it was a refusal that says nothing of the order."""
        client, refusal = self._caller(order, who)
        answer = getattr(client, method)(path)
        self.note(f"{name} {answer.status_code}")
        if refusal:
            assert answer.status_code == refusal
            return None
        return answer

    def _any_video(self, data: st.DataObject, *statuses: str) -> Video:
        """More often one in these statuses."""
        fitting = [video for video in self.books.videos if video.status in statuses]
        return data.draw(st.sampled_from(fitting * 3 + self.books.videos))

    def _any_order(self, data: st.DataObject) -> Order:
        return data.draw(st.sampled_from(self.books.orders))

    @act(3, when=lambda self: self.books.videos, who=WHO)
    def cancel(self, data: st.DataObject, who: str) -> None:
        video = self._any_video(data)
        answer = self._call("cancel", video.order, who, "post", f"{ITEM.format(video)}/cancel")
        if answer:
            assert answer.status_code == (200 if self.books.cancel([video]) else 409)

    @act(1, when=lambda self: self.books.orders, who=WHO)
    def cancel_all(self, data: st.DataObject, who: str) -> None:
        order = self._any_order(data)
        answer = self._call("cancel all", order, who, "post", f"{BATCH.format(order)}/cancel")
        if answer:
            assert answer.status_code == 200
            assert answer.json()["count"] == self.books.cancel(order.videos)

    @act(4, when=lambda self: self.books.videos, who=WHO)
    def retry(self, data: st.DataObject, who: str) -> None:
        video = self._any_video(data, *SETTLED)
        answer = self._call("retry", video.order, who, "post", f"{ITEM.format(video)}/resume")
        if not answer:
            return
        if not self.books.retryable([video]):
            assert answer.status_code == 409
        elif self._retried(answer, video.order, [video]):
            assert answer.json() == {"success": True}

    @act(3, when=lambda self: self.books.orders, who=WHO)
    def retry_all(self, data: st.DataObject, who: str) -> None:
        order = self._any_order(data)
        answer = self._call("retry all", order, who, "post", f"{BATCH.format(order)}/retry_failed")
        if not answer:
            return
        count = len(self.books.retryable(order.videos))
        if self._retried(answer, order, order.videos):
            assert answer.json()["count"] == count

    def _retried(self, answer: Any, order: Order, videos: list[Video]) -> bool:
        """Whether they could be paid for, whoever asked."""
        required = len(self.books.retryable(videos)) * self.books.price
        if order.owner.credits < required:
            assert answer.status_code == 402
            assert answer.json()["required"] == required
            return False
        assert answer.status_code == 200
        self.books.retry(videos)
        return True

    @act(2, when=lambda self: self.books.videos)
    def replace(self, data: st.DataObject) -> None:
        """Another portrait in a failed one's place, past the calls that decode it."""
        video = self._any_video(data, *SETTLED)
        item = VideoItem.objects.select_related("batch__user").get(pk=video.pk)
        path = settings.MEDIA_ROOT / f"new {uuid4()}.jpg"
        path.write_bytes(b"image")
        portrait = PreparedPortrait("new.jpg", path, path, 160, 160)
        may = bool(self.books.retryable([video]))
        if not may or video.order.owner.credits < self.books.price:
            refusal = InsufficientCreditsError if may else ConflictError
            with pytest.raises(refusal):
                batches.item_replace(item=item, portrait=portrait, acting_user=item.batch.user)
            self.note("replace refused")
            return
        batches.item_replace(item=item, portrait=portrait, acting_user=item.batch.user)
        self.books.retry([video])
        item.refresh_from_db()
        assert item.original_name == "new.jpg"
        self.note("replace True")

    @act(3, when=lambda self: self.books.videos, who=WHO)
    def delete(self, data: st.DataObject, who: str) -> None:
        video = self._any_video(data, *SETTLED, "completed")
        answer = self._call("delete", video.order, who, "delete", ITEM.format(video))
        if answer:
            assert answer.status_code == (200 if self.books.delete(video) else 409)

    @act(1, when=lambda self: len(self.books.orders) > 2, who=WHO)
    def delete_order(self, data: st.DataObject, who: str) -> None:
        order = self._any_order(data)
        answer = self._call("delete batch", order, who, "delete", BATCH.format(order))
        if answer:
            assert answer.status_code == 200
            self.books.delete_order(order)

    @act(1, when=lambda self: self.books.orders)
    def put_first(self, data: st.DataObject) -> None:
        order = self._any_order(data)
        answer = self._call(
            "put first", order, "administrator", "post", f"/api/admin/batches/{order.pk}/first"
        )
        assert answer.json()["count"] == self.books.put_first(order)
