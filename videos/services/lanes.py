"""Lanes: where a user's items wait, with counters that change in the transactions of the items."""

from collections.abc import Mapping
from uuid import UUID

from django.db.models import F, FloatField
from django.db.models.functions import Cast

from accounts.models import User
from videos.models import ItemStatus, QueueLane

COUNTERS: Mapping[ItemStatus, str] = {ItemStatus.PENDING: "waiting", ItemStatus.PROCESSING: "running"}
"""What a lane counts."""


def lane_of(user_id: UUID, *, engine: str = "", urgent: bool = False) -> QueueLane:
    """The user's lane, made on first use, with the weight that their group has now."""
    weight = User.objects.values_list("group__queue_weight", flat=True).get(pk=user_id) or 1
    lane, made = QueueLane.objects.get_or_create(
        user_id=user_id, engine=engine, urgent=urgent, defaults={"weight": weight}
    )
    if not made and lane.weight != weight:
        QueueLane.objects.filter(pk=lane.pk).update(
            weight=weight, load=Cast(F("running"), FloatField()) / weight
        )
    return lane


def count(lane_id: int | None, status: ItemStatus, items: int) -> None:
    """Count `items` more (or fewer) of a lane's items in a status; others are not counted."""
    counter = COUNTERS.get(status)
    if lane_id is None or counter is None:
        return
    changes = {counter: F(counter) + items}
    if counter == "running":
        changes["load"] = Cast(F("running") + items, FloatField()) / F("weight")
    QueueLane.objects.filter(pk=lane_id).update(**changes)
