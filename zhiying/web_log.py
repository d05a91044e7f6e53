"""gunicorn without signatures in its logs: `--logger-class zhiying.web_log.QuietLogger`."""

import logging
from typing import Any

from gunicorn.glogging import Logger

from zhiying.kernel.redaction import RedactingFormatter


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own logger, whose lines go through the redaction of all other logs."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            for handler in logger.handlers:
                plain = handler.formatter or logging.Formatter()
                handler.setFormatter(RedactingFormatter(plain._fmt, plain.datefmt))
