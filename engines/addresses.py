"""Which addresses a request may go to.

A server we talk to may hand us an address of its choosing (a redirect, a result's URL). Whatever it is, the
connection goes to an address that was checked after the name was resolved, so a name that resolves to one
address for the check and to another for the connection gains nothing.
"""

import ipaddress
import socket
from dataclasses import dataclass, field

from engines.base import EngineStoppedError


@dataclass(frozen=True)
class Reach:
    """Who may be asked. Hosts that were configured may be private; others only if that is allowed."""

    configured: frozenset[str] = field(default_factory=frozenset)
    """Host names as they are in the configured URLs."""
    private_allowed: bool = False

    def connect(self, host: str, port: int, timeout_s: float) -> socket.socket:
        """A connection to one of the host's permitted addresses.

        Raises `EngineStoppedError` when it has none, `OSError` when none of them answers.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        usable = [entry for entry in found if self._permits(host, str(entry[4][0]))]
        if not usable:
            raise EngineStoppedError("address_refused", host=host)
        trouble: OSError = OSError(f"{host} has no address")
        for family, kind, protocol, _, address in usable:
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(timeout_s)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.connect(address)
            except OSError as error:
                connection.close()
                trouble = error
            else:
                return connection
        raise trouble

    def _permits(self, host: str, address: str) -> bool:
        return self.private_allowed or host in self.configured or is_public(address)


def is_public(address: str) -> bool:
    """Whether an address belongs to the Internet at large, and so to nobody's inside.

    IPv6 forms that carry an IPv4 address are judged by that: a translator on the way would lead there.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        carried = ip.ipv4_mapped or ip.sixtofour or _translated(ip)
        if carried is not None:
            ip = carried
    return ip.is_global and not ip.is_multicast


def _translated(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address in one of the well-known NAT64 prefix (RFC 6052)."""
    if ip in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None
