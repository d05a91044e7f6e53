"""The LightX2V inference server (`lightx2v/server`, Apache-2.0): one or several as a pool, one task each.

The JSON form is used, because it takes our id: a task that was sent twice is one task. Tasks live in the
server's memory; an id it has forgotten is unknown, and is submitted again. It has no authentication.
"""

import base64
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from engines.base import Capabilities, EngineBusyError, EngineError, Readiness
from engines.failures import failure_of
from engines.http import Client, Reply
from engines.options import number_of, private_allowed, urls_of
from engines.pool import Pool, none_took_it
from engines.remote import Credential, JobOrder, JobState, JobView

MAX_SEED = 2**31 - 1
STATES = {
    "pending": JobState.WAITING,
    "processing": JobState.RUNNING,
    "completed": JobState.DONE,
    "failed": JobState.FAILED,
    "cancelled": JobState.CANCELLED,
}
REFUSED = (400, 403, 413, 415, 422)


class LightX2VEngine:
    """Implements `engines.remote.RemoteEngine`."""

    def __init__(self, urls: Sequence[str], *, fps: int, max_audio_s: float, private: bool = False) -> None:
        self._pool = Pool(urls)
        self._client = Client(*urls, private_allowed=private)
        self._fps, self._max_audio_s = fps, max_audio_s

    @classmethod
    def from_settings(cls, options: Mapping[str, str], credential: Credential) -> "LightX2VEngine":  # noqa: ARG003
        """`LIGHTX2V_URLS`, `LIGHTX2V_FPS` (of the model), `LIGHTX2V_MAX_AUDIO_S`."""
        return cls(
            urls_of(options, "LIGHTX2V_URLS"),
            fps=int(number_of(options, "LIGHTX2V_FPS", 16, least=1)),
            max_audio_s=number_of(options, "LIGHTX2V_MAX_AUDIO_S", 300, least=1),
            private=private_allowed(options),
        )

    def capabilities(self) -> Capabilities:
        return Capabilities(
            name="lightx2v",
            label="LightX2V",
            kind="remote",
            min_side_px=128,
            max_side_px=8000,
            min_audio_s=0.5,
            max_audio_s=self._max_audio_s,
            fps=self._fps,
            max_concurrent=len(self._pool),
            label_made=False,
        )

    def readiness(self) -> Readiness:
        return self._pool.first_ready(lambda url: self._queue(url) is not None)

    def submit(self, order: JobOrder) -> str:
        """To the first server that is idle; all of them at work is "later"."""
        troubles: list[EngineError] = []
        body: dict[str, Any] | None = None
        for url in self._pool.in_turn():
            try:
                queue = self._queue(url)
                if queue.get("is_processing") or queue.get("pending_count"):
                    troubles.append(EngineBusyError())
                    continue
            except EngineError as error:
                troubles.append(error)
                continue
            body = body or _task_of(order)
            reply = self._client.post_json(f"{url}/v1/tasks/video/", body)
            if _exists_already(reply):
                return self._pool.join(url, str(order.job_id))
            if reply.status in REFUSED:
                raise EngineError("input_refused", reason=_detail(reply))
            reply.raise_for_trouble()
            return self._pool.join(url, str(reply.object().get("task_id") or order.job_id))
        raise none_took_it(troubles)

    def find(self, job_id: UUID, since: datetime) -> str | None:
        """Under our own id, on whichever server; not answered means not known."""
        for url in self._pool.home_of(job_id):
            reply = self._client.get(f"{url}/v1/tasks/{job_id}/status")
            if reply.status != 404:
                reply.raise_for_trouble()
                return self._pool.join(url, str(job_id))
        return None

    def look(self, their_ids: Sequence[str]) -> Mapping[str, JobView]:
        views, gone = self._pool.look(their_ids, self._look_at)
        return {**views, **{one: JobView(state=JobState.UNKNOWN) for one in gone}}

    def fetch(self, their_id: str, target: Path) -> None:
        url, task = self._pool.split(their_id)
        if url is None:
            raise EngineError("result_missing")
        reply = self._client.download(f"{url}/v1/tasks/{task}/result", target)
        reply.raise_for_trouble()
        if not reply.ok:
            raise EngineError("result_missing")

    def cancel(self, their_id: str) -> None:
        """The server takes a waiting task off; one that renders goes on until its end, unheeded."""
        url, task = self._pool.split(their_id)
        if url is not None:
            reply = self._client.send("DELETE", f"{url}/v1/tasks/{task}")
            if reply.status != 404:
                reply.raise_for_trouble()

    def _queue(self, url: str) -> dict[str, Any]:
        reply = self._client.get(f"{url}/v1/tasks/queue/status")
        reply.raise_for_trouble()
        return reply.object()

    def _look_at(self, url: str, tasks: list[str]) -> Mapping[str, JobView]:
        """One call for all of a server's tasks, one for a single."""
        if len(tasks) == 1:
            reply = self._client.get(f"{url}/v1/tasks/{tasks[0]}/status")
            known = {} if reply.status == 404 else {tasks[0]: reply}
            for one in known.values():
                one.raise_for_trouble()
            return {task: _view(known[task].object() if task in known else None) for task in tasks}
        reply = self._client.get(f"{url}/v1/tasks/")
        reply.raise_for_trouble()
        everything = reply.object()
        return {task: _view(everything.get(task)) for task in tasks}


def _task_of(order: JobOrder) -> dict[str, Any]:
    portrait, audio = (base64.b64encode(path.read_bytes()).decode() for path in (order.portrait, order.audio))
    kind = "png" if order.portrait.suffix.lower() == ".png" else "jpeg"
    return {
        "task_id": str(order.job_id),
        "prompt": order.prompt,
        "negative_prompt": order.options.get("negative_prompt", ""),
        "image_path": f"data:image/{kind};base64,{portrait}",
        "audio_path": f"data:audio/wav;base64,{audio}",  # "audio/x-wav" is not understood
        "video_duration": math.ceil(order.audio_s),  # a whole number; the recording's end cuts the video
        "seed": order.seed % (MAX_SEED + 1),  # left out it would be random in one form and 42 in the other
    }


def _view(status: Any) -> JobView:
    """A task's status as the server gives it; None is a task it does not know."""
    if status is None:
        return JobView(state=JobState.UNKNOWN)
    state = STATES.get(str(status.get("status")) if isinstance(status, dict) else "")
    if state is None:
        raise EngineBusyError("server_answer", host="")
    if state is JobState.FAILED:
        return JobView(state=state, error=failure_of(status.get("error") or status.get("error_type")))
    return JobView(state=state)


def _exists_already(reply: Reply) -> bool:
    return reply.status in (409, 503) and b"already exists" in reply.body


def _detail(reply: Reply) -> str:
    try:
        return str(reply.object().get("detail"))[:300]
    except EngineError:
        return reply.text()
