"""Signed, expiring URLs of stored media.

A URL is an HMAC over key and expiry, so making one needs no database and no storage. The expiry moves
in steps of an hour: within the hour the same file has the same URL, which keeps ETags and browser
caches valid.
"""

import base64
import hashlib
import hmac
import time
from urllib.parse import quote

from django.conf import settings

STEP_S = 3600
_SIGNATURE_BYTES = 18  # 144 bits, 24 characters


def media_path(key: str, *, now: float | None = None) -> str:
    """The path (without origin) under which `key` can be read for MEDIA_URL_LIFETIME_S to one hour more."""
    moment = time.time() if now is None else now
    expires = (int(moment) // STEP_S + 1) * STEP_S + settings.MEDIA_URL_LIFETIME_S
    return f"/media/{expires:x}-{_signature(key, expires, settings.MEDIA_SIGNING_KEYS[0])}/{quote(key)}"


def media_url(origin: str, key: str) -> str:
    """An absolute URL that works without a header; empty for no key."""
    return origin + media_path(key) if key else ""


def is_valid(token: str, key: str, *, now: float | None = None) -> bool:
    """Whether a URL's token was made by us for this key and has not expired."""
    stamp, _, signature = token.partition("-")
    try:
        expires = int(stamp, 16)
    except ValueError:
        return False
    if expires < (time.time() if now is None else now):
        return False
    return any(
        hmac.compare_digest(signature.encode(), _signature(key, expires, secret).encode())
        for secret in settings.MEDIA_SIGNING_KEYS
    )


def seconds_left(token: str) -> int:
    return max(0, int(token.partition("-")[0], 16) - int(time.time()))


def _signature(key: str, expires: int, secret: str) -> str:
    message = f"{expires:x}:{key}".encode()
    digest = hmac.digest(secret.encode(), message, hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).decode()
