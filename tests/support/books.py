"""What has to be true of credits and items at every moment, computed here without the application's code."""

from collections import Counter, defaultdict

from accounts.models import CreditEntry, User
from videos.models import Batch, QueueLane, VideoItem

SETTLED = ("failed", "cancelled")
STATUSES = ("pending", "processing", "completed", "failed", "cancelled")


def assert_books_balance() -> None:
    """Each balance is the sum of its ledger and not negative; each running balance follows from the last."""
    running: Counter[object] = Counter()
    for entry in CreditEntry.objects.order_by("number"):
        running[entry.user_id] += entry.amount
        assert entry.balance_after == running[entry.user_id] >= 0, entry
    for user in User.objects.all():
        assert user.credits == running[user.pk], user.username


def assert_runs_are_settled() -> None:
    """Each run of each item was charged once, and refunded once if and only if it did not complete."""
    entries: dict[object, Counter[str]] = defaultdict(Counter)
    amounts: dict[str, int] = {}
    for entry in CreditEntry.objects.exclude(item_id=None):
        entries[entry.item_id][entry.operation_key] += 1
        amounts[entry.operation_key] = entry.amount
    for item in VideoItem.objects.all():
        expected = Counter(f"charge:{item.pk}:{run}" for run in range(1, item.run + 1))
        ended = range(1, item.run + (1 if item.status in SETTLED else 0))
        expected.update(f"refund:{item.pk}:{run}" for run in ended)
        assert entries[item.pk] == expected, (item.status, item.run)
        assert amounts[f"charge:{item.pk}:{item.run}"] == -item.price, item.pk
        for run in ended:
            assert amounts[f"refund:{item.pk}:{run}"] == -amounts[f"charge:{item.pk}:{run}"], (item.pk, run)


def assert_batches_know_what_they_cost() -> None:
    """Each batch's total is what the ledger says of it, net of refunds."""
    cost: Counter[object] = Counter()
    for entry in CreditEntry.objects.filter(kind__in=["charge", "refund"]):
        cost[entry.batch_id] -= entry.amount
    for batch in Batch.objects.all():
        assert batch.credits_used == cost[batch.pk], batch.pk


def assert_counts_are_true() -> None:
    """Batches and lanes count their items as they are."""
    items = list(VideoItem.objects.values_list("batch_id", "lane_id", "status"))
    by_batch = Counter((batch_id, status) for batch_id, _, status in items)
    for batch in Batch.objects.all():
        counted = {status: getattr(batch, f"{status}_count") for status in STATUSES}
        assert counted == {status: by_batch[batch.pk, status] for status in STATUSES}, batch.pk
    by_lane = Counter((lane_id, status) for _, lane_id, status in items)
    for lane in QueueLane.objects.all():
        assert (lane.waiting, lane.running) == (by_lane[lane.pk, "pending"], by_lane[lane.pk, "processing"])
        assert lane.load == lane.running / lane.weight


def assert_all_is_settled() -> None:
    assert_books_balance()
    assert_runs_are_settled()
    assert_batches_know_what_they_cost()
    assert_counts_are_true()
