"""Fill an empty database: `python -m bench.fill ITEMS WAITING`. Prints a token and ids as `name=value`.

One administrator has fifty finished batches of twenty items and one of fifty; everything else belongs to
others.
"""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhiying.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from accounts.models import CreditEntry, User  # noqa: E402
from accounts.services.sessions import session_start  # noqa: E402
from accounts.services.users import user_create  # noqa: E402
from bench.rows import ITEMS_PER_BATCH, OTHERS, SPREAD_S, ago, insert, is_postgresql, text, uuid_of  # noqa: E402
from videos.models import Batch, VideoItem  # noqa: E402

USER, BATCH, ITEM, ENTRY = "1", "2", "3", "4"
FIRST_CREDITS = 100_000_000
OWN_BATCHES = 50
LARGE_BATCH = 50


def main(items: int, waiting: int) -> None:
    call_command("migrate", verbosity=0)
    me = user_create(
        username="bench", password="Correct-Horse-7", credits=1_000_000, is_admin=True, acting_user=None
    )
    own = OWN_BATCHES * ITEMS_PER_BATCH + LARGE_BATCH
    finished = max(0, items - own) // ITEMS_PER_BATCH
    queued = waiting // ITEMS_PER_BATCH
    with transaction.atomic():
        fill_users()
        fill_batches(finished, "completed", first=1, of=max(1, finished))
        fill_batches(queued, "pending", first=finished + 1, of=max(1, queued))
        number = finished + queued + 1
        mine = f"'{me.pk}'" if is_postgresql() else f"'{me.pk.hex}'"
        fill_batches(OWN_BATCHES, "completed", first=number, of=OWN_BATCHES, owner=mine)
        number += OWN_BATCHES
        fill_batches(1, "completed", first=number, of=1, owner=mine, size=LARGE_BATCH)
        fill_lanes()
        fill_ledger((finished + queued) * ITEMS_PER_BATCH)
    finish_up()
    print(f"token={session_start(me).access}")
    print(f"batch={Batch.objects.get(user=me, image_count=LARGE_BATCH).pk}")
    if queued:
        print(f"waiting={Batch.objects.filter(status='pending').first().pk}")  # type: ignore[union-attr]


def fill_users() -> None:
    values = {"id": uuid_of(USER), "username": f"'user' || {text('n')}", "password": "'!'"}
    names = {field.name for field in User._meta.concrete_fields}
    if "username_key" in names:
        values["username_key"] = values["username"]
    insert(User, OTHERS, {**values, "created_at": ago("n * 60")})


def fill_batches(
    count: int, status: str, *, first: int, of: int, owner: str = "", size: int = ITEMS_PER_BATCH
) -> None:
    """Batches of one state with their items; `of` spreads them over the year."""
    if not count:
        return
    made = ago(f"(n - {first}) * ({SPREAD_S} / {of}) + 60")
    insert(
        Batch,
        count,
        {
            "id": uuid_of(BATCH),
            "user_id": owner or uuid_of(USER, f"(n % {OTHERS}) + 1"),
            "name": f"'batch ' || {text('n')}",
            "audio": f"'batches/' || {text('n')} || '/audio.wav'",
            "audio_name": "'speech.wav'",
            "audio_duration_s": "12.5",
            "image_count": str(size),
            "status": f"'{status}'",
            f"{status}_count": str(size),
            "credits_used": "0" if status in ("failed", "cancelled") else str(size),
            "created_at": made,
        },
        first=first,
    )
    batch = f"((n - 1) / {size}) + {first}"
    done = status == "completed"
    stem = f"'batches/' || {text(batch)} || '/' || {text('n')}"
    at = ago(f"((n - 1) / {size}) * ({SPREAD_S} / {of}) + 30")
    values = {
        "id": uuid_of(ITEM, f"n + {first} * 1000"),
        "batch_id": uuid_of(BATCH, batch),
        "user_id": owner or uuid_of(USER, f"(({batch}) % {OTHERS}) + 1"),
        "position": f"(n - 1) % {size}",
        "original_name": f"'face ' || {text('n')} || '.jpg'",
        "source_image": f"{stem} || '.jpg'",
        "thumbnail": f"{stem} || '-thumbnail.jpg'",
        "width": "1024",
        "height": "1024",
        "status": f"'{status}'",
        "queued_at": at,
        "not_before": at,
    }
    if done:
        result = {"video": f"{stem} || '-1.mp4'", "poster": f"{stem} || '-1.jpg'", "duration_s": "12.5"}
        values |= {**result, "progress": "100", "attempt": "1", "started_at": at, "finished_at": at}
    insert(VideoItem, count * size, values)


def fill_lanes() -> None:
    """A lane for everybody whose items wait."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO queue_lanes (user_id, engine, urgent, weight, waiting, running, load, served_at)"
            " SELECT user_id, '', false, 1, sum(pending_count), 0, 0, '1970-01-01 00:00:00'"
            " FROM batches WHERE pending_count > 0 GROUP BY user_id"
        )
        cursor.execute(
            "UPDATE video_items SET lane_id = (SELECT l.id FROM queue_lanes l JOIN batches b"
            " ON b.user_id = l.user_id WHERE b.id = video_items.batch_id) WHERE status = 'pending'"
        )


def fill_ledger(items: int) -> None:
    """A grant for everybody and a charge for each item, with the balances that follow."""
    insert(
        CreditEntry,
        OTHERS,
        {
            "id": uuid_of(ENTRY),
            "user_id": uuid_of(USER),
            "kind": "'grant'",
            "amount": str(FIRST_CREDITS),
            "balance_after": str(FIRST_CREDITS),
            "operation_key": f"'grant:' || {text('n')}",
            "created_at": ago(str(SPREAD_S * 2)),
        },
    )
    if items:
        batch = f"((n - 1) / {ITEMS_PER_BATCH} + 1)"
        before = f"(({batch} - 1) / {OTHERS}) * {ITEMS_PER_BATCH} + (n - 1) % {ITEMS_PER_BATCH} + 1"
        insert(
            CreditEntry,
            items,
            {
                "id": uuid_of(ENTRY, f"n + {OTHERS}"),
                "user_id": uuid_of(USER, f"({batch} % {OTHERS}) + 1"),
                "kind": "'charge'",
                "amount": "-1",
                "balance_after": f"{FIRST_CREDITS} - ({before})",
                "operation_key": f"'charge:' || {text('n')}",
                "batch_id": uuid_of(BATCH, batch),
                "item_id": uuid_of(ITEM, "n"),
                "created_at": ago(f"{SPREAD_S} - n * ({SPREAD_S} / {items})"),
            },
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE users SET credits = (SELECT sum(amount) FROM credit_entries WHERE user_id = users.id)"
        )


def finish_up() -> None:
    """Sums as they would have been kept, and the planner's statistics."""
    call_command("rebuild_usage", stdout=sys.stderr)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if is_postgresql() else "ANALYZE")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
