"""The interface every generation engine implements."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from errno import EDQUOT, EMFILE, ENFILE, ENOMEM, ENOSPC, EROFS
from pathlib import Path
from typing import Literal, Protocol

from engines.sentences import FAILURES, NOTES, Param, filled

Progress = Callable[[float], None]
"""Called with the finished share of the render, 0.0 to 1.0, in rising order."""

Cancelled = Callable[[], bool]
"""Asked between frames; once it answers True the engine raises `RenderCancelled`."""


class EngineError(Exception):
    """A render that failed for a reason a user can be told.

    `code` is stable and machine-readable and has its sentence in `engines.sentences`; `params` are the
    values of that sentence. An engine that is installed beside ours may use codes of its own: it gives
    `detail`, its sentence, which is shown as it is. The classes say what kind of failure it is, and
    `retryable` whether the same input may succeed later (trouble of the engine, not of the input).
    """

    retryable = False

    def __init__(self, code: str = "engine_error", /, detail: str = "", **params: Param) -> None:
        self.code = code
        self.params = params
        self.detail = detail or (filled(FAILURES[code], params) if code in FAILURES else code)
        super().__init__(self.detail)


class NoFaceError(EngineError):
    """The portrait shows no face the engine can animate."""

    def __init__(self) -> None:
        super().__init__("no_face")


class UnusablePortraitError(EngineError):
    """The portrait cannot be read, or its face is too small or turned too far away."""


class UnusableAudioError(EngineError):
    """The recording cannot be decoded, or is shorter or longer than the engine takes."""


class EngineUnavailableError(EngineError):
    """The engine cannot work now: missing models, unreachable service, rejected credentials."""

    retryable = True


NO_ROOM = frozenset({ENOSPC, EDQUOT, EROFS, EMFILE, ENFILE, ENOMEM})


def is_for_want_of_room(error: Exception) -> bool:
    """Whether what a decoder or an encoder raised is about this machine, and says nothing of the file."""
    return isinstance(error, OSError) and error.errno in NO_ROOM


def machine_trouble(error: OSError | MemoryError) -> EngineUnavailableError:
    """For trouble with this machine's disk or memory: nothing about what was uploaded, and no path."""
    why = (isinstance(error, OSError) and error.strerror) or type(error).__name__
    return EngineUnavailableError("video_not_written", error=why)


class EngineBusyError(EngineUnavailableError):
    """Trouble that passes: network, too many requests, a full queue, a server's own fault."""

    def __init__(
        self,
        code: str = "server_busy",
        /,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        nothing_sent: bool = False,
        **params: Param,
    ) -> None:
        super().__init__(code, detail, **params)
        self.retry_after_s = retry_after_s
        """What the server asked for, if it did."""
        self.nothing_sent = nothing_sent
        """No connection came about, so the server cannot have begun anything."""


class EngineStoppedError(EngineUnavailableError):
    """Nothing will work until an operator acts: credentials, a quota used up, configuration."""


class UnusableResultError(EngineError):
    """What an engine made is no video of this recording."""


class RenderCancelled(EngineError):  # noqa: N818  (an answer to a wish, not an error)
    """The caller asked to stop."""

    def __init__(self) -> None:
        super().__init__("cancelled")


@dataclass(frozen=True)
class Note:
    """A remark about a finished video: a code of `engines.sentences` and the values of its sentence."""

    code: str
    params: Mapping[str, Param] = field(default_factory=dict)

    @staticmethod
    def plain(text: str) -> "Note":
        """A sentence that has no code, from an engine that is installed beside ours."""
        return Note("", {"text": text})

    def __str__(self) -> str:
        return (
            filled(NOTES[self.code], self.params) if self.code in NOTES else str(self.params.get("text", ""))
        )


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
    kind: Literal["local", "remote"] = "local"
    """An `Engine`, which renders in our process, or an `engines.remote.RemoteEngine`."""
    max_per_day: int | None = None
    max_image_bytes: int | None = None
    max_audio_bytes: int | None = None
    """Of the recording as the engine sends it; None means no limit."""
    min_aspect: float | None = None
    max_aspect: float | None = None
    """Width divided by height of the portrait."""
    needs_face: bool = False
    label_made: bool = True
    """Whether the visible AI label and the metadata are in what it hands over; if not, `engines.results` adds
    them."""


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Whether the engine could render now, and if not, why: as an `EngineError` says it."""

    ready: bool
    code: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)
    detail: str = ""

    @staticmethod
    def no(error: EngineError) -> "Readiness":
        return Readiness(ready=False, code=error.code, params=error.params, detail=error.detail)


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
    notes: tuple[Note, ...] = ()
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


class PortraitCheck(Protocol):
    """Whether an engine could use a portrait, asked before anything is charged. One per process."""

    def check(self, portrait: Path) -> tuple[Note, ...]:
        """Raise the `EngineError` that a render of this portrait would; else what is to be remarked."""
        ...
