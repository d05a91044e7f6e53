"""Items rendered by a worker of this process."""

from pathlib import Path

from accounts.models import CreditEntry, User
from tests.support.rows import make_item
from tests.support.scripted_engine import prompt
from videos.models import VideoItem
from videos.worker.runner import work_once


def refunds() -> int:
    return CreditEntry.objects.filter(kind="refund").count()


def render(user: User, *acts: str, folder: Path | None = None) -> VideoItem:
    """Submit one item and let a worker do all there is to do about it."""
    item = make_item(user, prompt=prompt(*acts, folder=folder))
    while work_once():
        pass
    item.refresh_from_db()
    return item
