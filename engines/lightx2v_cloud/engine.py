"""The LightX2V cloud (`lightx2v/deploy/server`): an account's tasks, with limits, queue position and ETA.

The server takes no id of ours. The seed is made of our id instead of the order's, and so tells a job whose
answer was lost among the account's tasks; another try of an item is another performance.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from uuid import UUID

from engines.base import Capabilities, EngineBusyError, EngineError, Readiness
from engines.failures import failure_of
from engines.http import Client, Reply
from engines.lightx2v_cloud.session import Session, message_of, trouble_of
from engines.options import number_of, private_allowed, url_of
from engines.remote import Credential, JobOrder, JobState, JobView

BASE = "https://x2v.light-ai.top"
ASKED_AT_ONCE = 50
LISTED = 100
CLOCKS_APART = timedelta(minutes=5)
"""How far the server's clock may be from ours."""
TRIES_UNTIL_UNKNOWN = 3
"""Servers with tasks in files answer an unknown id like a fault of theirs."""
STATES = {
    "CREATED": JobState.WAITING,
    "PENDING": JobState.WAITING,
    "RUNNING": JobState.RUNNING,
    "SUCCEED": JobState.DONE,
    "FAILED": JobState.FAILED,
    "REJECT": JobState.FAILED,
    "CANCEL": JobState.CANCELLED,
    "CANCELLED": JobState.CANCELLED,
}


class LightX2VCloudEngine:
    """Implements `engines.remote.RemoteEngine`."""

    def __init__(self, url: str, options: Mapping[str, str], credential: Credential) -> None:
        self._url = url
        self._client = Client(url, private_allowed=private_allowed(options))
        self._session = Session(url, self._client, credential)
        self._model = options.get("LIGHTX2V_CLOUD_MODEL", "").strip() or "SekoTalk"
        self._stage = options.get("LIGHTX2V_CLOUD_STAGE", "").strip() or "single_stage"
        self._active = int(number_of(options, "LIGHTX2V_CLOUD_ACTIVE", 3, least=1))
        self._a_day = int(number_of(options, "LIGHTX2V_CLOUD_A_DAY", 100, least=1))
        self._max_audio_s = number_of(options, "LIGHTX2V_CLOUD_MAX_AUDIO_S", 300, least=1)
        self._troubled: dict[str, int] = {}

    @classmethod
    def from_settings(cls, options: Mapping[str, str], credential: Credential) -> "LightX2VCloudEngine":
        """`LIGHTX2V_CLOUD_URL`, `LIGHTX2V_CLOUD_MODEL`, `…_STAGE`, `…_ACTIVE`, `…_A_DAY`, `…_MAX_AUDIO_S`."""
        return cls(url_of(options, "LIGHTX2V_CLOUD_URL", BASE), options, credential)

    def capabilities(self) -> Capabilities:
        return Capabilities(
            name="lightx2v-cloud",
            label="LightX2V Cloud",
            kind="remote",
            min_side_px=128,
            max_side_px=8000,
            min_audio_s=0.5,
            max_audio_s=self._max_audio_s,
            fps=16,
            max_concurrent=self._active,
            max_per_day=self._a_day,
            label_made=False,
        )

    def readiness(self) -> Readiness:
        try:
            _raise_for(self._session.get("/api/v1/model/list")).object()
        except EngineError as error:
            return Readiness.no(error)
        return Readiness(ready=True)

    def submit(self, order: JobOrder) -> str:
        reply = _raise_for(self._session.post("/api/v1/task/submit", self._task(order)))
        their_id = reply.object().get("task_id")
        if not isinstance(their_id, str) or not their_id:
            raise EngineBusyError("server_answer", host=reply.host)
        return their_id

    def find(self, job_id: UUID, since: datetime) -> str | None:
        """The account's task with the seed that our id makes, made since then."""
        oldest, page = (since - CLOCKS_APART).timestamp(), 1
        while True:
            reply = self._session.get(f"/api/v1/task/list?page={page}&page_size={LISTED}")
            tasks = _raise_for(reply).object().get("tasks")
            if not isinstance(tasks, list):
                raise EngineBusyError("server_answer", host=reply.host)
            for task in tasks:
                if (task.get("params") or {}).get("seed") == seed_of(job_id) and task["create_t"] >= oldest:
                    return str(task["task_id"])
            if len(tasks) < LISTED or tasks[-1].get("create_t", 0) < oldest:
                return None
            page += 1

    def look(self, their_ids: Sequence[str]) -> Mapping[str, JobView]:
        views: dict[str, JobView] = {}
        trouble: EngineError | None = None
        for chunk in _chunks(their_ids):
            try:
                views |= self._look_at(chunk)
            except EngineError as error:
                trouble = error
        if trouble is not None and not views:
            raise trouble
        return views

    def fetch(self, their_id: str, target: Path) -> None:
        """From a presigned address, or from the server itself with our token."""
        path = f"/api/v1/task/result_url?task_id={quote(their_id)}&name=output_video"
        reply = self._session.get(path)
        if not reply.ok and "not succeed" in message_of(reply):
            raise EngineBusyError
        url = urljoin(f"{self._url}/", str(_raise_for(reply).object().get("url", "")))
        if urlsplit(url)[:2] == urlsplit(self._url)[:2]:
            reply = self._session.asked(lambda headers: self._client.download(url, target, headers=headers))
        else:
            reply = self._client.download(url, target)
        _raise_for(reply)

    def cancel(self, their_id: str) -> None:
        """What has ended is a 400, what is unknown a 404 or a 500: neither has to be cancelled any more."""
        reply = self._session.get(f"/api/v1/task/cancel?task_id={quote(their_id)}")
        if reply.status not in (400, 404) and not _is_unknown(reply):
            _raise_for(reply)

    def _task(self, order: JobOrder) -> dict[str, Any]:
        image, audio = (
            base64.b64encode(path.read_bytes()).decode() for path in (order.portrait, order.audio)
        )
        return {
            "task": "s2v",
            "model_cls": self._model,
            "stage": self._stage,
            "prompt": order.prompt or "a person talks to the camera",  # an empty one is refused
            "negative_prompt": order.options.get("negative_prompt", ""),
            "seed": seed_of(order.job_id),
            "cfg_scale": 5,
            "input_image": {"type": "base64", "data": image},
            "input_audio": {"type": "base64", "data": audio},
        }

    def _look_at(self, ids: Sequence[str]) -> dict[str, JobView]:
        """All with one call; one by one when that fails, since one unknown id spoils the whole list."""
        if len(ids) > 1:
            reply = self._session.get(f"/api/v1/task/query?task_ids={quote(','.join(ids), safe=',')}")
            if reply.ok:
                tasks = {str(task.get("task_id")): task for task in reply.object().get("tasks") or []}
                views = {one: _view(tasks[one], reply) for one in ids if one in tasks}
                return views | {one: JobView(state=JobState.UNKNOWN) for one in ids if one not in tasks}
            if not _is_unknown(reply) and reply.status != 404:
                _raise_for(reply)
        answers = {one: self._session.get(f"/api/v1/task/query?task_id={quote(one)}") for one in ids}
        healthy = any(reply.ok for reply in answers.values())
        views = {}
        trouble: EngineError | None = None
        for one, reply in answers.items():
            try:
                views[one] = self._view_of(one, reply, healthy)
            except EngineError as error:
                trouble = error
        if trouble is not None and not views:
            raise trouble
        return views

    def _view_of(self, one: str, reply: Reply, healthy: bool) -> JobView:
        if reply.status == 404:
            return JobView(state=JobState.UNKNOWN)
        if _is_unknown(reply):
            self._troubled[one] = self._troubled.get(one, 0) + 1
            if healthy or self._troubled[one] >= TRIES_UNTIL_UNKNOWN:
                del self._troubled[one]
                return JobView(state=JobState.UNKNOWN)
        return _view(_raise_for(reply).object(), reply)


