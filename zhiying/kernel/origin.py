"""Where an action comes from: a request, a command, or the system itself.

The composition says so once, at the edge; services that keep a record of who did what read it here, and
stay free of HTTP types.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from uuid import uuid4

from zhiying.kernel.commands import InstallationCommand

_REQUEST_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class Origin:
    """What is known about the cause of whatever happens now; empty where it does not apply."""

    request_id: str = ""
    client_address: str | None = None
    command: str = ""


_NOWHERE = Origin()
_current: ContextVar[Origin] = ContextVar("origin", default=_NOWHERE)


def current_origin() -> Origin:
    """The origin of what this thread does now; an empty one outside of requests and commands."""
    return _current.get()


@contextmanager
def acting_from(origin: Origin) -> Iterator[None]:
    """Whatever happens inside has this origin."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


def request_origin(*, request_id: str, client_address: str) -> Origin:
    """The origin of a request; what is not a plain id is replaced, what is not an address is left out."""
    known = request_id if _REQUEST_ID.fullmatch(request_id) else uuid4().hex
    try:
        address = str(ip_address(client_address.partition("%")[0]))
    except ValueError:
        return Origin(request_id=known)
    return Origin(request_id=known, client_address=address)


class NamedCommand(InstallationCommand):
    """A management command whose actions are recorded under its name."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        with acting_from(Origin(command=type(self).__module__.rpartition(".")[2])):
            return super().execute(*args, **options)
