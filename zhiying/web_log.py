"""gunicorn's logs in the form of all others, without signatures."""

import time
from typing import Any

from gunicorn.glogging import Logger


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own logger, whose lines go through the redaction of all other logs."""

    def setup(self, cfg: Any) -> None:
        from zhiying.settings.logs import line_formatter  # not before gunicorn has read its own settings

        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            for handler in logger.handlers:
                handler.setFormatter(line_formatter())

    def now(self) -> str:
        """What an access log format calls `t`; our lines begin with a time already."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
