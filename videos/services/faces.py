"""Before a credit moves: can the engine use these portraits?"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from django.conf import settings

from engines.registry import PORTRAIT_CHECKS
from videos.media.face_check import FaceChecker, FaceProblem


def face_problems(portraits: Sequence[Path]) -> list[FaceProblem | None]:
    """For each portrait, in order, why the engine would refuse it; None where not, or none can say."""
    engine = settings.GENERATION_ENGINE
    if not settings.FACE_CHECK or engine not in PORTRAIT_CHECKS:
        return [None] * len(portraits)
    return _checker(engine, settings.FACE_CHECK_TIME_LIMIT_S).problems(portraits)


@cache
def _checker(engine: str, time_limit_s: float) -> FaceChecker:
    """This process's own; made at the first request, which is after web servers fork."""
    return FaceChecker(engine, time_limit_s)
