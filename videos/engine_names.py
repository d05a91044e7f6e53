"""The engines of this installation, by the names that settings, lanes and rules give them.

A lane of the installation's own choice has no name, so that its items follow GENERATION_ENGINE when an
operator sets another one.
"""

from collections.abc import Iterable

from django.conf import settings

OWN_ENGINE = ""
"""The engine of lanes whose items are made by GENERATION_ENGINE, whichever that is."""


def own_engine() -> str:
    """The engine of whatever is sent nowhere else."""
    return str(settings.GENERATION_ENGINE)


def all_engines() -> list[str]:
    """Every engine of the installation, its own first."""
    return list(dict.fromkeys([own_engine(), *settings.GENERATION_ENGINES]))


def worker_engines() -> list[str]:
    """Those that this machine's workers work with."""
    chosen = settings.WORKER_ENGINES
    return [name for name in all_engines() if not chosen or name in chosen]


def name_of(lane_engine: str) -> str:
    """The engine that makes the items of a lane."""
    return lane_engine or own_engine()


def lane_engine_of(name: str) -> str:
    """What a lane of this engine is called."""
    return OWN_ENGINE if name == own_engine() else name


def lane_engines_of(names: Iterable[str]) -> list[str]:
    """What lanes of these engines may be called; one that has become the own has some under its name."""
    own = own_engine()
    found: list[str] = []
    for name in names:
        found += [OWN_ENGINE, name] if name == own else [name]
    return found
