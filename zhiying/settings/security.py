"""Secrets, hosts, cookies and what browsers may load."""

import socket
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from zhiying.secrets import derived_key, stored_secret
from zhiying.settings.core import DATA_DIR, EMBEDDED, HOST, NUM_PROXIES, PRODUCTION, PUBLIC_URL, env

SECRET_KEY = env.str("SECRET_KEY", default="") or (
    # Several processes have to be told one key. A missing one is random and too short on purpose: the check
    # zhiying.E002 names it and nothing starts, where an empty one would end in Django's own traceback.
    stored_secret(DATA_DIR / "secret_key") if EMBEDDED else token_hex(8)
)
SECRET_KEY_FALLBACKS = env.names("SECRET_KEY_FALLBACKS")
"""Earlier keys, which sign nothing any more and are still believed."""


def _signing_keys(name: str, purpose: str) -> list[str]:
    """The key that signs, then those still believed: named ones, and those derived from SECRET_KEYs."""
    derived = [derived_key(secret, purpose) for secret in (SECRET_KEY, *SECRET_KEY_FALLBACKS)]
    named = env.str(name, default="")
    return [*([named] if named else []), *env.names(f"{name}_FALLBACKS"), *derived]


JWT_SIGNING_KEYS = _signing_keys("JWT_SIGNING_KEY", "jwt")
MEDIA_SIGNING_KEYS = _signing_keys("MEDIA_SIGNING_KEY", "media")
JWT_SIGNING_KEY, MEDIA_SIGNING_KEY = JWT_SIGNING_KEYS[0], MEDIA_SIGNING_KEYS[0]
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

_LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]", socket.gethostname(), f"[{HOST}]" if ":" in HOST else HOST]
_PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname
if PRODUCTION:
    _DEFAULT_HOSTS = [_PUBLIC_HOST] if _PUBLIC_HOST else []
else:
    _DEFAULT_HOSTS = ["*"] if HOST in {"0.0.0.0", "::"} else _LOCAL_HOSTS  # noqa: S104
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", default=_DEFAULT_HOSTS)
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL] if PUBLIC_URL else [])
CORS_ALLOWED_ORIGINS = env.names("CORS_ALLOWED_ORIGINS")
CORS_ALLOW_HEADERS = ("accept", "authorization", "content-type", "idempotency-key", "if-none-match")
CORS_EXPOSE_HEADERS = ("ETag", "Retry-After", "X-Request-ID")
CORS_URLS_REGEX = r"^/(api|media)/"

HTTPS = env.bool("HTTPS", default=PRODUCTION)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_ENGINE = "zhiying.hashed_sessions"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"  # a message may show a password once
SECURE_SSL_REDIRECT = False  # the reverse proxy redirects; health checks arrive in plain HTTP
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if NUM_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SILENCED_SYSTEM_CHECKS = [
    "security.W003",  # zhiying.page_middleware has a middleware of its own against forged requests
    "security.W008",  # see SECURE_SSL_REDIRECT
]

S3_BUCKET = env.str("S3_BUCKET", default="")
S3_REGION = env.str("S3_REGION", default="")
S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL", default="")
S3_PUBLIC_ENDPOINT_URL = env.str("S3_PUBLIC_ENDPOINT_URL", default="") or S3_ENDPOINT_URL
S3_ADDRESSING_STYLE = env.str("S3_ADDRESSING_STYLE", default="path")
"""path: https://store/bucket/key; virtual: https://bucket.store/key."""
_AWS_ORIGINS = ["https://s3.amazonaws.com", f"https://s3.{S3_REGION or 'us-east-1'}.amazonaws.com"]
_S3_ORIGINS = [S3_PUBLIC_ENDPOINT_URL] if S3_PUBLIC_ENDPOINT_URL else _AWS_ORIGINS
if S3_ADDRESSING_STYLE == "virtual":
    _S3_ORIGINS = [origin.replace("://", f"://{S3_BUCKET}.", 1) for origin in _S3_ORIGINS]
_MEDIA_ORIGINS = _S3_ORIGINS if S3_BUCKET else []
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:", "blob:", *_MEDIA_ORIGINS],
        "media-src": [SELF, "blob:", *_MEDIA_ORIGINS],
        "connect-src": [SELF, *_MEDIA_ORIGINS],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
