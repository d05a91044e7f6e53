"""Signed, expiring URLs of stored media.

A URL is an HMAC over key and expiry, so making one needs no database and no storage. The expiry moves
in steps of an hour: within the hour the same file has the same URL, which keeps ETags and browser
caches valid.
"""

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from django.conf import settings

STEP_S = 3600
SIGNED_PATHS = 20_000
"""Paths a process remembers to have signed; some 10 MB."""
_SIGNATURE_BYTES = 18  # 144 bits, 24 characters


def media_path(key: str, *, now: float | None = None) -> str:
    """The path (without origin) under which `key` can be read for MEDIA_URL_LIFETIME_S to one hour more."""
    return _signed_path(key, _expiry(time.time() if now is None else now), settings.MEDIA_SIGNING_KEYS[0])


def media_url(origin: str, key: str) -> str:
    """An absolute URL that works without a header; empty for no key."""
    return origin + media_path(key) if key else ""


@dataclass(frozen=True, slots=True)
class Links:
    """The URLs of one answer: what they have in common is looked up once."""

    origin: str
    expires: int
    signing_key: str

    @classmethod
    def beginning_with(cls, origin: str) -> "Links":
        return cls(origin, _expiry(time.time()), settings.MEDIA_SIGNING_KEYS[0])

    def url(self, key: str) -> str:
        """As `media_url`."""
        return self.origin + _signed_path(key, self.expires, self.signing_key) if key else ""

    @property
    def stamp(self) -> str:
        """What changes when, and only when, the URLs of the same files do."""
        return self.url("stamp")


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


def _expiry(now: float) -> int:
    return int((int(now) // STEP_S + 1) * STEP_S + settings.MEDIA_URL_LIFETIME_S)


@lru_cache(maxsize=SIGNED_PATHS)
def _signed_path(key: str, expires: int, signing_key: str) -> str:
    return f"/media/{expires:x}-{_signature(key, expires, signing_key)}/{quote(key)}"


def _signature(key: str, expires: int, signing_key: str) -> str:
    message = f"{expires:x}:{key}".encode()
    digest = hmac.digest(signing_key.encode(), message, hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).decode()
