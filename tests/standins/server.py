"""What all stand-ins share: a server on loopback, a list of jobs a test drives, and faults to order."""

import contextlib
import io
import json
import tempfile
import threading
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import parse_qs, urlsplit

from tests.standins.films import write_film

SLOW_S = 30.0
"""How long a slow server keeps a client waiting, unless the stand-in is stopped before."""
CHUNK_BYTES = 65_536


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, bytes]:
        """The parts of a multipart form, by name."""
        head = b"Content-Type: " + self.headers["content-type"].encode() + b"\r\n\r\n"
        message = BytesParser(policy=policy.HTTP).parsebytes(head + self.body)
        return {
            str(part.get_param("name", header="content-disposition")): cast(
                "bytes", part.get_payload(decode=True)
            )
            for part in message.iter_parts()
        }


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any, status: int = 200, **headers: str) -> "Answer":
        return cls(
            status,
            json.dumps(value).encode(),
            headers={name.replace("_", "-"): text for name, text in headers.items()},
        )


@dataclass
class Fault:
    """Trouble for requests whose method and path match, a number of times.

    `slow` waits before answering, `dropped` closes unheard, `lost` does the work and closes unanswered,
    `garbage` answers nonsense, `truncated` ends in the middle of the body, `trickle` sends a byte now and
    then; a number is a status.
    """

    kind: str | int
    path: str = ""
    method: str = ""
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    text: str = "trouble"

    def answer(self) -> dict[str, str]:
        """What was said, where each kind of server says it."""
        return {"detail": self.text, "message": self.text, "error": self.text}

    def fits(self, request: Request) -> bool:
        return self.times > 0 and self.method in ("", request.method) and self.path in request.path


@dataclass
class Job:
    """A task of a stand-in. `state` is in the words of `engines.remote.JobState`."""

    id: str
    audio_s: float
    prompt: str = ""
    seed: int | None = None
    state: str = "waiting"
    progress: float = 0.0
    error: str = ""
    film: bytes = field(default=b"", repr=False)
    extra: dict[str, Any] = field(default_factory=dict)


class StandIn:
    """A server. Subclasses answer requests and keep `jobs`; tests drive these and order faults."""

    autorun = False
    """Whether a job is done as soon as it is asked for."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.url = ""

    def answer(self, request: Request) -> Answer:
        raise NotImplementedError

    # --- What tests do ---

    def fail(self, kind: str | int, **where: Any) -> None:
        self.faults.append(Fault(kind, **where))

    def begin(self, job_id: str) -> None:
        self.jobs[job_id].state = "running"

    def complete(self, job_id: str, film: bytes | None = None) -> None:
        job = self.jobs[job_id]
        job.film = film_of(round(job.audio_s, 1)) if film is None else film
        job.state, job.progress = "done", 1.0

    def break_off(self, job_id: str, error: str = "CUDA out of memory") -> None:
        self.jobs[job_id].state, self.jobs[job_id].error = "failed", error

    def forget(self, job_id: str) -> None:
        """As after a restart of a server that keeps its tasks in memory."""
        del self.jobs[job_id]

    def asked(self, method: str, path: str) -> list[Request]:
        return [request for request in self.requests if request.method == method and path in request.path]

    # --- Serving ---

    @contextlib.contextmanager
    def serving(self) -> Iterator[Self]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"stand_in": self}))
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stopping.set()
            server.shutdown()
            server.server_close()
            thread.join(5)

    def fault_for(self, request: Request) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.fits(request):
                    fault.times -= 1
                    return fault
        return None

    def answered(self, request: Request) -> Answer:
        with self.lock:
            self.requests.append(request)
            if self.autorun:
                for job in self.jobs.values():
                    if job.state in ("waiting", "running"):
                        self.complete(job.id)
            return self.answer(request)


class _Handler(BaseHTTPRequestHandler):
    """Of `stand_in`, which a subclass sets."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    wbufsize = -1  # head and body in one segment: two would wait for each other's acknowledgement
    disable_nagle_algorithm = True
    stand_in: StandIn

    def handle_any(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, url.path, query, headers, body)
        fault = self.stand_in.fault_for(request)
        if fault is None:
            self.reply(self.stand_in.answered(request))
        elif isinstance(fault.kind, int):
            self.reply(Answer(**{**vars(Answer.of(fault.answer(), fault.kind)), "headers": fault.headers}))
        else:
            TROUBLES[fault.kind](self, request)

    do_GET = do_POST = do_DELETE = handle_any  # noqa: N815  (names of http.server)

    def reply(self, answer: Answer, cut: int | None = None) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(answer.body[:cut])
            self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Nothing: a test reads `requests`."""

    def slow(self, request: Request) -> None:
        self.stand_in.stopping.wait(SLOW_S)
        self.close_connection = True

    def dropped(self, request: Request) -> None:
        self.close_connection = True

    def lost(self, request: Request) -> None:
        self.stand_in.answered(request)
        self.close_connection = True

    def garbage(self, request: Request) -> None:
        self.stand_in.answered(request)
        self.reply(Answer(200, b"<html>\x00\xff it works", "text/html"))

    def truncated(self, request: Request) -> None:
        answer = self.stand_in.answered(request)
        self.reply(answer, cut=len(answer.body) // 2)
        self.close_connection = True

    def trickle(self, request: Request) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        with contextlib.suppress(OSError):
            while not self.stand_in.stopping.wait(0.05):
                self.wfile.write(b"x")
                self.wfile.flush()
        self.close_connection = True


TROUBLES: dict[str, Callable[[_Handler, Request], None]] = {
    "slow": _Handler.slow,
    "dropped": _Handler.dropped,
    "lost": _Handler.lost,
    "garbage": _Handler.garbage,
    "truncated": _Handler.truncated,
    "trickle": _Handler.trickle,
}


@lru_cache(maxsize=8)
def film_of(seconds: float) -> bytes:
    """A small film of that length, as a real server would have made it."""
    with tempfile.TemporaryDirectory() as folder:
        return write_film(Path(folder) / "film.mp4", seconds).read_bytes()


def wav_length_s(data: bytes) -> float:
    """How long a WAV lasts; raises like a server that refuses a broken one."""
    with wave.open(io.BytesIO(data)) as file:
        return float(file.getnframes() / file.getframerate())
