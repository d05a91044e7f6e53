"""The address of the client behind our own reverse proxies."""

from ipaddress import IPv6Address, ip_address, ip_network

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


UNKNOWN_NETWORK = "unknown"
_PREFIX_OF_VERSION = {4: 24, 6: 64}
"""What one customer of a provider usually has, or shares with a few others."""


def network_of(address: str) -> str:
    """The network of an address, as `203.0.113.0/24` or `2001:db8::/64`.

    Whoever controls one address of a network often controls the others, so they are counted together.
    """
    host = address.strip()
    if host.startswith("["):  # some proxies send the port as well
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        ip = ip_address(host.partition("%")[0])
    except ValueError:
        return UNKNOWN_NETWORK
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ip_network((ip, _PREFIX_OF_VERSION[ip.version]), strict=False))
