"""The engines' HTTP client: bounded in time and bytes, and it goes only where it may."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.addresses import is_public
from engines.base import EngineBusyError, EngineError, EngineStoppedError
from engines.connections import Exchange
from engines.http import Client, Reply, said
from tests.standins.server import Answer, Request, StandIn
from tests.support.no_threads import no_more_threads

SECRET = "sk-very-secret-0123456789"


class Echo(StandIn):
    """Answers with what a test has laid down for a path."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, Answer] = {}

    def answer(self, request: Request) -> Answer:
        return self.pages.get(request.path, Answer.of({"path": request.path}))


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo().serving() as server:
        yield server


@pytest.fixture
def client(echo: Echo) -> Client:
    return Client(echo.url)


def test_answers_are_read_and_connections_kept(echo: Echo, client: Client) -> None:
    for _ in range(3):
        assert client.get(f"{echo.url}/x").object() == {"path": "/x"}


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("dropped", "server_unreachable"),
        ("slow", "server_slow"),
        ("trickle", "server_slow"),
        ("truncated", "server_unreachable"),
        ("garbage", "server_answer"),
    ],
)
def test_trouble_on_the_way_passes_within_its_bound(echo: Echo, client: Client, kind: str, code: str) -> None:
    echo.fail(kind)
    started = time.monotonic()
    with pytest.raises(EngineBusyError) as trouble:
        client.get(f"{echo.url}/x?key={SECRET}", headers={"Authorization": SECRET}, total_s=0.6).object()
    assert (trouble.value.code, trouble.value.nothing_sent) == (code, False)
    assert time.monotonic() - started < 5
    assert SECRET not in repr(trouble.value)
    assert trouble.value.__cause__ is None
    assert client.get(f"{echo.url}/y").ok


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(EngineBusyError) as trouble:
        Client("http://127.0.0.1:1").get("http://127.0.0.1:1/")
    assert (trouble.value.code, trouble.value.nothing_sent) == ("server_unreachable", True)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, EngineStoppedError, "credential_rejected"),
        (402, EngineStoppedError, "quota_used_up"),
        (429, EngineBusyError, "server_busy"),
        (500, EngineBusyError, "server_trouble"),
        (503, EngineBusyError, "server_busy"),
    ],
)
def test_what_every_server_means_alike(status: int, kind: type[EngineError], code: str) -> None:
    with pytest.raises(kind) as trouble:
        Reply("h", status, {"retry-after": "7"}, b"").raise_for_trouble()
    assert trouble.value.code == code
    if isinstance(trouble.value, EngineBusyError):
        assert trouble.value.retry_after_s == 7


def test_an_answer_larger_than_its_limit_is_not_read(echo: Echo, client: Client) -> None:
    echo.pages["/large"] = Answer(200, b"x" * 100_000)
    with pytest.raises(EngineBusyError):
        client.send("GET", f"{echo.url}/large", limit=50_000)


# --- Where it may go ---


def test_only_configured_hosts_are_asked(echo: Echo, client: Client) -> None:
    for url in (echo.url.replace("127.0.0.1", "localhost"), "file:///etc/passwd", "http://[", "gopher://a/"):
        with pytest.raises(EngineStoppedError) as refused:
            client.get(url)
        assert refused.value.code == "address_refused"
    assert echo.requests == []


def test_redirects_of_ordinary_requests_are_not_followed(echo: Echo, client: Client) -> None:
    echo.pages["/away"] = Answer(302, headers={"Location": "/elsewhere"})
    assert client.get(f"{echo.url}/away").status == 302
    assert len(echo.requests) == 1


@pytest.mark.parametrize("redirected", [False, True])
def test_results_at_private_addresses_are_refused_unless_allowed(
    echo: Echo, client: Client, tmp_path: Path, redirected: bool
) -> None:
    inside = echo.url.replace("127.0.0.1", "localhost") + "/inside"
    echo.pages["/inside"] = Answer(200, b"film", "video/mp4")
    echo.pages["/away"] = Answer(302, headers={"Location": inside})
    url = f"{echo.url}/away" if redirected else inside
    with pytest.raises(EngineStoppedError) as refused:
        client.download(url, tmp_path / "film")
    assert refused.value.code == "address_refused"
    assert list(tmp_path.iterdir()) == []
    assert echo.asked("GET", "/inside") == []
    Client(echo.url, private_allowed=True).download(url, tmp_path / "film")
    assert (tmp_path / "film").read_bytes() == b"film"


def test_a_name_that_resolves_to_another_address_later_gains_nothing(
    echo: Echo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Resolved once; the connection goes to the address that was checked."""
    port = int(echo.url.rpartition(":")[2])
    resolved: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, *arguments: object, **named: object) -> object:
        resolved.append(host)
        first = "93.184.216.34" if len(resolved) == 1 else "127.0.0.1"
        return real(first, port, type=socket.SOCK_STREAM)

    attempts: list[object] = []

    class Refusing(socket.socket):
        def connect(self, address: object) -> None:
            attempts.append(address)
            raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket, "socket", Refusing)
    with pytest.raises(EngineBusyError):
        Client(echo.url).download(f"http://rebinding.example:{port}/x", tmp_path / "film")
    assert attempts == [("93.184.216.34", port)]


def test_credentials_stay_with_the_host_they_are_for(echo: Echo, client: Client, tmp_path: Path) -> None:
    with Echo().serving() as other:
        other.pages["/film"] = Answer(200, b"film", "video/mp4")
        echo.pages["/away"] = Answer(307, headers={"Location": f"{other.url}/film"})
        client.download(f"{echo.url}/away", tmp_path / "film", headers={"Authorization": SECRET})
        assert echo.requests[-1].headers["authorization"] == SECRET
        assert "authorization" not in other.requests[-1].headers


def test_redirects_end(echo: Echo, client: Client, tmp_path: Path) -> None:
    echo.pages["/round"] = Answer(302, headers={"Location": "/round"})
    with pytest.raises(EngineStoppedError):
        client.download(f"{echo.url}/round", tmp_path / "film")
    assert len(echo.requests) <= 5


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "169.254.169.254", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0"),  # noqa: S104
        *("::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::"),
        "224.0.0.1",
    ],
)
def test_inner_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_outer_addresses_are_public(address: str) -> None:
    assert is_public(address)


# --- Downloads ---


def test_a_download_is_bounded_and_appears_only_when_whole(
    echo: Echo, client: Client, tmp_path: Path
) -> None:
    echo.pages["/film"] = Answer(200, b"f" * 300_000, "video/mp4")
    target = tmp_path / "film"
    with pytest.raises(EngineError) as refused:
        client.download(f"{echo.url}/film", target, limit=200_000)
    assert refused.value.code == "result_too_large"
    for kind in ("truncated", "trickle", "dropped"):
        echo.fail(kind, path="/film")
        with pytest.raises(EngineBusyError):
            client.download(f"{echo.url}/film", target, total_s=1)
    assert list(tmp_path.iterdir()) == []
    client.download(f"{echo.url}/film", target)
    assert target.stat().st_size == 300_000


def test_what_servers_say_is_shown_without_secrets() -> None:
    shown = said(f"no\x00 access\nfor Bearer {SECRET} at https://h/x?Signature=abc&Expires=1 " + "x" * 900)
    assert SECRET not in shown
    assert "Signature" not in shown
    assert "\n" not in shown
    assert len(shown) <= 300


def test_an_exchange_that_nobody_would_end_does_not_begin() -> None:
    with no_more_threads(), pytest.raises(RuntimeError), Exchange(60.0):
        pass
    assert getattr(Exchange._current, "exchange", None) is None
