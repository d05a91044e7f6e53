"""One ComfyUI server: its jobs API where it has one, else history and queue.

Three generations are spoken to: with `/api/jobs/{id}/cancel`, with `/api/jobs` for reading only, and with
neither. Everything is asked for by our own id, which the server takes as `prompt_id`; one too old for that
names another, and our id is found again in the prompt's `extra_data`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from engines.base import EngineBusyError, EngineError, EngineStoppedError, EngineUnavailableError
from engines.comfyui.workflow import SETTING, Graph, Workflow
from engines.failures import failure_of
from engines.http import Client, Parts, Reply, said
from engines.remote import JobState, JobView

MARK = "zhiying_job"
FOLDER = "zhiying"
LISTED = 200
MAX_OBJECT_INFO_BYTES = 64 << 20
OBJECT_INFO_S = 30.0
VIDEOS = (".mp4", ".webm", ".mkv", ".mov", ".avi")
STATES = {
    "pending": JobState.WAITING,
    "in_progress": JobState.RUNNING,
    "completed": JobState.DONE,
    "failed": JobState.FAILED,
    "cancelled": JobState.CANCELLED,
}
NOT_THERE = (404, 405)


class ComfyServer:
    """Thread-safe; remembers only what kind of server it is."""

    def __init__(self, client: Client, url: str, headers: Callable[[], Mapping[str, str]]) -> None:
        self._client, self._url, self._headers = client, url, headers
        self._has_jobs: bool | None = None

    # --- Before a job ---

    def check(self, workflow: Workflow) -> None:
        """Raises `EngineStoppedError` when the workflow cannot run here."""
        reply = self._client.send(
            "GET",
            f"{self._url}/object_info",
            headers=self._headers(),
            limit=MAX_OBJECT_INFO_BYTES,
            total_s=OBJECT_INFO_S,
        )
        reply.raise_for_trouble()
        trouble = workflow.trouble_with(reply.object())
        if trouble is not None:
            raise EngineStoppedError("engine_setting", name=SETTING, reason=trouble)

    def queue(self) -> list[tuple[JobState, str, str]]:
        """What runs and waits, in order: state, id, our mark."""
        reply = self._get("/queue")
        value = reply.object()
        try:
            return [
                (state, *entry[1:])
                for state, key in ((JobState.RUNNING, "queue_running"), (JobState.WAITING, "queue_pending"))
                for entry in sorted(_queued(item) for item in value[key])
            ]
        except (KeyError, IndexError, TypeError, AttributeError):
            raise EngineBusyError("server_answer", host=reply.host) from None

    def upload(self, name: str, content: bytes, kind: str) -> str:
        """Returns how the workflow names the file."""
        parts: Parts = {
            "image": (name, content, kind),
            "subfolder": FOLDER,
            "type": "input",
            "overwrite": "true",
        }
        reply = self._client.post_form(f"{self._url}/upload/image", parts, headers=self._headers())
        if reply.status in (400, 413):
            raise EngineError("input_refused", reason=f"the server does not take the file ({reply.status})")
        reply.raise_for_trouble()
        value = reply.object()
        subfolder = value.get("subfolder", "")
        return f"{subfolder}/{value['name']}" if subfolder else str(value.get("name", name))

    def prompt(self, graph: Graph, job_id: str) -> str:
        """Queue a job; returns the server's id of it."""
        body = {"prompt": graph, "prompt_id": job_id, "client_id": FOLDER, "extra_data": {MARK: job_id}}
        reply = self._client.post_json(f"{self._url}/prompt", body, headers=self._headers())
        if reply.status == 400:
            raise _refusal(reply)
        reply.raise_for_trouble()
        value = reply.object()
        their_id = str(value.get("prompt_id") or job_id)
        if value.get("node_errors"):  # the rest of the graph runs, without what makes the video, perhaps
            with suppress(EngineUnavailableError):  # which would say that nothing was sent
                self.cancel(their_id)
            raise _refusal(reply)
        return their_id

    # --- After ---

    def find(self, job_id: str) -> str | None:
        """The id of the job that carries our id or mark, in the queue or done."""
        if self._entry(job_id) is not None:
            return job_id
        for _, their_id, mark in self.queue():
            if job_id in (their_id, mark):
                return their_id
        for their_id, entry in self._recent().items():
            if _mark_of(entry) == job_id:
                return their_id
        return None

    def look(self, ids: Sequence[str]) -> dict[str, JobView]:
        """With a list of all jobs where there is one; else the queue, and the history of what left it."""
        views: dict[str, JobView] = {}
        if len(ids) > 1 and self._has_jobs is not False:
            reply = self._client.get(f"{self._url}/api/jobs?limit={LISTED}", headers=self._headers())
            self._has_jobs = reply.status not in NOT_THERE
            if reply.ok:  # one that cannot list them may well know its queue
                views = _listed(reply, ids)
        missing = [one for one in ids if one not in views]
        if missing:
            views |= self._look_in_queue(missing)
        return views

    def _look_in_queue(self, ids: Sequence[str]) -> dict[str, JobView]:
        views: dict[str, JobView] = {}
        position = 0
        for state, their_id, _ in self.queue():
            position += state is JobState.WAITING
            if their_id in ids:
                place = position if state is JobState.WAITING else None
                views[their_id] = JobView(state=state, queue_position=place)
        ended = [one for one in ids if one not in views]
        recent = self._recent() if len(ended) > 1 else {}
        for one in ended:
            entry = recent.get(one) or self._entry(one)
            views[one] = JobView(state=JobState.UNKNOWN) if entry is None else _finished(entry)
        return views

    def video_of(self, their_id: str) -> str:
        """The address of the video a job made."""
        entry = self._entry(their_id)
        files = list(_videos(entry.get("outputs", {}))) if entry is not None else []
        if not files:
            raise EngineError("result_missing")
        # What is saved comes before previews, the last of several before the others
        file = max(reversed(files), key=lambda file: file.get("type") == "output")
        query = {key: str(file.get(key, "")) for key in ("filename", "subfolder", "type")}
        return f"{self._url}/view?{urlencode(query)}"

    def cancel(self, their_id: str) -> None:
        """By the jobs API, else off the queue, else interrupted. What is over or unknown stays as it is."""
        reply = self._send("POST", f"/api/jobs/{their_id}/cancel", {})
        if reply.ok:
            return
        if reply.status not in NOT_THERE:
            reply.raise_for_trouble()
        self._send("POST", "/queue", {"delete": [their_id]}).raise_for_trouble()
        if any(state is JobState.RUNNING and one == their_id for state, one, _ in self.queue()):
            self._send("POST", "/interrupt", {"prompt_id": their_id}).raise_for_trouble()

    def _entry(self, their_id: str) -> dict[str, Any] | None:
        """The history of a job that has ended."""
        entry = self._get(f"/history/{their_id}").object().get(their_id)
        return entry if isinstance(entry, dict) else None

    def _recent(self) -> dict[str, dict[str, Any]]:
        """The history of the latest jobs."""
        entries = self._get(f"/history?max_items={LISTED}").object()
        return {str(one): entry for one, entry in entries.items() if isinstance(entry, dict)}

    def _get(self, path: str) -> Reply:
        reply = self._client.get(f"{self._url}{path}", headers=self._headers())
        reply.raise_for_trouble()
        return reply

    def _send(self, method: str, path: str, value: Any) -> Reply:
        return self._client.post_json(f"{self._url}{path}", value, headers=self._headers())


