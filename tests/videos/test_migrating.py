"""`manage.py migrate` comes again when others hold what it wants, and for no other reason."""

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.commands.migrate import Command as DjangoCommand
from django.db import OperationalError
from psycopg.errors import DeadlockDetected, LockNotAvailable, UndefinedTable

from zhiying.management.commands import migrate

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[type[Exception]]:
    """What each attempt meets; one more attempt goes well."""
    causes: list[type[Exception]] = []

    def handle(self: DjangoCommand, *args: Any, **options: Any) -> None:
        if causes:
            raise OperationalError from causes.pop(0)()

    monkeypatch.setattr(DjangoCommand, "handle", handle)
    monkeypatch.setattr(migrate, "PAUSE_S", 0.0)
    return causes


def test_it_is_tried_again_until_tables_are_free(
    attempts: list[type[Exception]], capsys: pytest.CaptureFixture[str]
) -> None:
    attempts += [LockNotAvailable, DeadlockDetected, LockNotAvailable]
    call_command("migrate")
    assert not attempts
    assert capsys.readouterr().err.count("tried again") == 1


def test_a_fault_is_told_at_once(attempts: list[type[Exception]]) -> None:
    attempts += [UndefinedTable, LockNotAvailable]
    with pytest.raises(OperationalError):
        call_command("migrate")
    assert attempts == [LockNotAvailable]
