"""The Dramatiq broker, chosen by the scheme of BROKER_URL.

Clients are imported where they are used: each takes a quarter of a second of every process that imports it.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured
from dramatiq.broker import Broker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware

REDIS_MAINTENANCE_CHANCE = 50_000
"""Per million commands. The default (1,000) leaves the messages of a dead worker for up to a quarter hour."""


def make_broker(url: str, middleware: list[Middleware]) -> Broker:
    """Return the broker for `memory://`, `amqp(s)://` or `redis(s)://`.

    Options of pika travel in an amqp URL, such as `?heartbeat=60&connection_attempts=1`.
    """
    scheme = url.partition("://")[0]
    url = bounded(url)
    if scheme == "memory":
        return StubBroker(middleware=middleware)
    if scheme in {"amqp", "amqps"}:
        from dramatiq.brokers.rabbitmq import RabbitmqBroker

        return RabbitmqBroker(url=url, confirm_delivery=True, middleware=middleware)
    if scheme in {"redis", "rediss"}:
        from dramatiq.brokers.redis import RedisBroker

        return RedisBroker(  # type: ignore[no-untyped-call]
            url=url, maintenance_chance=REDIS_MAINTENANCE_CHANCE, middleware=middleware
        )
    raise ImproperlyConfigured(f"BROKER_URL begins with {scheme}://; use memory://, amqp:// or redis://.")


_AMQP = {
    "heartbeat": "30",
    "blocked_connection_timeout": "10",
    "connection_attempts": "1",
    "socket_timeout": "5",
    "stack_timeout": "10",
}
_REDIS = {"socket_timeout": "5", "socket_connect_timeout": "5"}
DEADLINES: Mapping[str, Mapping[str, str]] = {
    # Seconds, by the URL's scheme. What the operator writes into the URL goes before.
    "amqp": _AMQP,
    "amqps": _AMQP,
    "redis": _REDIS,
    "rediss": _REDIS,
}
"""So that no call to a broker that hangs waits for ever."""


def bounded(url: str) -> str:
    """The URL with the deadlines that it does not set itself."""
    parts = urlsplit(url)
    deadlines = DEADLINES.get(parts.scheme, {})
    if not deadlines:
        return url
    query = {**deadlines, **dict(parse_qsl(parts.query))}
    return urlunsplit(parts._replace(query=urlencode(query)))


def is_in_process(url: str) -> bool:
    """Whether messages never leave this process, so that it has to run its workers itself."""
    return url.startswith("memory://")


def check_broker(broker: Broker) -> None:
    """Raise whatever the broker's client raises when it cannot be reached."""
    known: Any = broker
    match type(broker).__name__:
        case "RedisBroker":
            known.client.ping()
        case "RabbitmqBroker":
            import pika

            # A connection of its own: one kept by this thread would be found closed for want of heartbeats.
            pika.BlockingConnection(parameters=known.parameters).close()
        case "StubBroker":
            pass  # in this process
        case other:
            raise TypeError(f"nobody knows how to ask a {other} whether it answers")