def _queued(item: Any) -> tuple[float, str, str]:
    """Place, id and our mark of an entry of the queue: a list, or in a fork of the server an object."""
    if isinstance(item, dict):
        return item["priority"], str(item["prompt_id"]), str((item.get("extra_data") or {}).get(MARK, ""))
    return item[0], str(item[1]), str(item[3].get(MARK, "")) if len(item) > 3 else ""


def _listed(reply: Reply, ids: Sequence[str]) -> dict[str, JobView]:
    """Those of the jobs in a list."""
    views: dict[str, JobView] = {}
    waiting = 0
    try:
        for job in sorted(reply.object()["jobs"], key=lambda job: job.get("priority") or 0):
            waiting += job.get("status") == "pending"
            if job["id"] in ids:
                views[job["id"]] = _view(job, waiting)
    except (KeyError, TypeError, AttributeError):
        raise EngineBusyError("server_answer", host=reply.host) from None
    return views


def _view(job: Mapping[str, Any], waiting: int) -> JobView:
    state = STATES.get(str(job.get("status")))
    if state is None:
        raise EngineBusyError("server_answer", host="")
    if state is JobState.FAILED:
        return JobView(state=state, error=_failure(job.get("execution_error")))
    return JobView(state=state, queue_position=waiting if state is JobState.WAITING else None)


def _finished(entry: Mapping[str, Any]) -> JobView:
    """A job by its entry in the history."""
    status = entry.get("status") or {}
    messages = {  # names with values; a fork leaves the values out
        message if isinstance(message, str) else message[0]: None if isinstance(message, str) else message[1]
        for message in status.get("messages", [])
    }
    if "execution_interrupted" in messages:
        return JobView(state=JobState.CANCELLED)
    if status.get("status_str") == "error":
        return JobView(state=JobState.FAILED, error=_failure(messages.get("execution_error")))
    return JobView(state=JobState.DONE, progress=1.0)


def _failure(error: Any) -> EngineError:
    told = error if isinstance(error, dict) else {}
    where = f"{told['node_type']}: " if told.get("node_type") else ""
    return failure_of(f"{where}{told.get('exception_message') or told.get('exception_type') or ''}".strip())


def _refusal(reply: Reply) -> EngineError:
    """Why a prompt was refused: a portrait or recording it cannot read, or a workflow that does not fit."""
    value = reply.object()
    reasons = [
        said(f"node {node}: {problem.get('message', '')} {problem.get('details', '')}", 200)
        for node, told in (value.get("node_errors") or {}).items()
        for problem in told.get("errors", [])
    ]
    error = value.get("error")
    general = said(error.get("message", "") if isinstance(error, dict) else error or "", 200)
    reason = "; ".join(reasons)[:300] or general
    if "Invalid image" in reason or "Invalid audio" in reason or "invalid image" in general:
        return EngineError("input_refused", reason=reason)
    return EngineStoppedError("engine_setting", name=SETTING, reason=reason)


def _mark_of(entry: Mapping[str, Any]) -> str:
    prompt = entry.get("prompt")
    extra = prompt[3] if isinstance(prompt, list) and len(prompt) > 3 else None
    return str(extra.get(MARK, "")) if isinstance(extra, dict) else ""


def _videos(outputs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Files that are videos, whatever the key under which a node put them."""
    for node in outputs.values():
        for files in node.values() if isinstance(node, dict) else ():
            for file in files if isinstance(files, list) else ():
                if isinstance(file, dict) and str(file.get("filename", "")).lower().endswith(VIDEOS):
                    yield file
