"""Batches as answers: their tags, and their JSON, which is made once for each tag.

A tag names everything an answer is made of: the version of the batch, the name of its owner, the
language, the origin and the hour of its links and, while something waits or runs, a step of
`ESTIMATES_S` seconds, because estimates and elapsed times change by themselves. So a 304 needs no items,
and the same batch asked for again, alone or in a list, no second making.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import orjson
from django.conf import settings
from django.utils.translation import get_language
from rest_framework.request import Request

from videos.api.batch_shapes import BatchOutput, ShownBatch, ShownItem
from videos.engine_names import all_engines, name_of
from videos.models import ItemStatus
from videos.scheduling.forecast import Forecast, QueueSnapshot
from videos.services.batch_rows import BatchRow, ItemRow, items_of, running_progress
from videos.store.urls import Links
from zhiying.kernel.api.body_cache import BodyCache
from zhiying.kernel.api.links import origin_of
from zhiying.kernel.api.renderers import json_bytes
from zhiying.version import VERSION

ESTIMATES_S = 5
"""Estimates of the queue are shown anew this often."""

_bodies = BodyCache(settings.ANSWER_CACHE_BYTES)


@dataclass(frozen=True)
class Viewer:
    """For whom an answer is made: where their links lead, and in which language they read."""

    origin: str
    language: str

    @classmethod
    def of(cls, request: Request) -> "Viewer":
        return cls(origin_of(request._request), get_language() or "")

    @cached_property
    def queue(self) -> QueueSnapshot:
        return QueueSnapshot.current()

    @cached_property
    def links(self) -> Links:
        return Links.beginning_with(self.origin)

    @cached_property
    def stamp(self) -> tuple[object, ...]:
        """What all answers to this viewer have in common now."""
        prices = sorted(settings.CREDITS_PER_STARTED_S.items())
        return VERSION, self.language, self.links.stamp, prices, all_engines()

    @cached_property
    def step(self) -> int:
        """Estimates are the same within a step."""
        return int(time.time()) // ESTIMATES_S


def digest(*parts: object) -> str:
    """Parts of a tag in a few characters."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=9).hexdigest()


def batch_tag(row: BatchRow, viewer: Viewer, *, summary: bool = False) -> str:
    """What changes when, and only when, the answer does."""
    return digest(viewer.stamp, _facts(row, viewer), summary)


def list_tag(rows: Sequence[BatchRow], viewer: Viewer, facts: Mapping[str, object], *, summary: bool) -> str:
    """The same for a list."""
    return digest(viewer.stamp, [_facts(row, viewer) for row in rows], facts, summary)


def _facts(row: BatchRow, viewer: Viewer) -> tuple[object, ...]:
    step = viewer.step if row.is_open else None
    return row.id.int, row.version, row.user__username, step


def batch_json(row: BatchRow, viewer: Viewer) -> bytes:
    """One batch with its items."""
    return batch_jsons([row], viewer)[0]


def batch_jsons(rows: Sequence[BatchRow], viewer: Viewer, *, summary: bool = False) -> list[bytes]:
    """Each batch, with its items or as a summary; two queries more at most, for those not at hand."""
    tags = {row.id: batch_tag(row, viewer, summary=summary) for row in rows}
    made = {row.id: _bodies.get(_key(row, viewer, summary), tags[row.id]) for row in rows}
    missing = [row for row in rows if made[row.id] is None]
    for row, body in zip(missing, _make(missing, viewer, summary), strict=True):
        _bodies.put(_key(row, viewer, summary), tags[row.id], body)
        made[row.id] = body
    return [made[row.id] or b"" for row in rows]


def list_json(bodies: Sequence[bytes], facts: Mapping[str, object]) -> bytes:
    """Batches that are JSON already, in a list."""
    return json_bytes({"batches": [orjson.Fragment(body) for body in bodies], **facts})


def _key(row: BatchRow, viewer: Viewer, summary: bool) -> tuple[object, ...]:
    return row.id, viewer.origin, viewer.language, summary


def _make(rows: Sequence[BatchRow], viewer: Viewer, summary: bool) -> list[bytes]:
    if not rows:
        return []
    if waiting := {row.user_id for row in rows if row.pending_count}:
        viewer.queue.prepare(waiting)
    ids = [row.id for row in rows]
    if summary:
        progress = running_progress([row.id for row in rows if row.processing_count])
        shown = [_shown(row, viewer, (), progress.get(row.id, 0)) for row in rows]
    else:
        items = items_of(ids)
        shown = [_shown(row, viewer, items[row.id], _progress(items[row.id])) for row in rows]
    return [json_bytes(BatchOutput.body(batch)) for batch in shown]


def _progress(items: Sequence[ItemRow]) -> int:
    """Percent, summed over the items being rendered."""
    return sum(item.progress for item in items if item.status == ItemStatus.PROCESSING)


def _shown(row: BatchRow, viewer: Viewer, items: Sequence[ItemRow], progress: int) -> ShownBatch:
    forecast = viewer.queue.forecast(row, running_progress=progress) if row.is_open else Forecast()
    removed = row.files_removed_at is not None
    shown = [ShownItem(item, viewer.links, removed) for item in items]
    return ShownBatch(row, viewer.links, forecast, shown, progress, _waiting_reason(row, viewer))


def _waiting_reason(row: BatchRow, viewer: Viewer) -> str:
    """Also of what its engine's server has, which nobody hears of while it is away."""
    if not row.is_open:
        return ""
    engine = viewer.queue.engine(name_of(row.engine))
    return "" if engine.ready else engine.detail
