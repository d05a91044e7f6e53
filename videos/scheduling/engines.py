"""Engines of either kind, as the queue sees them: what they take, and whether they can work now."""

from functools import cache

from django.conf import settings

from engines.base import Capabilities, Readiness
from engines.registry import FINISHING, get_engine, remote_engine_paths
from engines.remote import RemoteEngine
from videos.engine_names import worker_engines
from videos.services.remote_engines import remote_engine
from zhiying.kernel.questions import Question

PATIENCE_S = 1.0
READINESS_KEPT_S = 15.0
"""A remote engine's readiness costs its server a request."""


def is_remote(name: str) -> bool:
    """Whether an engine's videos are jobs elsewhere."""
    return name in remote_engine_paths()


@cache
def remote(name: str) -> RemoteEngine:
    """This process's instance of a remote engine; raises `EngineUnavailableError`."""
    return remote_engine(name)


def local_engines() -> list[str]:
    """Those that this machine's workers render with themselves."""
    return [name for name in worker_engines() if not is_remote(name)]


def remote_engines() -> list[str]:
    """Those whose jobs this machine's workers carry."""
    return [name for name in worker_engines() if is_remote(name)]


def render_engine(name: str) -> str:
    """What a render process runs for an engine: itself, or what makes a remote one's results ours."""
    return FINISHING if is_remote(name) else name


def capabilities_of(name: str) -> Capabilities:
    """Raises `EngineUnavailableError`."""
    return remote(name).capabilities() if is_remote(name) else get_engine(name).capabilities()


def readiness_of(name: str, *, fresh: bool = False) -> Readiness:
    """Whether an engine could work; what a server said is believed for a while, unless asked `fresh`.

    Unless asked so, nobody waits for a server that hangs: that it does is an answer.

    Raises `EngineUnavailableError` when the engine cannot be loaded or configured.
    """
    if not is_remote(name):
        return get_engine(name).readiness()
    engine = remote(name)
    if fresh:
        return engine.readiness()
    return _question(name, engine).answer() or Readiness(ready=False, code="engine_unavailable")


def items_at_once(name: str) -> int:
    """How many items one worker process works on at once, at most."""
    if not is_remote(name):
        return int(settings.WORKER_THREADS)
    limit = capabilities_of(name).max_concurrent
    return min(settings.REMOTE_JOBS, limit) if limit else int(settings.REMOTE_JOBS)


_questions: dict[str, tuple[RemoteEngine, Question[Readiness]]] = {}


def _question(name: str, engine: RemoteEngine) -> Question[Readiness]:
    """One for each engine, so that a server that hangs keeps no other from being heard."""
    asked, question = _questions.get(name, (None, None))
    if question is None or asked is not engine:
        question = Question(
            engine.readiness, fresh_s=READINESS_KEPT_S, patience_s=PATIENCE_S, kept_s=2 * READINESS_KEPT_S
        )
        _questions[name] = engine, question
    return question
