"""Dramatiq's master process, with our form of log lines: started by `manage.py work`."""

import sys

from django.conf import settings
from django.utils.log import configure_logging
from dramatiq import cli

from engines.sandbox import hide_from_children


def main() -> int:
    """Dramatiq's own command line; returns its exit code."""
    hide_from_children()
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)  # Dramatiq leaves a configured log as it is
    return int(cli.main() or 0)  # type: ignore[no-untyped-call]  # Dramatiq has no types


if __name__ == "__main__":
    sys.exit(main())
