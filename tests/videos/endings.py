"""How attempts end in tests of items, and what that gave back."""

from accounts.models import CreditEntry
from engines.base import Note
from videos.models import VideoItem
from videos.services.attempts import StoredResult, Verdict

RESULT = StoredResult(
    video="batches/x/result/y-1.mp4", poster="", duration_s=0.6, notes=(Note.plain("one face"),)
)
FINAL = Verdict("no_face", "No face was found.")


def refunds(item: VideoItem) -> int:
    return CreditEntry.objects.filter(item_id=item.pk, kind="refund").count()
