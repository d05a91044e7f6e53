"""What an engine takes, before anything is charged: as its workers declare it.

Web processes know no engine; the newest worker that has it says what it can (`workers.engines`). Without one
the installation's own limits hold alone, and the render finds out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from videos.engine_names import lane_engines_of, own_engine
from videos.media.problems import MediaProblem
from videos.models import ItemStatus, VideoItem, Worker
from zhiying.kernel.clock import database_time

WORKERS_ASKED = 20
"""Of the newest that have an engine; one of them has it running, or none does."""
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

    def recording_problem(self, seconds: float) -> MediaProblem | None:
        """Why the engine takes no recording of this length, which is within the installation's limits."""
        shown = round(seconds, 2)
        if shown < self.min_audio_s:
            return MediaProblem("audio_too_short", {"duration_s": shown, "limit_s": self.shortest_s})
        if self.max_audio_s and seconds > self.max_audio_s:  # engines forgive no padding
            return MediaProblem("audio_too_long", {"limit_s": self.longest_s})
        return None

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


def limits_of(names: Collection[str]) -> dict[str, EngineLimits]:
    """Those of each of these engines now; a query for each."""
    return {name: _limits_of(name) for name in names}


def _limits_of(name: str) -> EngineLimits:
    having = Worker.objects.filter(engines__has_key=name).order_by("-seen_at")
    for worker in having.only("engines")[:WORKERS_ASKED]:
        if declared := worker.engines[name].get("capabilities"):
            return _limits_in(name, declared)
    return EngineLimits(name=name, label=name)


def engine_limits(name: str = "") -> EngineLimits:
    """Those of one engine, of the installation's own unless it is named."""
    name = name or own_engine()
    return limits_of([name])[name]


def widest(limits: Sequence[EngineLimits]) -> EngineLimits:
    """What one at least of these engines takes; the rest is the first one's."""
    longest = [each.max_audio_s for each in limits]
    return replace(
        limits[0],
        min_side_px=min(each.min_side_px for each in limits),
        min_audio_s=min(each.min_audio_s for each in limits),
        max_audio_s=None if None in longest else max(seconds for seconds in longest if seconds is not None),
        understands_prompt=any(each.understands_prompt for each in limits),
    )


def day_of(limits: EngineLimits) -> Day | None:
    """None: as many a day as there are. Two counts by index, neither of which goes beyond the limit."""
    limit = limits.max_per_day
    if limit is None:
        return None
    start = timezone.localtime(database_time()).replace(hour=0, minute=0, second=0, microsecond=0)
    own = VideoItem.objects.filter(lane__engine__in=lane_engines_of([limits.name or own_engine()]))
    unused = Q(status=ItemStatus.CANCELLED, started_at=None)
    today = own.filter(queued_at__gte=start).exclude(unused)
    earlier = own.filter(status=ItemStatus.PENDING, queued_at__lt=start)
    used = _up_to(limit, today) + _up_to(limit, earlier)
    return Day(limit, max(0, limit - used), start + timedelta(days=1))


def _up_to(limit: int, rows: "QuerySet[VideoItem]") -> int:
    return int(rows.order_by()[:limit].count())


def _limits_in(name: str, declared: Mapping[str, Any]) -> EngineLimits:
    """A worker of another release may declare less."""
    longest, most_bytes = declared.get("max_audio_s"), declared.get("max_audio_bytes")
    if most_bytes is not None:
        by_bytes = (most_bytes - WAV_HEADER_BYTES) / LEAST_BYTES_PER_S
        longest = by_bytes if longest is None else min(longest, by_bytes)
    return EngineLimits(
        name=name,
        label=str(declared.get("label") or name),
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
