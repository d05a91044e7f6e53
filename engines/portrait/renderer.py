"""How the portrait engine renders: everything that is heavy to import, which only a render process does."""

import os
from pathlib import Path

import cv2

from engines.base import (
    Cancelled,
    EngineError,
    EngineUnavailableError,
    Progress,
    RenderCancelled,
    RenderResult,
    RenderSpec,
    machine_trouble,
)
from engines.cores import MAX_RENDER_THREADS, available_cores
from engines.portrait.face.faces import FaceFinder
from engines.portrait.memory import share_one_heap
from engines.portrait.performance.motion import Motion, choreograph
from engines.portrait.performance.prompt import understand
from engines.portrait.rig import PortraitRig, build_rig
from engines.portrait.speech.audio_cache import AudioPreparation
from engines.portrait.video.aigc import aigc_metadata
from engines.portrait.video.colour import bgr_from_planes
from engines.portrait.video.companion import Companions
from engines.portrait.video.encode import Joiner, VideoFormat
from engines.portrait.video.frames import FrameRenderer, planes_of
from engines.portrait.video.label import Label, LabelSettings, build_label
from engines.portrait.video.rate import FPS
from engines.portrait.video.render import VideoRender

POSTER_QUALITY = 90
RIG_SHARE, AUDIO_SHARE, FRAMES_SHARE = 0.02, 0.10, 0.99
"""Where on the progress bar the portrait, the recording and the frames are finished."""


class PortraitRenderer:
    """Holds what renders share: networks, and processes that draw. One per process, used from one thread."""

    def __init__(self) -> None:
        self._finder: FaceFinder | None = None
        self._companions = Companions()

    def warm_up(self) -> None:
        """Load the face networks; raises `EngineUnavailableError`."""
        if self._finder is None:
            share_one_heap()
            self._companions.ready(default_threads() - 1)  # they start while the networks are loaded
            self._finder = FaceFinder()
            self._finder.people  # noqa: B018  # loaded now rather than by the first render

    def render(self, spec: RenderSpec, progress: Progress, cancelled: Cancelled) -> RenderResult:
        """Render `spec`; raises an `EngineError` and leaves no file behind when that is impossible."""
        try:
            return self._render(spec, progress, cancelled)
        except EngineError:
            raise
        except (MemoryError, OSError) as error:
            raise machine_trouble(error) from error

    def _render(self, spec: RenderSpec, progress: Progress, cancelled: Cancelled) -> RenderResult:
        self.warm_up()
        assert self._finder is not None  # noqa: S101  # narrowing for the type checker
        understood = understand(spec.prompt)
        label_settings = LabelSettings.from_options(spec.options)
        _stop_if(cancelled)
        progress(0.0)
        companions = self._companions.ready((spec.threads or default_threads()) - 1)
        with AudioPreparation(spec.audio, spec.cache_dir) as preparation:
            moving = preparation.follow(
                lambda audio: choreograph(audio.track, understood.performance, spec.seed)
            )
            rig = build_rig(spec.portrait, self._finder)
            progress(RIG_SHARE)
            audio = preparation.result(_part(progress, RIG_SHARE, AUDIO_SHARE), cancelled)
            motion = moving.result()
            size = VideoFormat(rig.planes.width, rig.planes.height)
            label = build_label(label_settings, size.width, size.height)
            with VideoRender(rig, motion, label, companions) as render:
                metadata = aigc_metadata(spec.options, spec.portrait, audio.key, spec.seed)
                with Joiner(spec.output, size, audio.sound, metadata) as joiner:
                    for packets in render.packets(_part(progress, AUDIO_SHARE, FRAMES_SHARE), cancelled):
                        joiner.write(packets)
        if spec.poster is not None:
            _write_poster(spec.poster, rig, motion, label)
        progress(1.0)
        return RenderResult(
            duration_s=len(motion) / FPS,
            width=size.width,
            height=size.height,
            frames=len(motion),
            fps=FPS,
            notes=(*rig.notes, *understood.notes),
        )


def default_threads() -> int:
    """One thread per core this process may use, up to what a video gains from."""
    return min(MAX_RENDER_THREADS, available_cores())


def _part(progress: Progress, start: float, end: float) -> Progress:
    """Progress 0..1 of a part, shown as `start`..`end` of the whole."""
    return lambda share: progress(start + share * (end - start))


def _stop_if(cancelled: Cancelled) -> None:
    if cancelled():
        raise RenderCancelled


def _write_poster(path: Path, rig: PortraitRig, motion: Motion, label: Label | None) -> None:
    """The first frame as a JPEG, renamed into place when whole."""
    picture = bgr_from_planes(planes_of(FrameRenderer(rig, label).draw(motion, 0)))
    written, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, POSTER_QUALITY])
    if not written:
        raise EngineUnavailableError("poster_not_encoded")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(data.tobytes())
    part.replace(path)
