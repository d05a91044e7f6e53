"""Which engines there are, by the name used in GENERATION_ENGINE."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from videos.engines.base import Engine, EngineUnavailableError

ENGINES: Mapping[str, str] = {
    "portrait": "videos.engines.portrait.engine:PortraitEngine",
}
"""Name → `module:class`. Classes are made without arguments and imported only when used."""


@cache
def get_engine(name: str) -> Engine:
    """Return this process's instance of an engine.

    Raises:
        EngineUnavailableError: there is no engine of that name.
    """
    if name not in ENGINES:
        raise EngineUnavailableError(f"There is no engine named {name!r}.")
    module, _, attribute = ENGINES[name].partition(":")
    engine: Engine = getattr(import_module(module), attribute)()
    return engine
