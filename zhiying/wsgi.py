"""The WSGI entry point for production servers: `gunicorn zhiying.wsgi`."""

import logging
import os

from django.conf import settings
from django.core.checks import CheckMessage, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from zhiying.readable_request import ReadableRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhiying.settings")

application = get_wsgi_application()
application.request_class = ReadableRequest


def refuse_unsafe_settings() -> None:
    """Run every system check, as management commands do and WSGI servers do not; raises for a serious one."""
    found = run_checks(include_deployment_checks=settings.PRODUCTION)
    messages: list[CheckMessage] = [message for message in found if not message.is_silenced()]
    serious = [str(message) for message in messages if message.is_serious()]
    if serious:
        raise ImproperlyConfigured("\n".join(serious))
    for message in messages:
        logging.getLogger(__name__).warning("%s", message)


refuse_unsafe_settings()
