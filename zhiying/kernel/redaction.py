"""Nothing that lets somebody in is written to a log.

Signed media addresses carry their permission in the path, presigned ones in the query, and an exception may
quote a header or the URL of the database. All log lines of ours go through `redact`, whoever wrote them.
"""

import logging
import re
import time
from collections.abc import Callable, Sequence

HIDDEN = "[hidden]"

_PATTERNS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"(/media/)[0-9a-fA-F]+-[^/\s\"'?]+"), rf"\1{HIDDEN}"),  # our signatures
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), HIDDEN),  # JSON web tokens
    (re.compile(r"(?i)\b(bearer|token|basic)\s+[\w.~+/=-]{16,}"), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"(?i)([?&](?:x-amz-(?:signature|credential|security-token)|signature|awsaccesskeyid|sig"
            r"|token|password|key)=)[^&\s\"']+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^/\s:@]*:)[^/\s@]+@"), rf"\1{HIDDEN}@"),  # user:password@host
    (
        re.compile(
            r"(?i)(['\"]?(?:old_|new_)?(?:password|secret|secret_key|refresh|access_token)['\"]?"
            r"\s*[:=]\s*['\"])[^'\"]+"
        ),
        rf"\1{HIDDEN}",
    ),
)


def redact(text: str) -> str:
    """The text without what looks like a secret."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class RedactingFormatter(logging.Formatter):
    """Formats as usual, tracebacks included, and hides secrets in the result. Times are ISO 8601 in UTC.

    `secrets` gives the installation's own, which are hidden wherever they stand.
    """

    # Django sets the process's own zone to TIME_ZONE, which other processes do not share.
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, *args: object, secrets: Callable[[], Sequence[str]] = tuple, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they came
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """One line, or several with a traceback."""
        text = super().format(record)
        for secret in self._secrets():
            text = text.replace(secret, HIDDEN)
        return redact(text)
