"""What a video costs now. Each run keeps what it was charged (`VideoItem.price`), whatever comes later."""

from collections.abc import Mapping
from math import ceil

from django.conf import settings

from videos.engine_names import name_of

FLAT = 1
"""Credits a video where nothing else is set."""
LEAST = 1
"""No video is free, so that a refund always has something to give back."""


def started_s(engine: str = "") -> float:
    """Each started so many seconds of the recording cost a credit with this engine; 0: one credit a video."""
    by_engine: Mapping[str, float] = settings.CREDITS_PER_STARTED_S
    return by_engine.get(name_of(engine), by_engine.get("", 0))


def price_of_video(audio_s: float, engine: str = "") -> int:
    """Credits that a video of a recording of `audio_s` seconds costs; no `engine`: the own choice."""
    seconds = started_s(engine)
    # Decoding rounds: a recording of exactly 30 s may come out some samples longer.
    return max(LEAST, ceil(round(audio_s, 2) / seconds)) if seconds else FLAT
