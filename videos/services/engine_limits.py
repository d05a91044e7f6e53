"""What the installation's engine takes, before anything is charged: as its workers declare it.

Web processes know no engine; the newest worker that has it says what it can (`workers.engines`). Without one
the installation's own limits hold alone, and the render finds out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from videos.media.problems import MediaProblem
from videos.models import ItemStatus, VideoItem, Worker

WORKERS_ASKED = 20
"""Of the newest; one of them knows the engine, or none does."""
STORED_SIDE_PX = 2048
"""The long side of a portrait as it is stored at most: this is what engines are given."""
LEAST_BYTES_PER_S = 32_000
"""Of a recording at the lowest rate at which it is sent (`engines.audio`)."""
WAV_HEADER_BYTES = 44


@dataclass(frozen=True)
class EngineLimits:
    """None: no limit."""

    name: str = ""
    label: str = ""
    min_side_px: int = 0
    max_side_px: int | None = None
    min_aspect: float | None = None
    max_aspect: float | None = None
    max_image_bytes: int | None = None
    min_audio_s: float = 0
    max_audio_s: float | None = None
    max_per_day: int | None = None
    understands_prompt: bool = True
    needs_face: bool = False

    @property
    def shortest_s(self) -> float:
        """Of a recording, for the installation and the engine."""
        return max(float(settings.AUDIO_MIN_S), self.min_audio_s)

    @property
    def longest_s(self) -> float:
        longest = float(settings.AUDIO_MAX_S)
        return round(min(longest, self.max_audio_s or longest), 2)

    @property
    def least_side_px(self) -> int:
        return max(int(settings.IMAGE_MIN_SIDE_PX), self.min_side_px)

    def portrait_problem(self, width: int, height: int, size: int) -> MediaProblem | None:
        """Why the engine takes no portrait of this upright size (px) whose stored file has `size` bytes."""
        scale = min(1.0, STORED_SIDE_PX / max(width, height))
        stored = (round(width * scale), round(height * scale))
        sides, ratio = {"width": width, "height": height}, width / height
        if min(stored) < self.min_side_px:
            return MediaProblem("image_too_small", {**sides, "limit_px": self.min_side_px})
        if self.max_side_px and max(stored) > self.max_side_px:
            return MediaProblem("image_sides_engine", {**sides, "limit_px": self.max_side_px})
        if ratio < (self.min_aspect or 0) or ratio > (self.max_aspect or ratio):
            most = f"{self.max_aspect:.2f}" if self.max_aspect else "∞"
            allowed = {"min_ratio": f"{self.min_aspect or 0:.2f}", "max_ratio": most}
            return MediaProblem("image_aspect_engine", {**sides, **allowed})
        if self.max_image_bytes and size > self.max_image_bytes:
            return MediaProblem("image_bytes_engine", {"limit_mb": round(self.max_image_bytes / 1e6, 1)})
        return None


@dataclass(frozen=True)
class Day:
    """How many videos more the engine makes today, and when the next day begins."""

    limit: int
    left: int
    until: datetime


def engine_limits() -> EngineLimits:
    """Those of GENERATION_ENGINE now; one query."""
    for worker in Worker.objects.order_by("-seen_at").only("engines")[:WORKERS_ASKED]:
        declared = worker.engines.get(settings.GENERATION_ENGINE, {}).get("capabilities")
        if declared:
            return _limits_in(declared)
    return EngineLimits(name=settings.GENERATION_ENGINE)


def day_of(limits: EngineLimits) -> Day | None:
    """None: as many a day as there are. Two counts by index, neither of which goes beyond the limit."""
    limit = limits.max_per_day
    if limit is None:
        return None
    start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    own = VideoItem.objects.filter(lane__engine__in=["", settings.GENERATION_ENGINE])
    unused = Q(status=ItemStatus.CANCELLED, started_at=None)
    today = own.filter(queued_at__gte=start).exclude(unused)
    earlier = own.filter(status=ItemStatus.PENDING, queued_at__lt=start)
    used = _up_to(limit, today) + _up_to(limit, earlier)
    return Day(limit, max(0, limit - used), start + timedelta(days=1))


def _up_to(limit: int, rows: "QuerySet[VideoItem]") -> int:
    return int(rows.order_by()[:limit].count())


def _limits_in(declared: Mapping[str, Any]) -> EngineLimits:
    """A worker of another release may declare less."""
    longest, most_bytes = declared.get("max_audio_s"), declared.get("max_audio_bytes")
    if most_bytes is not None:
        by_bytes = (most_bytes - WAV_HEADER_BYTES) / LEAST_BYTES_PER_S
        longest = by_bytes if longest is None else min(longest, by_bytes)
    return EngineLimits(
        name=settings.GENERATION_ENGINE,
        label=str(declared.get("label") or settings.GENERATION_ENGINE),
        min_side_px=declared.get("min_side_px") or 0,
        max_side_px=declared.get("max_side_px"),
        min_aspect=declared.get("min_aspect"),
        max_aspect=declared.get("max_aspect"),
        max_image_bytes=declared.get("max_image_bytes"),
        min_audio_s=declared.get("min_audio_s") or 0,
        max_audio_s=longest,
        max_per_day=declared.get("max_per_day"),
        understands_prompt=bool(declared.get("understands_prompt", True)),
        needs_face=bool(declared.get("needs_face", False)),
    )
