"""What one file of the corpus is, and what has to be answered to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Colour = tuple[int, int, int]
Place = tuple[float, float]


@dataclass(frozen=True)
class ImageAnswer:
    """What an accepted image becomes: size in px, type found, and colours at places given as shares."""

    width: int
    height: int
    format: str = "JPEG"
    colours: Mapping[Place, Colour] = field(default_factory=dict)


@dataclass(frozen=True)
class AudioAnswer:
    """What is found in accepted audio; None is not checked."""

    duration_s: float
    format: str = "wav"
    rate_hz: int | None = None
    channels: int | None = None
    peak_dbfs: float | None = None
    tolerance_s: float = 0.001


@dataclass(frozen=True)
class Case:
    """One file: the name a client gives it, its content, and either a problem's code or the facts expected.

    `slug` is unique and safe as a file name; `name` may be anything. `code` None means accepted.
    """

    slug: str
    name: str
    kind: Literal["image", "audio"]
    build: Callable[[], bytes]
    code: str | None = None
    answer: ImageAnswer | AudioAnswer | None = None
