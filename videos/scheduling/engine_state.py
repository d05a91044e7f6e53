"""With which engines can videos be made now? What the living workers say; the web process knows no engine."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from videos import catalogue
from videos.engine_names import all_engines, own_engine
from videos.models import Worker
from videos.scheduling.figures import living_workers


@dataclass(frozen=True)
class EngineState:
    """An engine as its workers see it."""

    name: str
    label: str
    ready: bool
    """A worker takes its items."""
    works: bool = False
    """A worker could, for all that is the engine's: something else may keep it from that, or it stops."""
    capabilities: dict[str, Any] = field(default_factory=dict)
    _why: Callable[[], str] = field(default=str, repr=False)

    @property
    def detail(self) -> str:
        """Why not, in the reader's language; empty when it is."""
        return self._why()


def engine_states() -> list[EngineState]:
    """All engines of the installation, its own first; one indexed query."""
    workers = list(living_workers())
    return [state_of(name, workers) for name in all_engines()]


def engine_state() -> EngineState:
    """The installation's own engine."""
    return state_of(own_engine(), list(living_workers()))


def state_of(name: str, workers: Collection[Worker]) -> EngineState:
    """An engine as that of these workers sees it that can do most with it."""
    having = [worker for worker in workers if name in worker.engines]
    best = max(having, key=lambda worker: _rank(worker, name), default=None)
    if best is None:
        return EngineState(name, name, False, _why=_no_worker_has_it if workers else _no_worker)
    facts = best.engines[name]
    capabilities = facts.get("capabilities", {})
    return EngineState(
        name=name,
        label=str(capabilities.get("label", name)),
        ready=_rank(best, name) == 2,
        works=_rank(best, name) > 0,
        capabilities=capabilities,
        _why=partial(_reason, best, facts),
    )


def _no_worker() -> str:
    return _("No worker is running. Start one with `deploy/worker`.")


def _no_worker_has_it() -> str:
    return _("No worker works with this engine now. Videos wait until one does.")


def _rank(worker: Worker, name: str) -> int:
    """2: takes its items; 1: it is ready, but something else is away; 0: it is not."""
    facts = worker.engines[name]
    if not facts.get("ready") or facts.get("trouble"):
        return 0
    return 2 if worker.state == Worker.State.READY else 1


def _reason(worker: Worker, facts: dict[str, Any]) -> str:
    if not facts.get("ready"):
        plain = str(facts.get("detail", ""))
        return catalogue.failure(str(facts.get("code", "")), facts.get("params") or {}, plain)
    if code := facts.get("trouble"):
        return trouble_text(code)
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
