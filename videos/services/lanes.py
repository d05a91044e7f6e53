"""Lanes: where a user's items wait, with counters that change in the transactions of the items."""

from collections.abc import Mapping
from uuid import UUID

from django.db.models import F, FloatField, OuterRef, Subquery
from django.db.models.functions import Cast, Coalesce

from accounts.models import User
from videos.models import ItemStatus, QueueLane

_WEIGHT_OF_OWNER = User.objects.filter(pk=OuterRef("user")).values("group__queue_weight")

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


def refresh_weights() -> int:
    """Give lanes in which something waits the weight of their user's group, where that has changed since."""
    group_weight = Coalesce(Subquery(_WEIGHT_OF_OWNER), 1)
    stale = QueueLane.objects.filter(waiting__gt=0).annotate(now=group_weight).exclude(weight=F("now"))
    changed = 0
    for lane_id, weight in stale.values_list("pk", "now"):
        changed += QueueLane.objects.filter(pk=lane_id).update(
            weight=weight, load=Cast(F("running"), FloatField()) / weight
        )
    return changed


def count(lane_id: int | None, status: ItemStatus, items: int) -> None:
    """Count `items` more (or fewer) of a lane's items in a status; others are not counted."""
    counter = COUNTERS.get(status)
    if lane_id is None or counter is None:
        return
    changes = {counter: F(counter) + items}
    if counter == "running":
        changes["load"] = Cast(F("running") + items, FloatField()) / F("weight")
    QueueLane.objects.filter(pk=lane_id).update(**changes)
