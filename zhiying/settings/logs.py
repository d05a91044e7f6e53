"""Logs."""

from collections.abc import Sequence

from zhiying.settings.core import env
from zhiying.settings.database import DATABASES
from zhiying.settings.media import STORAGES
from zhiying.settings.security import JWT_SIGNING_KEY, MEDIA_SIGNING_KEY, METRICS_TOKEN, SECRET_KEY

_MIN_SECRET_CHARS = 8
"""Shorter values would be found inside of ordinary words."""
_OWN_SECRETS = [
    SECRET_KEY,
    JWT_SIGNING_KEY,
    MEDIA_SIGNING_KEY,
    METRICS_TOKEN,
    DATABASES["default"].get("PASSWORD"),
    STORAGES["default"]["OPTIONS"].get("secret_key"),
]


def own_secrets() -> Sequence[str]:
    """The installation's secrets, which no log line may hold."""
    return [secret for secret in _OWN_SECRETS if secret and len(secret) >= _MIN_SECRET_CHARS]


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "zhiying.kernel.redaction.RedactingFormatter",
            "fmt": "{asctime} {levelname:<7} {name}: {message}",
            "style": "{",
            "secrets": own_secrets,
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "dramatiq": {"level": "WARNING"},
        "pika": {"level": "CRITICAL"},
        "django.request": {"level": "ERROR"},
        "waitress.queue": {"level": "ERROR"},
    },
}
