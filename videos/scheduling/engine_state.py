"""Can videos be made now? What the living workers say; the web process knows no engine."""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from videos import catalogue
from videos.models import Worker
from videos.scheduling.figures import living_workers


@dataclass(frozen=True)
class EngineState:
    """The installation's engine as its workers see it."""

    name: str
    label: str
    ready: bool
    detail: str
    """Why not, in the reader's language; empty when it is."""
    capabilities: dict[str, Any] = field(default_factory=dict)


def engine_state() -> EngineState:
    """One indexed query."""
    name = settings.GENERATION_ENGINE
    workers = [worker for worker in living_workers() if name in worker.engines]
    best = max(workers, key=lambda worker: _rank(worker, name), default=None)
    if best is None:
        return EngineState(name, name, False, _("No worker is running. Start one with `deploy/worker`."))
    facts = best.engines[name]
    capabilities = facts.get("capabilities", {})
    return EngineState(
        name=name,
        label=str(capabilities.get("label", name)),
        ready=_rank(best, name) == 2,
        detail=_reason(best, facts),
        capabilities=capabilities,
    )


def _rank(worker: Worker, name: str) -> int:
    """2: takes items; 1: its engine is ready, but something else is away; 0: its engine is not."""
    if not worker.engines[name].get("ready"):
        return 0
    return 2 if worker.state == Worker.State.READY else 1


def _reason(worker: Worker, facts: dict[str, Any]) -> str:
    if not facts.get("ready"):
        plain = str(facts.get("detail", ""))
        return catalogue.failure(str(facts.get("code", "")), facts.get("params") or {}, plain)
    if worker.state == Worker.State.READY:
        return ""
    return trouble_text(worker.trouble) or _("The worker is stopping.")


def trouble_text(code: str) -> str:
    """Why a worker takes no items, for people; empty for no trouble."""
    sentences = {
        "": "",
        "store_away": _("The media store does not answer. Videos wait until it does."),
        "disk_full": _("The worker's disk is full. Videos wait until there is room."),
        "database_away": _("The database does not answer the worker."),
        "engine_unavailable": _("The engine cannot work now. Videos wait until it can."),
    }
    return sentences.get(code, code)
