"""Dramatiq's master process, with our form of log lines: started by `manage.py work`."""

import logging
import sys

from dramatiq import cli

from zhiying.kernel.redaction import RedactingFormatter

LINE = "{asctime} {levelname:<7} {name}: {message}"


def main() -> int:
    """Dramatiq's own command line; returns its exit code."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(LINE, style="{"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])  # Dramatiq leaves a configured log as it is
    return int(cli.main() or 0)  # type: ignore[no-untyped-call]  # Dramatiq has no types


if __name__ == "__main__":
    sys.exit(main())
