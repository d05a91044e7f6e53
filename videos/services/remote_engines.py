"""Remote engines with the credentials that administrators set, and what their servers say of those."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NoReturn
from uuid import UUID

from engines.base import Capabilities, EngineError, Readiness
from engines.registry import make_remote_engine
from engines.remote import Credential, JobOrder, JobView, RemoteEngine
from videos.services import credentials

REFUSED = "credential_rejected"


def remote_engine(name: str, options: Mapping[str, str] = os.environ) -> RemoteEngine:
    """A remote engine that asks for its credential with each request.

    Raises:
        EngineUnavailableError: there is no engine of that name, or it cannot be imported or configured.
    """
    shown = _Shown(name)
    return _Noted(name, make_remote_engine(name, options, shown.credential), shown)


class _Shown:
    """Which credential a thread has shown in the call it is in: another one may be set meanwhile."""

    def __init__(self, engine: str) -> None:
        self._engine, self._thread = engine, threading.local()

    def credential(self) -> str:
        self._thread.secret = secret = credentials.credential_of(self._engine)
        return secret

    def begin(self) -> None:
        self._thread.secret = ""

    @property
    def last(self) -> str:
        return str(getattr(self._thread, "secret", ""))


class _Noted:
    """An engine whose every call tells whether the credential is good. Implements `RemoteEngine`."""

    def __init__(self, name: str, engine: RemoteEngine, shown: _Shown) -> None:
        self._name, self._engine, self._shown = name, engine, shown

    @classmethod
    def from_settings(cls, options: Mapping[str, str], credential: Credential) -> NoReturn:  # noqa: ARG003
        raise TypeError("`remote_engine` makes it, of an engine that is there")

    def capabilities(self) -> Capabilities:
        return self._engine.capabilities()

    def readiness(self) -> Readiness:
        self._shown.begin()
        ready = self._engine.readiness()
        if ready.ready or ready.code == REFUSED:
            credentials.note_use(engine=self._name, secret=self._shown.last, accepted=ready.ready)
        return ready

    def submit(self, order: JobOrder) -> str:
        with self._noted():
            return self._engine.submit(order)

    def find(self, job_id: UUID, since: datetime) -> str | None:
        with self._noted():
            return self._engine.find(job_id, since)

    def look(self, their_ids: Sequence[str]) -> Mapping[str, JobView]:
        with self._noted():
            return self._engine.look(their_ids)

    def fetch(self, their_id: str, target: Path) -> None:
        # Results often lie elsewhere, and who refuses them there was not shown the credential.
        self._engine.fetch(their_id, target)

    def cancel(self, their_id: str) -> None:
        with self._noted():
            self._engine.cancel(their_id)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        self._shown.begin()
        try:
            yield
        except EngineError as error:
            if error.code == REFUSED:
                credentials.note_use(engine=self._name, secret=self._shown.last, accepted=False)
            raise
        credentials.note_use(engine=self._name, secret=self._shown.last, accepted=True)
