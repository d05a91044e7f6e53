"""The credit ledger: the only code that changes a user's credits.

Every movement is one transaction: the user's row is locked, the cached balance moves by a guarded
UPDATE, and entries with unique operation keys say why. Whatever else belongs to the operation (items
that are created, cancelled, failed) is written by the caller in the same transaction.

Lock order, everywhere: user row, then batch row, then item rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts import counters
from accounts.models import AuditAction, CreditEntry, EntryKind, User
from accounts.services import audit_log, usage
from zhiying.kernel.clock import as_told, database_now
from zhiying.kernel.counting import count_once_committed
from zhiying.kernel.errors import ConflictError, DomainError, InvalidError, NotFoundError

MAX_CREDITS = 1_000_000_000
"""The largest balance that people can bring about, and the largest single movement; refunds come on top."""
MAX_REASON_CHARS = 500
MAX_KEY_CHARS = 294
"""Of a top-up: what fits into `operation_key`."""


class InsufficientCreditsError(DomainError):
    """The user has fewer credits than the operation costs."""

    code = "insufficient_credits"
    status = 402

    def __init__(self, *, required: int, available: int) -> None:
        super().__init__(
            _("Not enough credits: %(required)d needed, %(available)d available.")
            % {"required": required, "available": available},
            extra={"required": required, "available": available},
        )


@dataclass(frozen=True)
class Run:
    """One paid attempt of a user at one item: what a charge and its refund are about."""

    batch_id: UUID
    item_id: UUID
    number: int
    price: int
    """Credits."""

    def operation_key(self, kind: EntryKind) -> str:
        return f"{kind}:{self.item_id}:{self.number}"


def lock_user(user_id: UUID) -> User:
    """Lock the user's row until the transaction ends; the first lock of every credit operation."""
    return lock_user_at(user_id)[0]


def lock_user_at(user_id: UUID) -> tuple[User, datetime]:
    """As `lock_user`, with the database's time."""
    users = User.objects.select_for_update(no_key=True).filter(pk=user_id)
    user = users.annotate(told=database_now()).first()
    if user is None:
        raise NotFoundError(_("There is no such user."))
    return user, as_told(user.told)


def charge_runs(*, user_id: UUID, runs: Sequence[Run], note: str = "") -> int:
    """Charge each run its price; returns the balance left. Call inside the transaction that creates the runs.

    Raises:
        InsufficientCreditsError: nothing was charged.
    """
    return _move_runs(user_id, EntryKind.CHARGE, runs, note)


def refund_runs(*, user_id: UUID, runs: Sequence[Run], note: str = "") -> int:
    """Give back what each run cost; returns the balance. Call inside the transaction that ends the runs.

    A second refund of the same run violates the unique operation key and rolls that transaction back.
    """
    return _move_runs(user_id, EntryKind.REFUND, runs, note)


def _move_runs(user_id: UUID, kind: EntryKind, runs: Sequence[Run], note: str) -> int:
    sign = -1 if kind == EntryKind.CHARGE else 1
    drafts = [
        CreditEntry(
            user_id=user_id,
            kind=kind,
            amount=sign * run.price,
            operation_key=run.operation_key(kind),
            batch_id=run.batch_id,
            item_id=run.item_id,
            note=note[:MAX_REASON_CHARS],
        )
        for run in runs
    ]
    balance = _write(user_id, drafts)
    moved = sum(run.price for run in runs)
    if kind == EntryKind.CHARGE:
        usage.record(user_id=user_id, charged=moved)
        count_once_committed(counters.CHARGED, moved)
    else:
        usage.record(user_id=user_id, refunded=moved)
        count_once_committed(counters.REFUNDED, moved)
    return balance


def grant_signup(*, user: User, amount: int, acting_user: User | None) -> None:
    """The credits a new user starts with; once per user."""
    if amount:
        _write(user.pk, [_draft(user, EntryKind.GRANT, amount, f"grant:{user.pk}", actor=acting_user)])


@transaction.atomic
def top_up(
    *, user_id: UUID, amount: int, reason: str, acting_user: User | None, key: str = ""
) -> CreditEntry:
    """Add bought or given credits. With the same `key` again the first entry is returned, as `repeated`.

    Raises:
        InvalidError: the amount is not between 1 and `MAX_CREDITS`, no reason is given, or a text is too
            long to be kept whole.
        ConflictError: the key was used for another user or amount.
    """
    if not 0 < amount <= MAX_CREDITS:
        raise InvalidError(_("The amount must be between 1 and %(max)d.") % {"max": MAX_CREDITS})
    if len(key) > MAX_KEY_CHARS:
        raise InvalidError(_("The key is longer than %(max)d characters.") % {"max": MAX_KEY_CHARS})
    user = lock_user(user_id)
    operation_key = f"topup:{key or uuid4()}"
    earlier = CreditEntry.objects.filter(operation_key=operation_key).first()
    if earlier:
        if (earlier.user_id, earlier.amount) != (user.pk, amount):
            raise _key_reused(key)
        earlier.repeated = True
        return earlier
    draft = _draft(user, EntryKind.TOPUP, amount, operation_key, actor=acting_user, note=_required(reason))
    try:
        _write(user.pk, [draft])
    except IntegrityError as error:
        # Another user's row is another lock: the key was used for them while we looked.
        raise _key_reused(key) from error
    _record(AuditAction.CREDITS_TOPUP, user, draft, acting_user)
    return draft


