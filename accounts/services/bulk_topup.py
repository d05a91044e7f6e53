"""Top-ups from a CSV file: all lines or none."""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from accounts.models import CreditEntry, User
from accounts.models.user_names import username_key
from accounts.services import credits as ledger

LOOKUP_SIZE = 500
COLUMNS = ("username", "amount", "reason")


@dataclass(frozen=True)
class TopUpLine:
    """One line of the file, checked."""

    number: int
    user: User
    amount: int
    reason: str


class BadLinesError(Exception):
    """Some lines cannot be used; `problems` has a sentence for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(f"{len(problems)} bad lines")
        self.problems = problems


def read_lines(path: Path, *, default_reason: str = "") -> list[TopUpLine]:
    """Read and check a CSV file with a header `username,amount,reason`.

    Raises:
        BadLinesError: with every bad line. OSError: the file cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if missing := {"username", "amount"} - set(reader.fieldnames or ()):
                raise BadLinesError([f"line 1: the header lacks {', '.join(sorted(missing))}"])
            rows = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadLinesError([f"the file is not CSV in UTF-8: {error}"]) from error
    users = _users_named(row.get("username") or "" for _number, row in rows)
    problems: list[str] = []
    lines: list[TopUpLine] = []
    for number, row in rows:
        try:
            lines.append(_checked(number, row, users, default_reason))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if not rows:
        problems.append("the file has no lines below its header")
    if problems:
        raise BadLinesError(problems)
    return lines


@transaction.atomic
def top_up_all(lines: Sequence[TopUpLine], *, acting_user: User | None, key: str = "") -> list[CreditEntry]:
    """Credit every line in one transaction; returns the entries, those of earlier runs as `repeated`.

    With a `key`, each line is credited once however often the file is run. Users are locked in order of
    id, so that two files at once wait for each other instead of deadlocking.
    """
    return [
        ledger.top_up(
            user_id=line.user.pk,
            amount=line.amount,
            reason=line.reason,
            key=_line_key(key, line) if key else "",
            acting_user=acting_user,
        )
        for line in sorted(lines, key=lambda line: (str(line.user.pk), line.number))
    ]


def _checked(
    number: int, row: dict[str, str | None], users: dict[str, User], default_reason: str
) -> TopUpLine:
    name = (row.get("username") or "").strip()
    text = (row.get("amount") or "").strip()
    reason = (row.get("reason") or "").strip() or default_reason
    user = users.get(username_key(name))
    if user is None:
        raise ValueError(f"there is no user named {name!r}")
    try:
        amount = int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number of credits") from None
    if not 0 < amount <= ledger.MAX_CREDITS:
        raise ValueError(f"the amount must be between 1 and {ledger.MAX_CREDITS}")
    if not reason:
        raise ValueError("there is no reason; add the column or give --reason")
    if len(reason) > ledger.MAX_REASON_CHARS:
        raise ValueError(f"the reason is longer than {ledger.MAX_REASON_CHARS} characters")
    return TopUpLine(number, user, amount, reason)


def _users_named(names: Iterable[str]) -> dict[str, User]:
    """The users of these names by their keys, looked up some at a time: a statement has a limit."""
    keys = sorted({username_key(name) for name in names})
    found: dict[str, User] = {}
    for start in range(0, len(keys), LOOKUP_SIZE):
        for user in User.objects.filter(username_key__in=keys[start : start + LOOKUP_SIZE]):
            found[user.username_key] = user
    return found


def _line_key(key: str, line: TopUpLine) -> str:
    digest = hashlib.sha256(key.encode()).hexdigest()[:24]
    return f"csv:{digest}:{line.number}"
