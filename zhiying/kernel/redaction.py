"""Nothing that lets somebody in is written to a log.

Signed media addresses carry their permission in the path, presigned ones in the query, and an exception may
quote a header or the URL of the database. All log lines of ours go through `redact`, whoever wrote them.
"""

import re
from collections.abc import Callable, Sequence

HIDDEN = "[hidden]"
_MIN_CHARS = 8
"""Shorter values would be found inside of ordinary words."""
_MAX_LEARNT = 64
_learnt: list[str] = []

_PATTERNS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"(/media/)[0-9a-fA-F]+-[^/\s\"'?]+"), rf"\1{HIDDEN}"),  # our signatures
    (re.compile(r"(/s/)[\w-]{20,}"), rf"\1{HIDDEN}"),  # links to videos
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
            r"(?i)(['\"]?(?:old_|new_)?(?:password|secret|secret_key|refresh|access_token|token)['\"]?"
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


def hide(secret: str) -> None:
    """From now on no line of this process holds this secret, which is not among the settings."""
    if len(secret) >= _MIN_CHARS and secret not in _learnt:
        _learnt.append(secret)
        del _learnt[:-_MAX_LEARNT]


class Redaction:
    """Hides what looks like a secret, and the installation's own secrets wherever they stand."""

    def __init__(self, own_secrets: Callable[[], Sequence[str]] = tuple) -> None:
        self._own_secrets = own_secrets

    def __call__(self, text: str) -> str:
        for secret in (*self._own_secrets(), *_learnt):
            text = text.replace(secret, HIDDEN)
        return redact(text)
