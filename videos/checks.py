"""System checks of generation settings."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from engines.registry import engine_paths, remote_engine_paths


@register()
def generation_settings(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """The engine must have a name that is known, and a lease must outlive a few missed heartbeats.

    Whether it loads is the workers' affair: a web machine need not have it.
    """
    problems: list[CheckMessage] = []
    known = {**engine_paths(), **remote_engine_paths()}
    if settings.GENERATION_ENGINE not in known:
        problems.append(
            Error(
                f"GENERATION_ENGINE={settings.GENERATION_ENGINE!r} is not known.",
                hint=f"Use one of: {', '.join(sorted(known))}; EXTRA_ENGINES and EXTRA_REMOTE_ENGINES add "
                "others.",
                id="videos.E001",
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
    if min(settings.CREDITS_PER_STARTED_S.values(), default=0) < 0:
        problems.append(
            Error(
                "CREDITS_PER_STARTED_S has a negative length.",
                hint="Give seconds, such as 30 or portrait=0,lightx2v=30; 0 costs one credit a video.",
                id="videos.E003",
            )
        )
    return problems
