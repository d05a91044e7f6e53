"""Proof and finish as a local engine: what a remote one made is decoded only where a process may die.

The render process takes it like any other: limits of time and memory, cancel and progress are the same.
"""

from pathlib import Path

from engines.base import (
    Cancelled,
    Capabilities,
    EngineError,
    Progress,
    Readiness,
    RenderResult,
    RenderSpec,
)
from engines.remote import GENERATED
from engines.results.making import make_ours


class FinishingEngine:
    """Implements `engines.base.Engine`."""

    def capabilities(self) -> Capabilities:
        return Capabilities(
            name="finishing",
            label="Finishing",
            min_side_px=1,
            max_side_px=100_000,
            min_audio_s=0,
            max_audio_s=100_000,
            fps=25,
        )

    def readiness(self) -> Readiness:
        return Readiness(ready=True)

    def warm_up(self) -> None:
        """Nothing is loaded."""

    def render(self, spec: RenderSpec, progress: Progress, cancelled: Cancelled) -> RenderResult:
        generated = spec.options.get(GENERATED, "")
        if not generated or not Path(generated).is_file():
            raise EngineError("result_missing")
        return make_ours(Path(generated), spec, progress, cancelled)
