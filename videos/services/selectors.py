"""Reading batches and items: who may see which."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services.ledger_reads import start_of_day
from videos.models import Batch, VideoItem
from zhiying.kernel.errors import NotFoundError


def batches_of(user: User) -> "QuerySet[Batch]":
    """The user's own batches, newest first."""
    return Batch.objects.filter(user=user).order_by("-created_at", "-id")


def with_items(batches: "QuerySet[Batch]") -> "QuerySet[Batch]":
    """Batches with owner and items in two queries more, however many."""
    items = VideoItem.objects.order_by("position")
    return batches.select_related("user").prefetch_related(Prefetch("items", items))


def filtered(batches: "QuerySet[Batch]", filters: dict[str, Any]) -> "QuerySet[Batch]":
    """Apply the list filters `search`, `status`, `user`, `date_from`, `date_to` (local days)."""
    if search := filters.get("search"):
        batches = batches.filter(name__icontains=search)
    if status := filters.get("status"):
        batches = batches.filter(status=status)
    if user := filters.get("user"):
        batches = batches.filter(user_id=user)
    if start := filters.get("date_from"):
        batches = batches.filter(created_at__gte=start_of_day(start))
    if end := filters.get("date_to"):
        batches = batches.filter(created_at__lt=start_of_day(end + timedelta(days=1)))
    return batches


def batch_for(user: User, batch_id: UUID, *, items: bool = False) -> Batch:
    """A batch the user may see: their own, or any for an administrator.

    Raises:
        NotFoundError: also for other people's batches, which are not to be told from none.
    """
    batches = Batch.objects.select_related("user")
    if not user.is_admin:
        batches = batches.filter(user=user)
    batch = (with_items(batches) if items else batches).filter(pk=batch_id).first()
    if batch is None:
        raise NotFoundError(_("There is no such batch."))
    return batch


def item_for(user: User, batch_id: UUID, item_id: UUID) -> VideoItem:
    """An item of a batch the user may see; `NotFoundError` otherwise."""
    batch = batch_for(user, batch_id)
    item = batch.items.select_related("batch").filter(pk=item_id).first()
    if item is None:
        raise NotFoundError(_("There is no such video in this batch."))
    return item