def seed_of(job_id: UUID) -> int:
    """31 bits of a digest of our id."""
    return int.from_bytes(hashlib.sha256(job_id.bytes).digest()[:4], "big") >> 1


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + ASKED_AT_ONCE] for start in range(0, len(ids), ASKED_AT_ONCE))


def _raise_for(reply: Reply) -> Reply:
    trouble = trouble_of(reply)
    if trouble is not None:
        raise trouble
    return reply


def _is_unknown(reply: Reply) -> bool:
    words = message_of(reply)
    return reply.status == 500 and ("NoneType" in words or "not found" in words.lower())


def _view(task: Mapping[str, Any], reply: Reply) -> JobView:
    state = STATES.get(str(task.get("status")))
    if state is None:
        raise EngineBusyError("server_answer", host=reply.host)
    parts = [part for part in task.get("subtasks") or [] if isinstance(part, dict)]
    if state is JobState.FAILED:
        reasons = "; ".join(str(part["fail_msg"]) for part in parts if part.get("fail_msg"))
        return JobView(state=state, error=failure_of(reasons))
    if state not in (JobState.WAITING, JobState.RUNNING) or not parts:
        return JobView(state=state)
    seconds = [
        part.get(key) for part in parts for key in ("estimated_pending_secs", "estimated_running_secs")
    ]
    known = [float(value) for value in seconds if isinstance(value, int | float)]
    orders = [part["estimated_pending_order"] for part in parts if part.get("estimated_pending_order")]
    return JobView(
        state=state,
        queue_position=int(max(orders)) if orders and state is JobState.WAITING else None,
        eta_s=sum(known) if known else None,
    )
