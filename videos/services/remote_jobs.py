"""Rows of remote jobs: the intent before anything is sent, who carries a job, and its end.

A worker that dies anywhere leaves a row. Another adopts it once `carried_until` has passed and goes on where
it was, under a new attempt of the same run: what the first still does afterwards is refused like that of any
late worker. While an item's attempt has a row, the sweep leaves the item alone.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db.models import F

from videos.models import ItemStatus, RemoteJob, VideoItem
from videos.services import attempts
from videos.services.attempts import Claim, Verdict
from zhiying.kernel.clock import database_now
from zhiying.kernel.locks import try_briefly

ADOPTED_AT_ONCE = 100
LEASES_LEFT = 3
"""For so long an overdue job waits for a worker that could cancel it at its server."""
PATIENCE_S = 0.5
TIME_IS_OVER = Verdict("render_timeout", retryable=True, tries_again=False)
State = RemoteJob.State


class LostJobError(Exception):
    """Another carries the job, or it is gone: this process was away for too long."""


def begin(claim: Claim, *, engine: str, carrier: UUID) -> RemoteJob | None:
    """Write down that a job is about to be sent; None when the claim is not good any more."""
    running = VideoItem.objects.filter(pk=claim.item_id, attempt=claim.attempt, status=ItemStatus.PROCESSING)
    if not running.exists():
        return None
    job = RemoteJob.objects.create(
        engine=engine,
        item_id=claim.item_id,
        batch_id=claim.batch_id,
        user_id=claim.user_id,
        lane_id=claim.lane_id,
        lane_engine=claim.engine,
        run=claim.run,
        attempt=claim.attempt,
        tries=claim.tries,
        carrier=carrier,
        carried_until=database_now(timedelta(seconds=settings.LEASE_S)),
        created_at=database_now(),
        ends_at=database_now(timedelta(seconds=settings.REMOTE_TIME_LIMIT_S)),
    )
    job.refresh_from_db()
    return job


def claim_of(job: RemoteJob) -> Claim:
    """The claim under which the job is carried."""
    return Claim(
        item_id=job.item_id,
        batch_id=job.batch_id,
        user_id=job.user_id,
        lane_id=job.lane_id,
        engine=job.lane_engine,
        run=job.run,
        attempt=job.attempt,
        tries=job.tries,
    )


def sent(job: RemoteJob, their_id: str) -> None:
    """The server has it."""
    _change(job, state=State.SENT, their_id=their_id, troubles=0)


def to_cancel(job: RemoteJob) -> None:
    """Nobody wants the result any more."""
    _change(job, state=State.CANCEL, troubles=0)


def count_trouble(job: RemoteJob, *, of_result: bool = False) -> None:
    """A step has to be taken again; `of_result`: because what the server made could not be used."""
    _change(job, troubles=job.troubles + 1, unfinished=job.unfinished + of_result)


def end(job: RemoteJob) -> None:
    """Nothing is left to do at the server; not of a job that another carries."""
    RemoteJob.objects.filter(pk=job.pk, carrier=job.carrier).delete()


def carried_by(carrier: UUID) -> set[UUID]:
    """Ids of the jobs that are still this carrier's."""
    return set(RemoteJob.objects.filter(carrier=carrier).values_list("pk", flat=True))


def overdue(carrier: UUID) -> set[UUID]:
    """Ids of those whose time is over."""
    late = RemoteJob.objects.filter(carrier=carrier, ends_at__lt=database_now())
    return set(late.values_list("pk", flat=True))


def renew(carrier: UUID, jobs: Collection[UUID]) -> int:
    """Keep these, as far as they are this carrier's; one statement.

    Those that it knows of: a row whose writing it never heard of (the answer to the COMMIT was lost) would
    be kept for ever, and nobody would go on with it.
    """
    until = database_now(timedelta(seconds=settings.LEASE_S))
    return RemoteJob.objects.filter(carrier=carrier, pk__in=jobs).update(carried_until=until)


