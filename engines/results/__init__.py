"""What an engine made is proven to be a video of this recording, and made ours: format, label, poster."""

from pathlib import Path

from engines.base import Cancelled, Progress, RenderResult, RenderSpec


def make_ours(generated: Path, spec: RenderSpec, progress: Progress, cancelled: Cancelled) -> RenderResult:
    """As `engines.results.making` does, which is loaded now: every process knows engines, one renders."""
    from engines.results import making

    return making.make_ours(generated, spec, progress, cancelled)
