"""No broker's URL goes without deadlines."""

from urllib.parse import parse_qs, urlsplit

import pytest

from zhiying.broker import bounded


@pytest.mark.parametrize("scheme", ["amqp", "amqps", "redis", "rediss"])
def test_calls_to_a_broker_of_any_scheme_have_deadlines(scheme: str) -> None:
    query = parse_qs(urlsplit(bounded(f"{scheme}://user:password@host:1/0?socket_timeout=7")).query)
    assert query["socket_timeout"] == ["7"], "the operator's own"
    assert {"redi": "socket_connect_timeout", "amqp": "heartbeat"}[scheme[:4]] in query
