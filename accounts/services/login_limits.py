"""Limits on guessing, counted in the database so that they hold over all processes.

An attempt is counted before its password is looked at and given back when it was right, so that a hundred
guesses sent at once are a hundred attempts. Whoever logged in lately from a network keeps a count of their
own there: guesses from elsewhere, at them or at everybody, do not shut them out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts.models import CounterKind, KnownNetwork, LoginCounter, User
from accounts.models.user_names import username_key
from zhiying.kernel.client_address import network_of
from zhiying.kernel.clock import as_told, database_now
from zhiying.kernel.errors import DomainError
from zhiying.kernel.models import NEVER

KNOWN_FOR = timedelta(days=60)
"""How long a network counts as one the user logs in from."""
KNOWN_AGAIN_AFTER = timedelta(days=1)
"""How old the note of a known network may get before it is written again."""
MINUTE = timedelta(minutes=1)
PASSWORD_DIGITS = 4
"""Hex digits kept of a password's digest: enough to count one that is tried everywhere (65,536 classes),
and far too few to find out what it was."""


class TooManyAttemptsError(DomainError):
    """Too many wrong passwords, or too many calls, of one of the kinds that are counted."""

    code = "too_many_attempts"
    status = 429


@dataclass(frozen=True)
class _Bucket:
    """What one attempt counts towards."""

    kind: CounterKind
    subject: str
    limit: int
    window: timedelta
    user: User | None = None
    network: str = ""


@dataclass(frozen=True)
class Attempt:
    """One counted attempt of a user name and a password."""

    user: User | None
    network: str
    place: _Bucket
    counted: Sequence[_Bucket]

    def fail(self) -> None:
        """The attempt was wrong and stays counted.

        Raises:
            TooManyAttemptsError: it was the last one.
        """
        _refuse_if_full(self.counted)

    def give_back(self) -> None:
        """Not a guess: the password was right, and something else is missing."""
        _give_back(self.counted)

    def succeed(self) -> None:
        """It was the user: earlier mistakes from here are forgotten, and the network is known."""
        _rows([self.place]).delete()
        _give_back([bucket for bucket in self.counted if bucket is not self.place])
        if self.user is not None:
            note_network(self.user, self.network)


def begin_attempt(*, user: User | None, username: str, password: str, address: str) -> Attempt:
    """Count an attempt to log in as `username`.

    Raises:
        TooManyAttemptsError: nothing is to be tried now; the attempt was not counted.
    """
    network = network_of(address)
    name = username_key(username)
    window = timedelta(seconds=settings.LOGIN_WINDOW_S)
    place = _Bucket(
        CounterKind.PLACE,
        _digest("place", f"{network} {name}"),
        settings.LOGIN_FAILURE_LIMIT,
        timedelta(seconds=settings.LOGIN_COOLOFF_S),
        user,
        network,
    )
    everywhere = _Bucket(
        CounterKind.USER, _digest("user", name), settings.LOGIN_USER_FAILURE_LIMIT, window, user
    )
    whole_network = _Bucket(
        CounterKind.NETWORK,
        _digest("network", network),
        settings.LOGIN_NETWORK_FAILURE_LIMIT,
        window,
        network=network,
    )
    same_password = _Bucket(
        CounterKind.PASSWORD,
        _digest("password", password)[:PASSWORD_DIGITS],
        settings.LOGIN_PASSWORD_FAILURE_LIMIT,
        window,
    )
    everybody = _Bucket(
        CounterKind.INSTALLATION, "everybody", settings.LOGIN_INSTALLATION_FAILURE_LIMIT, window
    )
    counted = (place, everywhere, whole_network, same_password, everybody)
    at_home = user is not None and _is_known(user, network)
    _take(counted, decisive=(place, same_password) if at_home else counted)
    return Attempt(user, network, place, counted)


def count_call(call: str, address: str) -> None:
    """Count a call that anybody may make, by network and minute.

    Raises:
        TooManyAttemptsError: this network has made all it may in this minute.
    """
    network = network_of(address)
    subject = _digest("calls", f"{call} {network}")
    bucket = _Bucket(CounterKind.CALLS, subject, settings.ANONYMOUS_CALLS_PER_MINUTE, MINUTE, network=network)
    _take([bucket], decisive=[bucket])


def note_network(user: User, network: str) -> None:
    """Remember that the user is logged in from here."""
    notes = KnownNetwork.objects.filter(user=user, network=network)
    note = notes.annotate(is_old=Q(seen_at__lt=database_now(-KNOWN_AGAIN_AFTER))).first()
    if note is None:
        KnownNetwork.objects.bulk_create(
            [KnownNetwork(user=user, network=network, seen_at=database_now())], ignore_conflicts=True
        )
    elif note.is_old:
        notes.update(seen_at=database_now())


def forget_attempts(user: User) -> int:
    """Lift whatever locks this user out; returns how many counts there were."""
    return _delete(LoginCounter.objects.filter(user=user))


def limit_of(kind: str) -> int:
    """How many attempts of a kind there may be in its window."""
    limits: dict[CounterKind, int] = {
        CounterKind.PLACE: settings.LOGIN_FAILURE_LIMIT,
        CounterKind.USER: settings.LOGIN_USER_FAILURE_LIMIT,
        CounterKind.NETWORK: settings.LOGIN_NETWORK_FAILURE_LIMIT,
        CounterKind.PASSWORD: settings.LOGIN_PASSWORD_FAILURE_LIMIT,
        CounterKind.INSTALLATION: settings.LOGIN_INSTALLATION_FAILURE_LIMIT,
        CounterKind.CALLS: settings.ANONYMOUS_CALLS_PER_MINUTE,
    }
    return limits[CounterKind(kind)]


def delete_expired() -> int:
    """Remove counts and notes that are out of date; returns how many."""
    counts = _delete(LoginCounter.objects.filter(expires_at__lt=database_now()))
    return counts + KnownNetwork.objects.filter(seen_at__lt=database_now(-KNOWN_FOR)).delete()[0]


def _is_known(user: User, network: str) -> bool:
    lately = KnownNetwork.objects.filter(user=user, seen_at__gt=database_now(-KNOWN_FOR))
    return lately.filter(network=network).exists()


@transaction.atomic
def _take(buckets: Sequence[_Bucket], *, decisive: Sequence[_Bucket]) -> None:
    """Add one to every bucket, or to none when a decisive one is full.

    The rows are made and locked in one order, so that attempts at once wait for each other.
    """
    ordered = sorted(buckets, key=lambda bucket: (bucket.kind, bucket.subject))
    LoginCounter.objects.bulk_create(
        [
            LoginCounter(
                kind=bucket.kind,
                subject=bucket.subject,
                user=bucket.user,
                network=bucket.network,
                attempted_at=database_now(),
                expires_at=database_now(bucket.window),
            )
            for bucket in ordered
        ],
        ignore_conflicts=True,
    )
    rows, now = _read(_in_order(_rows(ordered)))
    for bucket in ordered:
        # A row that was deleted since (somebody succeeded, the sweep) is as good as an empty one.
        row = rows.get((bucket.kind, bucket.subject))
        if row and row.expires_at <= now:
            row.attempts = 0
    _refuse_rows(decisive, rows, now)
    for bucket in ordered:
        row = rows.get((bucket.kind, bucket.subject))
        if row is None:
            continue
        if row.attempts == 0 or bucket.kind == CounterKind.PLACE:
            row.expires_at = now + bucket.window
        row.attempts += 1
        row.attempted_at = now
    LoginCounter.objects.bulk_update(rows.values(), ["attempts", "attempted_at", "expires_at"])


@transaction.atomic
def _give_back(buckets: Sequence[_Bucket]) -> None:
    held = [row.pk for row in _in_order(_rows(buckets))]
    LoginCounter.objects.filter(pk__in=held, attempts__gt=0).update(attempts=F("attempts") - 1)


@transaction.atomic
def _delete(rows: "QuerySet[LoginCounter]") -> int:
    held = [row.pk for row in _in_order(rows)]
    return LoginCounter.objects.filter(pk__in=held).delete()[0]


def _in_order(rows: "QuerySet[LoginCounter]") -> "QuerySet[LoginCounter]":
    """Rows, locked in the one order in which everybody locks them."""
    return rows.select_for_update().order_by("kind", "subject")


def _refuse_if_full(buckets: Sequence[_Bucket]) -> None:
    rows, now = _read(_rows(buckets))
    _refuse_rows(buckets, rows, now)


def _read(counters: "QuerySet[LoginCounter]") -> tuple[dict[tuple[str, str], LoginCounter], datetime]:
    """The rows by what they count, and the database's time as it read them, which matters to rows alone."""
    rows: dict[tuple[str, str], LoginCounter] = {}
    now = NEVER
    for row in counters.annotate(told=database_now()):
        rows[row.kind, row.subject], now = row, as_told(row.told)
    return rows, now


def _refuse_rows(
    buckets: Iterable[_Bucket], rows: dict[tuple[str, str], LoginCounter], now: datetime
) -> None:
    full = [
        row.expires_at
        for bucket in buckets
        if (row := rows.get((bucket.kind, bucket.subject)))
        and row.attempts >= bucket.limit
        and row.expires_at > now
    ]
    if not full:
        return
    wait_s = max(1, ceil((max(full) - now).total_seconds()))
    raise TooManyAttemptsError(
        _("Too many attempts to log in. Try again in %(minutes)d minutes.") % {"minutes": ceil(wait_s / 60)},
        headers={"Retry-After": str(wait_s)},
    )


def _rows(buckets: Iterable[_Bucket]) -> "QuerySet[LoginCounter]":
    wanted = Q()
    for bucket in buckets:
        wanted |= Q(kind=bucket.kind, subject=bucket.subject)
    return LoginCounter.objects.filter(wanted)


def _digest(purpose: str, text: str) -> str:
    """A digest that only this installation can make."""
    return salted_hmac(f"login_limits.{purpose}", text, algorithm="sha256").hexdigest()
