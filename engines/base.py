"""The interface every generation engine implements."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Progress = Callable[[float], None]
"""Called with the finished share of the render, 0.0 to 1.0, in rising order."""

Cancelled = Callable[[], bool]
"""Asked between frames; once it answers True the engine raises `RenderCancelled`."""


class EngineError(Exception):
    """A render that failed for a reason a user can be told.

    `code` is stable and machine-readable, `detail` a sentence for people, and `retryable`
    says whether the same input may succeed later (trouble of the engine, not of the input).
    """

    code = "engine_error"
    retryable = False

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NoFaceError(EngineError):
    """The portrait shows no face the engine can animate."""

    code = "no_face"


class UnusablePortraitError(EngineError):
    """The portrait cannot be read, or its face is too small or turned too far away."""

    code = "unusable_portrait"


class UnusableAudioError(EngineError):
    """The recording cannot be decoded, or is shorter or longer than the engine takes."""

    code = "unusable_audio"


class EngineUnavailableError(EngineError):
    """The engine cannot work now: missing models, unreachable service, rejected credentials."""

    code = "engine_unavailable"
    retryable = True


class RenderCancelled(EngineError):  # noqa: N818  (an answer to a wish, not an error)
    """The caller asked to stop."""

    code = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What an engine can take and how much of it at once."""

    name: str
    label: str
    """The engine's name for people."""
    min_side_px: int
    max_side_px: int
    min_audio_s: float
    max_audio_s: float
    fps: int
    max_concurrent: int | None = None
    """How many renders may run at once over all machines; None means no limit."""
    understands_prompt: bool = True


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Whether the engine could render now, and if not, why."""

    ready: bool
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class RenderSpec:
    """One render. All paths are absolute and local; the engine opens no others.

    `portrait` is an upright JPEG or PNG; `audio` any decodable recording (the platform hands over
    48 kHz mono 16-bit WAV). `output` and `poster` are written to a temporary sibling and renamed, so
    they exist only when whole.
    """

    portrait: Path
    audio: Path
    output: Path
    poster: Path | None = None
    prompt: str = ""
    seed: int = 0
    """Makes a performance reproducible; differs from item to item of a batch."""
    threads: int = 0
    """Cores to use, by threads or processes; 0 lets the engine choose."""
    cache_dir: Path | None = None
    """Where results that depend on the audio alone are kept between renders; None keeps none."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Engine-specific settings, such as the label of the portrait engine."""


@dataclass(frozen=True, kw_only=True)
class RenderResult:
    """Facts about a finished video."""

    duration_s: float
    width: int
    height: int
    frames: int
    fps: int
    notes: tuple[str, ...] = ()
    """What a person should know: the face chosen of several, the prompt words understood."""


class Engine(Protocol):
    """A generation engine. Instances are made once per process and used from one thread."""

    def capabilities(self) -> Capabilities: ...

    def readiness(self) -> Readiness:
        """Cheap enough to be asked every few seconds; never raises."""
        ...

    def warm_up(self) -> None:
        """Load models and code, so that the first render does not pay for it."""
        ...

    def render(self, spec: RenderSpec, progress: Progress, cancelled: Cancelled) -> RenderResult:
        """Write `spec.output`; raise an `EngineError` when that is impossible."""
        ...
