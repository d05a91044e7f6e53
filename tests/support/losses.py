"""The answer to a write is lost: the client is told of an error, whatever the database has done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

MOST_COMMITS = 30
WRITES = ("INSERT", "UPDATE", "DELETE", "WITH")
"""Beginnings of statements that, outside of a transaction, commit themselves."""


class Loss:
    """Loses the answer to one commit, counted from 1."""

    def __init__(self, number: int, *, committed: bool) -> None:
        self.number, self.committed, self.commits = number, committed, 0

    @property
    def happened(self) -> bool:
        return self.commits >= self.number

    def carry_out(self, commit: Callable[[], Any]) -> Any:
        self.commits += 1
        if self.commits != self.number:
            return commit()
        if self.committed:
            commit()
        raise OperationalError("server closed the connection unexpectedly")


@contextmanager
def answer_lost(number: int, *, committed: bool) -> Iterator[Loss]:
    """The answer to the commit of that number is an error, though it was, or was not, carried out."""
    commit, execute = BaseDatabaseWrapper._commit, CursorWrapper._execute_with_wrappers  # type: ignore[attr-defined]  # private
    loss = Loss(number, committed=committed)

    def lose_commit(self: Any) -> Any:
        return loss.carry_out(lambda: commit(self))

    def lose_statement(self: Any, sql: str, *rest: Any, **options: Any) -> Any:
        def carry_out() -> Any:
            return execute(self, sql, *rest, **options)

        commits_itself = not self.db.in_atomic_block and str(sql).lstrip().startswith(WRITES)
        return loss.carry_out(carry_out) if commits_itself else carry_out()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "_commit", lose_commit)
        patch.setattr(CursorWrapper, "_execute_with_wrappers", lose_statement)
        yield loss


def each_loss(act: Callable[[], object], prepare: Callable[[], object] = lambda: None) -> Iterator[Loss]:
    """Let `act`, each time prepared anew, lose the answer to each of its commits, carried out and not."""
    for committed in (True, False):
        for number in range(1, MOST_COMMITS):
            prepare()
            with answer_lost(number, committed=committed) as loss:
                try:
                    act()
                except OperationalError:
                    assert loss.happened
                finally:
                    connections.close_all()
            if not loss.happened:
                break
            yield loss
        else:
            raise AssertionError(f"more than {MOST_COMMITS} commits")


@contextmanager
def gone_after(last: str) -> Iterator[list[str]]:
    """The database carries out a statement that begins so, and its commit, and answers nothing any more.

    Gives a list in which that statement then is.
    """
    gone: list[str] = []

    def carry_out(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if gone:
            raise OperationalError("server closed the connection unexpectedly")
        result = execute(sql, *rest)
        if sql.startswith(last):
            gone.append(sql)
        return result

    with connection.execute_wrapper(carry_out):
        yield gone
