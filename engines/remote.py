"""The interface of engines that work elsewhere: a job is submitted, looked at, fetched, cancelled.

A remote engine holds no thread and no process while a job runs. Whoever carries jobs keeps them as rows, asks
for many at once and decides when to ask again; the engine translates, and keeps nothing that a restart loses.
What `fetch` writes is the server's file as it came: `engines.results` proves it and makes it ours.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol, Self
from uuid import UUID

from engines.base import Capabilities, EngineError, Readiness

Credential = Callable[[], str]
"""Asked for with every request, so that a rotated credential needs no restart; empty when there is none."""

GENERATED = "generated"
"""The option of a render that names the file a remote engine brought, by its absolute path."""


class JobState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """The server does not know the id, or not any more: submit again."""


@dataclass(frozen=True, kw_only=True)
class JobOrder:
    """What a job is made of. Paths are local; the audio is 48 kHz mono 16-bit WAV."""

    job_id: UUID
    """Ours. Given to servers that take an id, so that sending twice makes one job."""
    portrait: Path
    audio: Path
    prompt: str
    seed: int
    audio_s: float
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class JobView:
    """What a server says of a job."""

    state: JobState
    progress: float | None = None
    """The finished share, 0 to 1, where the server tells it."""
    queue_position: int | None = None
    """1 is next."""
    eta_s: float | None = None
    error: EngineError | None = None
    """Why it failed; given with FAILED."""


class RemoteEngine(Protocol):
    """An engine elsewhere. Thread-safe; one instance per process.

    Raises `EngineBusyError` for what passes, `EngineStoppedError` for what an operator has to mend, any other
    `EngineError` for what is final for this input.
    """

    @classmethod
    def from_settings(cls, options: Mapping[str, str], credential: Credential) -> Self:
        """Make it from environment variables; raises `EngineStoppedError` when they make no sense."""
        ...

    def capabilities(self) -> Capabilities: ...

    def readiness(self) -> Readiness:
        """Whether jobs would be taken now. One bounded request at most; never raises."""
        ...

    def submit(self, order: JobOrder) -> str:
        """Send a job; returns the server's id of it.

        When the answer was lost the error says nothing of whether there is a job now: `find` does. An
        `EngineBusyError` with `nothing_sent`, as the HTTP client raises it where no connection came about,
        says that there is none: an engine that goes on asking after the job is made must not let one out.
        """
        ...

    def find(self, job_id: UUID, since: datetime) -> str | None:
        """The server's id of a job sent after `since` whose answer was lost; None: safe to send again."""
        ...

    def look(self, their_ids: Sequence[str]) -> Mapping[str, JobView]:
        """How jobs are; with one call where the server can. What could not be learned is left out.

        Raises only when nothing could be learned.
        """
        ...

    def fetch(self, their_id: str, target: Path) -> None:
        """Bring the result of a job that is done; `target` exists only when whole."""
        ...

    def cancel(self, their_id: str) -> None:
        """Stop a job; one that has ended or is unknown is no error. Ignore its states afterwards."""
        ...
