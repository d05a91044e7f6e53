"""An engine that copies the portrait: what is left is the platform's own cost."""

import shutil

from engines.base import Cancelled, Capabilities, Progress, Readiness, RenderResult, RenderSpec


class CopyingEngine:
    """Renders nothing."""

    def capabilities(self) -> Capabilities:
        return Capabilities(
            name="copy",
            label="Copy",
            min_side_px=1,
            max_side_px=10_000,
            min_audio_s=0,
            max_audio_s=3600,
            fps=25,
        )

    def readiness(self) -> Readiness:
        return Readiness(ready=True)

    def warm_up(self) -> None:
        pass

    def render(self, spec: RenderSpec, progress: Progress, cancelled: Cancelled) -> RenderResult:
        shutil.copyfile(spec.portrait, spec.output)
        return RenderResult(duration_s=1, width=1, height=1, frames=25, fps=25)
