"""System checks of generation settings."""

from collections.abc import Iterable
from math import isfinite
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from engines.registry import engine_paths, remote_engine_paths
from videos.engine_names import all_engines

SHORTEST_PRICED_S = 0.001


@register()
def generation_settings(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """Engines must have names that are known, and a lease must outlive a few missed heartbeats.

    Whether it loads is the workers' affair: a web machine need not have it.
    """
    problems: list[CheckMessage] = []
    known = {**engine_paths(), **remote_engine_paths()}
    for name in all_engines():
        if name in known:
            continue
        setting = "GENERATION_ENGINE" if name == settings.GENERATION_ENGINE else "GENERATION_ENGINES"
        problems.append(
            Error(
                f"{setting}: {name!r} is not known.",
                hint=f"Use one of: {', '.join(sorted(known))}; EXTRA_ENGINES and EXTRA_REMOTE_ENGINES add "
                "others.",
                id="videos.E001",
            )
        )
    if strange := sorted(set(settings.WORKER_ENGINES) - set(all_engines())):
        problems.append(
            Error(
                f"WORKER_ENGINES names what the installation does not have: {', '.join(strange)}.",
                hint="Add them to GENERATION_ENGINES, on web machines too.",
                id="videos.E004",
            )
        )
    if settings.LEASE_S < 3 * settings.HEARTBEAT_S:
        problems.append(
            Error(
                "LEASE_S is shorter than three heartbeats.",
                hint="Raise LEASE_S or lower HEARTBEAT_S: a busy worker would lose its items.",
                id="videos.E002",
            )
        )
    if not all(_is_length(seconds) for seconds in settings.CREDITS_PER_STARTED_S.values()):
        problems.append(
            Error(
                "CREDITS_PER_STARTED_S has a negative length, or one that is no length.",
                hint="Give seconds, such as 30 or portrait=0,lightx2v=30, and no less than "
                f"{SHORTEST_PRICED_S}; 0 costs one credit a video.",
                id="videos.E003",
            )
        )
    return problems


def _is_length(seconds: float) -> bool:
    """Whether a price can be counted in it: shorter ones come to more credits than there are."""
    return seconds == 0 or (seconds >= SHORTEST_PRICED_S and isfinite(seconds))
