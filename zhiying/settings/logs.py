"""Logs."""

from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured

from zhiying.kernel.log_lines import FORMATTERS, TextLines
from zhiying.settings.core import PRODUCTION, env
from zhiying.settings.database import DATABASES
from zhiying.settings.generation import ENGINE_CREDENTIAL
from zhiying.settings.mail import EMAIL_HOST_PASSWORD
from zhiying.settings.media import STORAGES
from zhiying.settings.observation import OTEL_EXPORTER_OTLP_HEADERS, SENTRY_DSN
from zhiying.settings.security import (
    JWT_SIGNING_KEYS,
    MEDIA_SIGNING_KEYS,
    METRICS_TOKEN,
    SECRET_KEY,
    SECRET_KEY_FALLBACKS,
)

_MIN_SECRET_CHARS = 8
"""Shorter values would be found inside of ordinary words."""
_OWN_SECRETS = [
    SECRET_KEY,
    *SECRET_KEY_FALLBACKS,
    *JWT_SIGNING_KEYS,
    *MEDIA_SIGNING_KEYS,
    METRICS_TOKEN,
    EMAIL_HOST_PASSWORD,
    ENGINE_CREDENTIAL,
    DATABASES["default"].get("PASSWORD"),
    STORAGES["default"]["OPTIONS"].get("secret_key"),
    SENTRY_DSN,
    OTEL_EXPORTER_OTLP_HEADERS,
]


def own_secrets() -> Sequence[str]:
    """The installation's secrets, which no log line may hold."""
    return [secret for secret in _OWN_SECRETS if secret and len(secret) >= _MIN_SECRET_CHARS]


LOG_FORMAT = env.str("LOG_FORMAT", default="json" if PRODUCTION else "text")
if LOG_FORMAT not in FORMATTERS:
    raise ImproperlyConfigured(f"LOG_FORMAT must be one of {', '.join(FORMATTERS)}, not {LOG_FORMAT!r}.")


def line_formatter() -> TextLines:
    """The form of every line that a process of ours logs."""
    return FORMATTERS[LOG_FORMAT](own_secrets)


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": line_formatter}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "dramatiq": {"level": "WARNING"},
        "dramatiq.MainProcess": {"level": "INFO"},
        "pika": {"level": "CRITICAL"},
        "django.request": {"level": "ERROR"},
        "waitress.queue": {"level": "ERROR"},
    },
}
