"""The WSGI entry point for production servers: `gunicorn zhiying.wsgi`."""

import os

from django.core.checks import Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhiying.settings")

application = get_wsgi_application()

# Management commands run the system checks themselves; a WSGI server would start without.
_serious = [message for message in run_checks(tags=[Tags.security]) if message.is_serious()]
if _serious:
    raise ImproperlyConfigured("\n".join(str(message) for message in _serious))
