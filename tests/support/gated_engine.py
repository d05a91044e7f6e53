"""The real portrait engine behind a gate: while it is closed, whatever is submitted stays in the works."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from videos.engines.base import Cancelled, Progress, RenderResult, RenderSpec
from videos.engines.portrait.engine import PortraitEngine

NAME = "gated"
VARIABLE = "CLOSED_GATE"
"""Names the file whose presence keeps renders waiting."""
CLOSED_S = 300
"""A gate that was forgotten opens by itself."""


@dataclass(frozen=True)
class Gate:
    """A gate that all renders of one server have to pass."""

    bar: Path

    @property
    def variables(self) -> dict[str, str]:
        """What the server's environment has to hold."""
        return {
            "EXTRA_ENGINES": f"{NAME}={__name__}:GatedPortraitEngine",
            "GENERATION_ENGINE": NAME,
            VARIABLE: str(self.bar),
        }

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Nothing that is submitted within the block is finished before its end."""
        self.bar.touch()
        try:
            yield
        finally:
            self.bar.unlink()


class GatedPortraitEngine(PortraitEngine):
    """Is the portrait engine in all respects, but for the waiting."""

    def render(self, spec: RenderSpec, progress: Progress, cancelled: Cancelled) -> RenderResult:
        bar, deadline = Path(os.environ[VARIABLE]), time.monotonic() + CLOSED_S
        while bar.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        return super().render(spec, progress, cancelled)