def let_go(carrier: UUID, *, but: Collection[UUID]) -> int:
    """A carrier stops: others may go on at once, save with those (`but`) that a hand of it is still at."""
    left = RemoteJob.objects.filter(carrier=carrier).exclude(pk__in=but)
    return left.update(carried_until=database_now())


def let_go_all() -> int:
    """For a start at which no other carrier can exist."""
    return RemoteJob.objects.update(carried_until=database_now())


def adopt(
    carrier: UUID, engines: Collection[str], limit: int, *, but: Collection[UUID] = ()
) -> Iterator[RemoteJob]:
    """Take over jobs that nobody carries any more, the ones that were left first, one by one.

    `but`: those that the carrier knows of. After an outage that outlived its lease a hand may still be at
    them.
    """
    left = RemoteJob.objects.filter(engine__in=engines, carried_until__lte=database_now())
    left = left.exclude(pk__in=but)
    for job in left.order_by("carried_until")[: min(limit, ADOPTED_AT_ONCE)]:
        if try_briefly(partial(_take_over, job, carrier), patience_s=PATIENCE_S, what=f"Job {job.pk}"):
            yield job


def forget_overdue() -> int:
    """End what is over by the clock and what no worker has carried for a while, because none has its engine.

    Its item fails: what its server may have made is not to be made again elsewhere. A worker that has the
    engine comes first, within some leases, and tells the server.
    """
    left = database_now(-timedelta(seconds=LEASES_LEFT * settings.LEASE_S))
    overdue = RemoteJob.objects.filter(ends_at__lt=database_now(), carried_until__lt=left)
    ended = 0
    for job in overdue.order_by("ends_at")[:ADOPTED_AT_ONCE]:
        ended += try_briefly(partial(_fail_and_forget, job), patience_s=PATIENCE_S, what=f"Job {job.pk}") or 0
    return ended


def fail_for_time(claims: Iterable[Claim]) -> set[Claim]:
    """Fail these, whose time is over; returns those that need nothing more.

    The others have to be come back to: somebody holds their batch or their user, and none is waited for for
    long: one wait for each user and batch.
    """
    done, held = set[Claim](), set[UUID]()
    for claim in claims:
        if not held.isdisjoint((claim.user_id, claim.batch_id)):
            continue
        failed = try_briefly(
            partial(attempts.fail, claim, TIME_IS_OVER),
            patience_s=PATIENCE_S,
            what=f"Item {claim.item_id}",
            if_held=partial(held.update, (claim.user_id, claim.batch_id)),
        )
        if failed is not None:  # False: it has ended, or is another's
            done.add(claim)
    return done


def _fail_and_forget(job: RemoteJob) -> int:
    """Its item fails and its row goes, or neither; returns how many rows that were."""
    mine = RemoteJob.objects.filter(pk=job.pk, carrier=job.carrier, attempt=job.attempt)
    if not mine.select_for_update():  # before the item, as `_take_over` does
        return 0
    attempts.fail(claim_of(job), TIME_IS_OVER)
    return mine.delete()[0]


def _take_over(job: RemoteJob, carrier: UUID) -> bool:
    """A compare-and-set on the job decides who; the item's attempt follows, so that the earlier carrier's
    claim is worth nothing."""
    until = database_now(timedelta(seconds=settings.LEASE_S))
    mine = RemoteJob.objects.filter(pk=job.pk, carrier=job.carrier, carried_until=job.carried_until)
    if not mine.update(carrier=carrier, carried_until=until):
        return False
    items = VideoItem.objects.filter(pk=job.item_id, attempt=job.attempt, status=ItemStatus.PROCESSING)
    if items.update(attempt=F("attempt") + 1, lease_until=until):
        RemoteJob.objects.filter(pk=job.pk).update(attempt=F("attempt") + 1)
    job.refresh_from_db()
    return True


def _change(job: RemoteJob, **changes: object) -> None:
    if not RemoteJob.objects.filter(pk=job.pk, carrier=job.carrier).update(**changes):
        raise LostJobError(job.pk)
    for name, value in changes.items():
        setattr(job, name, value)
