"""One HTTP client for all engines: bounded in time and bytes, and it goes only where it may.

Errors name a host and a status, never a URL, a header or a body, since these may hold secrets.
"""

import json
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.filepost import encode_multipart_formdata
from urllib3.response import BaseHTTPResponse

from engines.addresses import Reach
from engines.base import EngineBusyError, EngineError, EngineStoppedError, machine_trouble
from engines.connections import CONNECT_S, READ_S, Exchange, pools_within

ANSWER_S = 30.0
"""Longest for a whole ordinary exchange."""
UPLOAD_S = 120.0
"""Longest for an exchange that sends a portrait and a recording."""
DOWNLOAD_S = 600.0
MAX_ANSWER_BYTES = 4 * 1024 * 1024
MAX_VIDEO_BYTES = 1024 * 1024 * 1024
MAX_REDIRECTS = 3
CHUNK_BYTES = 256 * 1024
REDIRECTS = (301, 302, 303, 307, 308)
TOO_MANY, LONGEST_RETRY_S = 429, 3600.0
PRIVATE_VARIABLE = "ENGINE_PRIVATE_RESULTS"
"""Whether results may lie at private addresses that are not configured: true or nothing."""

Parts = Mapping[str, str | tuple[str, bytes, str]]
"""A form: values, or files as (name, bytes, type)."""


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    host: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; raises `EngineBusyError`, since a server in good order would send some."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise EngineBusyError("server_answer", host=self.host) from None

    def object(self) -> dict[str, Any]:
        value = self.json()
        if not isinstance(value, dict):
            raise EngineBusyError("server_answer", host=self.host)
        return value

    def text(self, limit: int = 300) -> str:
        """The beginning of the body for a person, without control characters."""
        return said(self.body.decode("utf-8", "replace"), limit)

    def raise_for_trouble(self) -> None:
        """What every server means alike: credentials, too many requests, its own fault."""
        if self.status in (401, 403):
            raise EngineStoppedError("credential_rejected")
        if self.status == 402:
            raise EngineStoppedError("quota_used_up")
        if self.status in (408, 425, TOO_MANY, 503):
            raise EngineBusyError(retry_after_s=self.retry_after_s())
        if self.status >= 500:
            raise EngineBusyError(
                "server_trouble", host=self.host, status=self.status, retry_after_s=self.retry_after_s()
            )

    def retry_after_s(self) -> float | None:
        value = self.headers.get("retry-after", "")
        return min(float(value), LONGEST_RETRY_S) if re.fullmatch(r"\d{1,6}", value) else None


