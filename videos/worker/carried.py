"""What a process knows of a remote job that it carries, beside the job's row."""

import time
from dataclasses import dataclass, field
from typing import TypeVar

from engines.remote import JobView
from videos.models import RemoteJob

ETA_STEP_S = 15
"""A server's estimate is shown anew when it has moved by about so much."""
MOST_IN_A_QUEUE, LONGEST_ETA_S = 1_000_000, 30 * 24 * 3600
SHOWN_OF_GENERATION = 95
"""Percent that a job has when its server is done; what is left is fetching and finishing."""

N = TypeVar("N", int, float)


@dataclass
class Carried:
    """A job of this process."""

    job: RemoteJob
    since: float = field(default_factory=time.monotonic)
    due: float = 0.0
    """When it is next looked at, or given to a hand."""
    busy: bool = False
    """A hand has it."""
    is_new: bool = False
    """Nothing was sent yet."""
    done: bool = False
    """The server has the result."""
    progress: int = 0
    position: int | None = None
    """In the server's queue."""
    eta_s: float | None = None
    shown: tuple[int, int | None, int | None] = (0, None, None)
    shown_at: float = 0.0

    def to_show(self) -> tuple[int, int | None, int | None]:
        """Percent, place in the server's queue, and its estimate in steps that are worth being written."""
        eta = None if self.eta_s is None else int(self.eta_s // ETA_STEP_S)
        return self.progress, self.position, eta

    def goes_on(self, view: JobView) -> None:
        """It waits or is worked on, as its server says."""
        self.progress = max(self.progress, int((view.progress or 0) * SHOWN_OF_GENERATION))
        self.position = _within(view.queue_position, 1, MOST_IN_A_QUEUE)
        self.eta_s = _within(view.eta_s, 0, LONGEST_ETA_S)

    def is_made(self) -> None:
        """Its result can be fetched, at once."""
        self.done, self.due = True, 0.0
        self.position = self.eta_s = None


def _within(told: N | None, least: int, most: int) -> N | None:
    """A server's number, if it can be meant: whatever it says, it has to fit into a row."""
    return told if told is not None and least <= told <= most else None
