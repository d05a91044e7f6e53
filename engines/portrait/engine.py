"""The portrait engine: a photo talks, on the CPU alone.

Every process of an installation asks what an engine can do, and one alone renders: what renders is loaded
there. With its libraries it takes half a second and 60 MB.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from engines.base import (
    Cancelled,
    Capabilities,
    EngineUnavailableError,
    Progress,
    Readiness,
    RenderResult,
    RenderSpec,
)
from engines.portrait.face.models import SHA256, verified_file
from engines.portrait.video.rate import FPS

if TYPE_CHECKING:
    from engines.portrait.renderer import PortraitRenderer


class PortraitEngine:
    """Implements `engines.base.Engine`. One per process, used from one thread."""

    def capabilities(self) -> Capabilities:
        return Capabilities(
            name="portrait",
            label="Portrait (CPU)",
            min_side_px=128,
            max_side_px=8000,
            min_audio_s=0.5,
            max_audio_s=300.0,
            fps=FPS,
            needs_face=True,
        )

    def readiness(self) -> Readiness:
        try:
            for name in SHA256:
                verified_file(name)
        except EngineUnavailableError as error:
            return Readiness.no(error)
        return Readiness(ready=True)

    def warm_up(self) -> None:
        """Load the face networks; raises `EngineUnavailableError`."""
        self._renderer.warm_up()

    def render(self, spec: RenderSpec, progress: Progress, cancelled: Cancelled) -> RenderResult:
        """Render `spec`; raises an `EngineError` and leaves no file behind when that is impossible."""
        return self._renderer.render(spec, progress, cancelled)

    @cached_property
    def _renderer(self) -> "PortraitRenderer":
        from engines.portrait.renderer import PortraitRenderer

        return PortraitRenderer()