def _key_reused(key: str) -> ConflictError:
    return ConflictError(
        _("The key “%(key)s” was used for another top-up.") % {"key": key}, code="key_reused"
    )


@transaction.atomic
def set_credits(*, user_id: UUID, new_credits: int, reason: str, acting_user: User | None) -> int:
    """Set the balance, as an administrator's decision; returns it."""
    if not 0 <= new_credits <= MAX_CREDITS:
        raise InvalidError(_("Credits must be between 0 and %(max)d.") % {"max": MAX_CREDITS})
    user = lock_user(user_id)
    difference = new_credits - user.credits
    draft = _draft(user, EntryKind.SET, difference, f"set:{uuid4()}", actor=acting_user, note=reason)
    _write(user.pk, [draft])
    _record(AuditAction.CREDITS_SET, user, draft, acting_user)
    return draft.balance_after


@transaction.atomic
def adjust_credits(*, user_id: UUID, delta: int, reason: str, acting_user: User | None) -> int:
    """Raise or lower the balance by `delta`, as an administrator's decision; returns the balance."""
    if not 0 < abs(delta) <= MAX_CREDITS:
        raise InvalidError(_("The change must not be zero, nor above %(max)d.") % {"max": MAX_CREDITS})
    user = lock_user(user_id)
    note = _required(reason)
    draft = _draft(user, EntryKind.ADJUST, delta, f"adjust:{uuid4()}", actor=acting_user, note=note)
    _write(user.pk, [draft])
    _record(AuditAction.CREDITS_ADJUST, user, draft, acting_user)
    return draft.balance_after


def _record(action: AuditAction, user: User, entry: CreditEntry, acting_user: User | None) -> None:
    audit_log.record(
        action,
        acting_user=acting_user,
        target=user,
        owner=user,
        name=user.username,
        reason=entry.note,
        details={"amount": entry.amount, "balance": entry.balance_after},
    )


def _required(reason: str) -> str:
    if not reason.strip():
        raise InvalidError(_("Give a reason: it is kept with the change."), code="reason_required")
    if len(reason.strip()) > MAX_REASON_CHARS:
        text = _("The reason is longer than %(max)d characters.")
        raise InvalidError(text % {"max": MAX_REASON_CHARS})
    return reason.strip()


def _draft(
    user: User, kind: EntryKind, amount: int, operation_key: str, *, actor: User | None = None, note: str = ""
) -> CreditEntry:
    return CreditEntry(
        user=user,
        kind=kind,
        amount=amount,
        operation_key=operation_key,
        actor=actor,
        note=note.strip()[:MAX_REASON_CHARS],
    )


def _write(user_id: UUID, drafts: Sequence[CreditEntry]) -> int:
    """Move the balance by the drafts' sum and save them with their running balances."""
    total = sum(draft.amount for draft in drafts)
    user = User.objects.filter(pk=user_id, credits__gte=-total)
    if total > 0 and any(draft.kind != EntryKind.REFUND for draft in drafts):
        # Not of refunds: what cannot be refunded cannot end. Nor of what makes the balance smaller.
        user = user.filter(credits__lte=MAX_CREDITS - total)
    with transaction.atomic():
        # The guard is in the UPDATE itself: what was read before it may be out of date.
        moved = user.update(credits=F("credits") + total)
        found = User.objects.filter(pk=user_id).values_list("credits", database_now()).first()
        if found is None:
            raise NotFoundError(_("There is no such user."))
        balance, now = int(found[0]), as_told(found[1])
        if not moved:
            raise _refusal(total, balance)
        running = balance - total
        for draft in drafts:
            running += draft.amount
            draft.balance_after = running
            draft.created_at = now
        CreditEntry.objects.bulk_create(drafts)
    return balance


def _refusal(total: int, balance: int) -> DomainError:
    if total < 0:
        return InsufficientCreditsError(required=-total, available=balance)
    return InvalidError(_("Credits must be between 0 and %(max)d.") % {"max": MAX_CREDITS})
