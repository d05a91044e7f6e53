"""Before a credit moves: can the engine use these portraits?"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from django.conf import settings

from engines.registry import portrait_check_of
from videos.media.face_check import FaceChecker, FaceProblem


def are_looked_at(*, engine: str, needs_face: bool) -> bool:
    """Whether portraits for this engine are looked at; what would have to be fetched need not come if not."""
    return settings.FACE_CHECK and portrait_check_of(engine, needs_face) is not None


def face_problems(portraits: Sequence[Path], *, engine: str, needs_face: bool) -> list[FaceProblem | None]:
    """For each portrait, in order, why the engine would refuse it; None where not, or none can say.

    By the engine's own check, if it has one, else by what is known of any engine that `needs_face`.
    """
    check = portrait_check_of(engine, needs_face) if settings.FACE_CHECK else None
    if check is None:
        return [None] * len(portraits)
    return _checker(settings.FACE_CHECK_TIME_LIMIT_S).problems(portraits, check)


@cache
def _checker(time_limit_s: float) -> FaceChecker:
    """This process's own, for all engines; made at the first request, which is after web servers fork."""
    return FaceChecker(time_limit_s)