def said(text: object, limit: int = 300) -> str:
    """What a server said, for a person: on one line, cut, without anything that looks like a credential."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    line = re.sub(r"(?i)(bearer\s+|api[-_]?key\W+|token\W+|sk-)[\w.\-]{8,}", r"\1…", line)
    line = re.sub(r"(https?://[^\s?]+)\?\S+", r"\1", line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


class Client:
    """Talks to the servers of one engine. Thread-safe."""

    def __init__(self, *urls: str, private_allowed: bool = False) -> None:
        self._configured = frozenset(host_of(url) for url in urls)
        self._pools = pools_within(Reach(self._configured, private_allowed))

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, total_s: float = ANSWER_S) -> Reply:
        return self.send("GET", url, headers=headers, total_s=total_s)

    def post_json(
        self,
        url: str,
        value: Any,
        *,
        headers: Mapping[str, str] | None = None,
        total_s: float = UPLOAD_S,
        limit: int = MAX_ANSWER_BYTES,
    ) -> Reply:
        body = json.dumps(value).encode()
        return self.send(
            "POST",
            url,
            body=body,
            headers={"Content-Type": "application/json", **(headers or {})},
            total_s=total_s,
            limit=limit,
        )

    def post_form(
        self, url: str, parts: Parts, *, headers: Mapping[str, str] | None = None, elsewhere: bool = False
    ) -> Reply:
        body, kind = encode_multipart_formdata(dict(parts))
        return self.send(
            "POST",
            url,
            body=body,
            headers={"Content-Type": kind, **(headers or {})},
            total_s=UPLOAD_S,
            elsewhere=elsewhere,
        )

    def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        total_s: float = ANSWER_S,
        limit: int = MAX_ANSWER_BYTES,
        elsewhere: bool = False,
    ) -> Reply:
        """One exchange with a configured host; `elsewhere`: with any permitted one, where a server sent us.

        Redirects are answers like others.
        """
        if not elsewhere and host_of(url) not in self._configured:
            raise EngineStoppedError("address_refused", host=host_of(url))
        with self._exchange(method, url, body, headers, total_s, silence_s=total_s) as (answer, exchange):
            parts: list[bytes] = []
            size = 0
            for chunk in _chunks(answer, exchange):
                size += len(chunk)
                if size > limit:
                    raise EngineBusyError("server_answer", host=host_of(url))
                parts.append(chunk)
            return Reply(host_of(url), answer.status, _lower(answer.headers), b"".join(parts))

    def download(
        self,
        url: str,
        target: Path,
        *,
        headers: Mapping[str, str] | None = None,
        total_s: float = DOWNLOAD_S,
        limit: int = MAX_VIDEO_BYTES,
    ) -> Reply:
        """Write what lies at `url`, which may be anywhere permitted; returns the answer without its body.

        `headers` go only to the host of `url`, not to one that it redirects to. An answer that is no success
        is returned with its body and writes nothing.
        """
        ends = time.monotonic() + total_s
        origin = _origin(url)
        for _ in range(MAX_REDIRECTS + 1):
            given = headers if _origin(url) == origin else None
            with self._exchange("GET", url, None, given, ends - time.monotonic()) as (answer, exchange):
                if answer.status in REDIRECTS and answer.headers.get("Location"):
                    url = _redirected(url, answer.headers["Location"])
                    continue
                reply = Reply(host_of(url), answer.status, _lower(answer.headers), b"")
                if reply.ok:
                    _write(answer, exchange, target, limit)
                    return reply
                return Reply(
                    reply.host, reply.status, reply.headers, next(iter(_chunks(answer, exchange)), b"")
                )
        raise EngineStoppedError("address_refused", host=host_of(url))

    @contextmanager
    def _exchange(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        total_s: float,
        silence_s: float = READ_S,
    ) -> "Iterator[tuple[BaseHTTPResponse, Exchange]]":
        host = host_of(url)
        with Exchange(max(0.01, total_s)) as exchange:
            answer: BaseHTTPResponse | None = None
            try:
                answer = self._pools.urlopen(
                    method,
                    url,
                    body=body,
                    headers={"Accept-Encoding": "identity", "User-Agent": "ZhiYing", **(headers or {})},
                    redirect=False,
                    preload_content=False,
                    timeout=urllib3.Timeout(connect=CONNECT_S, read=max(0.01, min(silence_s, total_s))),
                )
                yield answer, exchange
            except EngineError:
                raise
            except (HTTPError, OSError, ValueError) as error:
                late = exchange.late or isinstance(error, TimeoutError | urllib3.exceptions.ReadTimeoutError)
                unheard = not exchange.begun
                if late:
                    raise EngineBusyError("server_slow", host=host, nothing_sent=unheard) from None
                raise EngineBusyError("server_unreachable", host=host, nothing_sent=unheard) from None
            finally:
                if answer is not None:
                    answer.close()  # keeps a connection whose answer was read to its end


def _chunks(answer: BaseHTTPResponse, exchange: Exchange) -> Iterator[bytes]:
    """The body as it comes."""
    while chunk := answer.read1(CHUNK_BYTES):
        yield chunk
    if exchange.late:
        raise TimeoutError


def _write(answer: BaseHTTPResponse, exchange: Exchange, target: Path, limit: int) -> None:
    """The body into a file that appears when it is whole."""
    part = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}.part")
    expected = answer.headers.get("Content-Length", "")
    if expected.isdigit() and int(expected) > limit:
        raise EngineError("result_too_large", limit=limit >> 20)
    size = 0
    try:
        with part.open("wb") as file:
            for chunk in _chunks(answer, exchange):
                size += len(chunk)
                if size > limit:
                    raise EngineError("result_too_large", limit=limit >> 20)
                _put(file, chunk)
        if expected.isdigit() and int(expected) != size:
            raise OSError("cut off")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _put(file: BinaryIO, chunk: bytes) -> None:
    """A full disk is our trouble, not the server's."""
    try:
        file.write(chunk)
    except OSError as error:
        raise machine_trouble(error) from error


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def host_of(url: str) -> str:
    """The host name of a URL; raises `EngineStoppedError` when it is no HTTP URL."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("http", "https"):
        raise EngineStoppedError("address_refused", host=said(url.partition("?")[0], 100))
    return host


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, host_of(url), parts.port


def _redirected(url: str, location: str) -> str:
    """Where a redirect leads; never from a secured connection to one that is not."""
    there = urljoin(url, location)
    if urlsplit(url).scheme == "https" and urlsplit(there).scheme != "https":
        raise EngineStoppedError("address_refused", host=host_of(there))
    return there
