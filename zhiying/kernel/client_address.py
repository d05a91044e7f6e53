"""The address of the client behind our own reverse proxies."""

from django.conf import settings
from django.http import HttpRequest


def client_ip(request: HttpRequest) -> str:
    """Return the client's address.

    Each of our `NUM_PROXIES` proxies appends the address it saw to X-Forwarded-For, so the client is
    the entry that many places from the right; anything further left was sent by the client itself.
    """
    remote = str(request.META.get("REMOTE_ADDR", ""))
    if not settings.NUM_PROXIES:
        return remote
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    chain = [part for part in forwarded if part]
    return chain[-min(settings.NUM_PROXIES, len(chain))] if chain else remote
