"""The real portrait engine behind a gate: while it is closed, whatever is submitted stays in the works."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from engines.base import Cancelled, Progress, RenderResult, RenderSpec
from engines.portrait.engine import PortraitEngine

NAME = "gated"
VARIABLE = "CLOSED_GATE"
"""Names the file whose presence keeps renders waiting."""
CLOSED_S = 300
"""A gate that was forgotten opens by itself."""


@dataclass(frozen=True)
class Gate:
    """A gate that all renders of one installation have to pass. It is open at first."""

    bar: Path

    @property
    def variables(self) -> dict[str, str]:
        """What the environment of servers and workers has to hold."""
        return {
            "EXTRA_ENGINES": f"{NAME}={__name__}:GatedPortraitEngine",
            "GENERATION_ENGINE": NAME,
            VARIABLE: str(self.bar),
            "RENDER_ENVIRONMENT": VARIABLE,
        }

    def close(self, *, after: int = 0) -> None:
        """Let no more than `after` renders pass until it is opened."""
        self.bar.write_text(str(after))

    def open(self) -> None:
        self.bar.unlink()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Nothing that is submitted within the block is finished before its end."""
        self.close()
        try:
            yield
        finally:
            self.open()


class GatedPortraitEngine(PortraitEngine):
    """Is the portrait engine in all respects, but for the waiting."""

    def render(self, spec: RenderSpec, progress: Progress, cancelled: Cancelled) -> RenderResult:
        bar, deadline = Path(os.environ[VARIABLE]), time.monotonic() + CLOSED_S
        while not _passes(bar) and time.monotonic() < deadline:
            time.sleep(0.02)
        return super().render(spec, progress, cancelled)


def _passes(bar: Path) -> bool:
    """Whether the gate is open, or this is one of the few it lets pass."""
    try:
        places = int(bar.read_text() or 0)
    except FileNotFoundError:
        return True
    for place in range(places):
        with suppress(FileExistsError):
            bar.with_name(f"{bar.name}-{place}").touch(exist_ok=False)
            return True
    return False
