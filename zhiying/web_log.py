"""gunicorn's logs in the form of all others, without signatures."""

import time
from typing import Any

from gunicorn.glogging import Logger

from zhiying.kernel.redaction import RedactingFormatter

LINE = "{asctime} {levelname:<7} {name}: {message}"


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own logger, whose lines go through the redaction of all other logs."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            for handler in logger.handlers:
                handler.setFormatter(RedactingFormatter(LINE, style="{"))

    def now(self) -> str:
        """What an access log format calls `t`; our lines begin with a time already."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
