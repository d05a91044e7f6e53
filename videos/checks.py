"""System checks of generation settings."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from engines.base import EngineUnavailableError
from engines.registry import engine_paths, get_engine


@register()
def generation_settings(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """The engine must exist and load, and a lease must outlive a few missed heartbeats."""
    problems: list[CheckMessage] = []
    try:
        get_engine(settings.GENERATION_ENGINE)
    except EngineUnavailableError as error:
        problems.append(
            Error(
                f"GENERATION_ENGINE={settings.GENERATION_ENGINE!r} cannot be used. {error.detail}",
                hint=f"Use one of: {', '.join(sorted(engine_paths()))}; EXTRA_ENGINES adds others.",
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
    return problems
