"""What the database itself refuses of items and batches, whoever writes it."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from tests.support.rows import make_batch, make_item
from videos.models import Batch, VideoItem

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("item_status_known", {"status": "lost"}),
        ("item_progress_is_percent", {"progress": 101}),
        ("item_has_a_price", {"price": 0}),
        ("completed_item_has_video", {"status": "completed", "video": ""}),
        ("processing_item_has_lease", {"status": "processing", "lease_until": None}),
        ("failed_item_has_reason", {"status": "failed", "error_code": ""}),
    ],
)
def test_the_database_refuses_impossible_items(user: User, constraint: str, values: dict[str, Any]) -> None:
    item = make_item(user)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        VideoItem.objects.filter(pk=item.pk).update(**values)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("batch_status_known", {"status": "lost"}),
        ("batch_has_images", {"image_count": 0, "pending_count": 0}),
        ("batch_counts_its_images", {"pending_count": 0}),
    ],
)
def test_the_database_refuses_impossible_batches(user: User, constraint: str, values: dict[str, Any]) -> None:
    batch = make_batch(user)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(**values)


def test_two_items_of_a_batch_cannot_share_a_position(user: User) -> None:
    batch = make_batch(user, 2)
    with pytest.raises(IntegrityError), transaction.atomic():
        batch.items.update(position=0)
