"""Reports of faults to Sentry, where SENTRY_DSN says so: what is logged as an error with its traceback.

A report holds the exception's type, the lines of code and our ids. No bodies, headers, queries, addresses,
names, values of variables or texts of exceptions leave (a database's may quote a row): those stand in the
log, under the same `request` and `item`. What looks like a secret is hidden there and here alike.
"""

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from structlog.contextvars import get_contextvars

from zhiying.kernel.redaction import Redaction
from zhiying.settings.logs import own_secrets
from zhiying.version import VERSION

TOLD_IDS = ("request", "batch", "item", "attempt")
"""Random ids of ours; a user's is not among them."""
KEPT = frozenset(
    {
        "event_id", "timestamp", "platform", "level", "logger", "logentry", "exception", "release",
        "environment", "sdk", "type",
    }
)  # fmt: skip
OF_CLIENTS = "django.security"
"""What requests do wrong, with a traceback all the same."""
SHUTDOWN_TIMEOUT_S = 2

_redacted = Redaction(own_secrets)


def begin() -> None:
    """Report this process's faults from now on, where a setting asks for it; else nothing is imported."""
    if not settings.SENTRY_DSN or find_spec("sentry_sdk") is None:  # a system check says what is missing
        return
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.dedupe import DedupeIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration
    from sentry_sdk.integrations.threading import ThreadingIntegration

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=f"zhiying@{VERSION}",
        environment=settings.SENTRY_ENVIRONMENT,
        server_name="",
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR),
            ThreadingIntegration(),
            DedupeIntegration(),
            AtexitIntegration(callback=lambda pending, timeout: None),  # what waits is sent, without a word
        ],
        before_send=told,
        shutdown_timeout=SHUTDOWN_TIMEOUT_S,
        traces_sample_rate=None,
        auto_session_tracking=False,
        send_client_reports=False,
    )


def told(event: Any, hint: Mapping[str, Any]) -> Any:
    """The part of a report that may leave; nothing for an outage, which the log tells of by lines."""
    if "exc_info" not in hint or str(event.get("logger", "")).startswith(OF_CLIENTS):
        return None
    ids = get_contextvars()
    kept = {name: value for name, value in event.items() if name in KEPT}
    kept["logentry"] = {"message": kept.get("logentry", {}).get("message", "")}  # without its values
    kept["exception"] = {"values": [_typed(one) for one in kept.get("exception", {}).get("values", ())]}
    kept["tags"] = {name: str(ids[name]) for name in TOLD_IDS if name in ids}
    return _without_secrets(kept)


def _typed(exception: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in exception.items() if name != "value"}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return _redacted(value)
    if isinstance(value, Mapping):
        return {name: _without_secrets(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(part) for part in value]
    return value
