"""Which engines there are, by the name used in GENERATION_ENGINE."""

import os
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from engines.base import Engine, EngineUnavailableError

ENGINES: Mapping[str, str] = {
    "portrait": "engines.portrait.engine:PortraitEngine",
}
"""Name → `module:class`. Classes are made without arguments and imported only when used."""

EXTRA_ENGINES_VARIABLE = "EXTRA_ENGINES"
"""Engines that are installed beside ours: `name=module:class`, separated by commas.

Read from the environment rather than from Django's settings, because the child process that renders
has to find them too, and it knows no Django.
"""


def engine_paths() -> dict[str, str]:
    """All engines by name, those of `EXTRA_ENGINES` included; ours cannot be replaced by them."""
    pairs = os.environ.get(EXTRA_ENGINES_VARIABLE, "").split(",")
    extra = {name.strip(): path.strip() for name, _, path in (pair.partition("=") for pair in pairs)}
    return {**{name: path for name, path in extra.items() if name}, **ENGINES}


@cache
def get_engine(name: str) -> Engine:
    """Return this process's instance of an engine.

    Raises:
        EngineUnavailableError: there is no engine of that name, or it cannot be imported.
    """
    path = engine_paths().get(name)
    if path is None:
        raise EngineUnavailableError("engine_unknown", name=repr(name))
    module, _, attribute = path.partition(":")
    try:
        engine: Engine = getattr(import_module(module), attribute)()
    except (ImportError, AttributeError, ValueError) as error:
        raise EngineUnavailableError(
            "engine_not_loaded", name=repr(name), path=repr(path), error=str(error)
        ) from error
    return engine
