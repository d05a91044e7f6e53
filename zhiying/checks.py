"""System checks: unsafe production settings are errors that say what to do."""

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from accounts.models.group import MAX_QUOTA_MB, MAX_RETENTION_DAYS
from accounts.services.credits import MAX_CREDITS
from zhiying.kernel.api.slots import LEAST_THREADS

MIN_SECRET_LENGTH = 32
LARGEST = {
    "RETENTION_DAYS": MAX_RETENTION_DAYS,
    "QUOTA_MB": MAX_QUOTA_MB,
    "SIGNUP_CREDITS": MAX_CREDITS,
    **dict.fromkeys(
        (
            "ACCESS_TOKEN_LIFETIME_S",
            "FALLBACK_AFTER_S",
            "LEASE_S",
            "LOGIN_COOLOFF_S",
            "LOGIN_WINDOW_S",
            "MEDIA_URL_LIFETIME_S",
            "REFRESH_TOKEN_LIFETIME_S",
            "REMOTE_TIME_LIMIT_S",
            "RENDER_RETRY_DELAY_S",
            "SESSION_MAX_LIFETIME_S",
            "SWEEP_INTERVAL_S",
        ),
        MAX_RETENTION_DAYS * 86_400,
    ),
}
"""Numbers that are computed with, and beyond which something would not fit: a day, a column, a balance."""


@register(Tags.security)
def production_settings(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """Refuse what would be unsafe on a public server; the embedded default is exempt."""
    if not settings.PRODUCTION:
        return []
    problems = [
        _debug(),
        _secret("SECRET_KEY", "E002"),
        _secret("JWT_SIGNING_KEY", "E003"),
        _secret("MEDIA_SIGNING_KEY", "E004"),
        _hosts(),
        _cookies(),
        _sqlite_with_broker(),
        _proxy(),
    ]
    return [problem for problem in problems if problem]


def _debug() -> CheckMessage | None:
    if not settings.DEBUG:
        return None
    return Error(
        "DEBUG is on in production.",
        hint="Unset DEBUG: its error pages show settings and source code to anybody.",
        id="zhiying.E001",
    )


def _secret(name: str, number: str) -> CheckMessage | None:
    # A derived key is as good as SECRET_KEY, which has a check of its own. Keys that only verify any more
    # have to be as good: whoever guesses one is believed.
    if all(
        len(value) >= MIN_SECRET_LENGTH and len(set(value)) >= 8 and "change" not in value.lower()
        for value in (getattr(settings, name), *getattr(settings, f"{name}S", ()))
    ):
        return None
    return Error(
        f"{name} is missing, too short or a placeholder.",
        hint=f"Set {name} to at least {MIN_SECRET_LENGTH} random characters, for example from "
        "`python -c 'import secrets; print(secrets.token_urlsafe(64))'`.",
        id=f"zhiying.{number}",
    )


def _hosts() -> CheckMessage | None:
    if settings.ALLOWED_HOSTS and not any("*" in host for host in settings.ALLOWED_HOSTS):
        return None
    return Error(
        "ALLOWED_HOSTS is empty or has a wildcard.",
        hint="Set PUBLIC_URL to the origin clients use, such as https://video.example.com, or ALLOWED_HOSTS "
        "to all their host names, separated by commas.",
        id="zhiying.E005",
    )


def _cookies() -> CheckMessage | None:
    if settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE:
        return None
    return Error(
        "The cookies of the admin site would travel over plain HTTP.",
        hint="Serve over HTTPS and leave HTTPS unset (or set it to true).",
        id="zhiying.E006",
    )


def _sqlite_with_broker() -> CheckMessage | None:
    vendor = settings.DATABASES["default"]["ENGINE"]
    if settings.BROKER_URL == "memory://" or not vendor.endswith("sqlite3"):
        return None
    return Error(
        "A broker is set, but the database is SQLite.",
        hint="Workers on other machines cannot reach a file: set DATABASE_URL to a PostgreSQL database.",
        id="zhiying.E007",
    )


def _proxy() -> CheckMessage | None:
    if settings.NUM_PROXIES or not settings.PUBLIC_URL.startswith("https://"):
        return None
    return Error(
        "PUBLIC_URL is https, and no reverse proxy is trusted.",
        hint="Set NUM_PROXIES to the number of your own proxies that end TLS and set X-Forwarded-For and "
        "X-Forwarded-Proto, usually 1. Otherwise all clients would share one address and its limits.",
        id="zhiying.E008",
    )


@register()
def numbers_in_bounds(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """What is too large would fail much later, in whatever first computes with it."""
    return [
        Error(
            f"{name} is {getattr(settings, name)}.",
            hint=f"Set {name} to a number from 0 to {largest}.",
            id="zhiying.E024",
        )
        for name, largest in LARGEST.items()
        if not 0 <= getattr(settings, name) <= largest
    ]


@register()
def threads_for_all(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """With fewer, one upload would keep everybody else out."""
    if settings.WEB_THREADS >= LEAST_THREADS:
        return []
    return [
        Error(
            f"WEB_THREADS is {settings.WEB_THREADS}.",
            hint=f"Set WEB_THREADS to {LEAST_THREADS} or more, 16 for example: some are kept for probes, and "
            "some for calls beside uploads.",
            id="zhiying.E025",
        )
    ]


@register(Tags.security)
def metrics_of_workers(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """Figures of an installation are nobody else's business."""
    local = settings.WORKER_METRICS_HOST in {"localhost", "127.0.0.1", "::1"}
    if local or not settings.WORKER_METRICS_PORT or settings.METRICS_TOKEN:
        return []
    return [
        Error(
            "Other machines could read the workers' metrics without a token.",
            hint="Set METRICS_TOKEN, or leave WORKER_METRICS_HOST out.",
            id="zhiying.E021",
        )
    ]


@register(Tags.security)
def packages_of_observers(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """Traces and error reports need packages that most installations do without."""
    wanted = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "opentelemetry.exporter.otlp.proto.http",
        "SENTRY_DSN": "sentry_sdk",
    }
    return [
        Error(
            f"{name} is set, but its packages are not installed.",
            hint="Run `make observation`, or build the image with --build-arg OBSERVATION=1.",
            id="zhiying.E022",
        )
        for name, package in wanted.items()
        if getattr(settings, name) and not _is_installed(package)
    ]


@register(Tags.security)
def mail(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """Letters need a sender, and have links."""
    if not settings.EMAIL_HOST or (settings.PUBLIC_URL and settings.DEFAULT_FROM_EMAIL):
        return []
    return [
        Error(
            "EMAIL_HOST is set, but not who writes, or where links in letters lead.",
            hint="Set DEFAULT_FROM_EMAIL to the address that letters come from, and PUBLIC_URL to the origin "
            "clients use.",
            id="zhiying.E023",
        )
    ]


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # one of those that it lies in
        return False


@register(Tags.security)
def second_factor_policy(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """A misspelt policy would silently switch the second factor off."""
    if settings.ADMIN_TOTP in {"off", "optional", "required"}:
        return []
    return [
        Error(
            f"ADMIN_TOTP is {settings.ADMIN_TOTP!r}.",
            hint="Set ADMIN_TOTP to off, optional or required.",
            id="zhiying.E020",
        )
    ]
