"""The address of the client behind our own reverse proxies."""

from ipaddress import ip_address

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


_MARKS_OF_PROXIES = ("forwarded", "via", "x-real-ip", "x-forwarded-")


def came_directly_from_this_machine(request: HttpRequest) -> bool:
    """Whether no proxy, of ours or of anybody's, stands between us and a client on this very machine."""
    marked = any(name.lower().startswith(_MARKS_OF_PROXIES) for name in request.headers)
    return not marked and is_loopback(str(request.META.get("REMOTE_ADDR", "")))


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own to itself."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
