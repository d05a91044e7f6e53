"""Reading what an engine is configured with: environment variables, as a mapping."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from engines.base import EngineStoppedError
from engines.http import PRIVATE_VARIABLE

YES = ("1", "true", "yes", "on")


def url_of(options: Mapping[str, str], name: str, default: str = "") -> str:
    """One HTTP URL, without a slash at its end."""
    return _checked(name, options.get(name, "").strip() or default)


def urls_of(options: Mapping[str, str], name: str) -> tuple[str, ...]:
    """HTTP URLs separated by commas, at least one, each once."""
    given = [part.strip() for part in options.get(name, "").split(",") if part.strip()]
    if not given:
        raise EngineStoppedError("engine_setting", name=name, reason="no server is named")
    return tuple(dict.fromkeys(_checked(name, url) for url in given))


def number_of(options: Mapping[str, str], name: str, default: float, *, least: float = 0.0) -> float:
    text = options.get(name, "").strip()
    try:
        value = float(text) if text else default
    except ValueError:
        raise EngineStoppedError("engine_setting", name=name, reason="not a number") from None
    if not least <= value < float("inf"):
        raise EngineStoppedError("engine_setting", name=name, reason=f"less than {least:g}")
    return value


def private_allowed(options: Mapping[str, str]) -> bool:
    return options.get(PRIVATE_VARIABLE, "").strip().lower() in YES


def _checked(name: str, url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
        usable = usable and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise EngineStoppedError("engine_setting", name=name, reason="not an HTTP URL without credentials")
    return url.rstrip("/")
