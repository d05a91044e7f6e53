"""What servers and programs say of a job that failed, as one of our errors."""

import re

from engines.base import EngineError, EngineUnavailableError, NoFaceError
from engines.http import said

CONTENT = re.compile(
    r"content[ _-]?(policy|moderation|filter)|data_?inspection|moderation|nsfw|sensitive|inappropriate", re.I
)
NO_FACE = re.compile(
    r"no (human )?face|face not (found|detected)|(cannot|can't|could not|failed to) detect.{0,20}face", re.I
)
INPUT = re.compile(
    r"failed to read input|cannot identify image|invalid (image|audio|data found)|unsupported (image|audio)|"
    r"corrupt|audio file too short|not found in params|valid prompt is required|decode.{0,20}(image|audio)",
    re.I,
)
PASSING = re.compile(
    r"out of memory|\boom\b|cuda error|nccl|no space left|connection|time[ -]?out|timed out|"
    r"worker (lost|died)|restart|unavailable|overload",
    re.I,
)
"""Trouble of the machine, which the same portrait and recording may not meet again."""


def failure_of(text: object) -> EngineError:
    """The error of a job that ended without a video, from the server's own words."""
    reason = said(text) or "no reason was given"
    if CONTENT.search(reason):
        return EngineError("content_refused")
    if NO_FACE.search(reason):
        return NoFaceError()
    if PASSING.search(reason):
        return EngineUnavailableError("generation_failed", reason=reason)
    if INPUT.search(reason):
        return EngineError("input_refused", reason=reason)
    return EngineError("generation_failed", reason=reason)
