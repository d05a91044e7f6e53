"""`POST /v1/videos`: vLLM-Omni takes a picture and a recording; SGLang-Diffusion and gateways speak it, too.

Tasks live in the server's memory and have ids of its own. Jobs whose answer was lost are looked for in the
list of videos, by our id in `extra_params`, where a server lists and keeps it; where it does not, a second
try may cost it the work of the first.
"""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from engines.base import Capabilities, EngineBusyError, EngineError, EngineStoppedError, Readiness
from engines.failures import failure_of
from engines.http import Client, Parts, Reply, said
from engines.options import YES, number_of, private_allowed, url_of
from engines.remote import Credential, JobOrder, JobState, JobView

MARK = "zhiying_job"
ASKED_AT_ONCE = 8
MAX_SEED = 2**31
LISTED = 100
"""Videos of a page; no server gives more."""
MOST_PAGES = 100
CLOCKS_APART = timedelta(minutes=10)
"""How far their clock may be from ours."""
STATES = {
    "queued": JobState.WAITING,
    "in_progress": JobState.RUNNING,
    "processing": JobState.RUNNING,
    "completed": JobState.DONE,
    "succeeded": JobState.DONE,
    "failed": JobState.FAILED,
    "cancelled": JobState.CANCELLED,
    "canceled": JobState.CANCELLED,
}
REFUSED = (400, 413, 415, 422)


class OpenAIVideosEngine:
    """Implements `engines.remote.RemoteEngine`."""

    def __init__(self, url: str, options: Mapping[str, str], credential: Credential) -> None:
        self._url, self._credential = url, credential
        self._client = Client(url, private_allowed=private_allowed(options))
        self._fps = int(number_of(options, "OPENAI_VIDEOS_FPS", 16, least=1))
        self._max_audio_s = number_of(options, "OPENAI_VIDEOS_MAX_AUDIO_S", 300, least=1)
        self._concurrent = int(number_of(options, "OPENAI_VIDEOS_CONCURRENT", 1, least=1))
        self._size = options.get("OPENAI_VIDEOS_SIZE", "").strip()
        self._secured = options.get("OPENAI_VIDEOS_SECURED", "").strip().lower() in YES

    @classmethod
    def from_settings(cls, options: Mapping[str, str], credential: Credential) -> "OpenAIVideosEngine":
        """`OPENAI_VIDEOS_URL` (up to and without `/v1`), `OPENAI_VIDEOS_SIZE`, `OPENAI_VIDEOS_SECURED`, …"""
        url = url_of(options, "OPENAI_VIDEOS_URL").removesuffix("/v1")
        return cls(url, options, credential)

    def capabilities(self) -> Capabilities:
        return Capabilities(
            name="openai-videos",
            label="/v1/videos",
            kind="remote",
            min_side_px=128,
            max_side_px=8000,
            min_audio_s=0.5,
            max_audio_s=self._max_audio_s,
            fps=self._fps,
            max_concurrent=self._concurrent,
            label_made=False,
        )

    def readiness(self) -> Readiness:
        try:
            reply = self._client.get(f"{self._url}/v1/models", headers=self._headers())
            reply.raise_for_trouble()
            reply.object()
        except EngineError as error:
            return Readiness.no(error)
        return Readiness(ready=True)

    def submit(self, order: JobOrder) -> str:
        reply = self._client.post_form(f"{self._url}/v1/videos", self._form(order), headers=self._headers())
        _raise_for(reply)
        their_id = reply.object().get("id")
        if not isinstance(their_id, str) or not their_id:
            raise EngineBusyError("server_answer", host=reply.host)
        return their_id

    def find(self, job_id: UUID, since: datetime) -> str | None:
        """In the list of videos, by our mark or, where it is not kept, not at all.

        From the newest to those that were made before; servers that know no pages give the same one again.
        """
        oldest, after, seen = (since - CLOCKS_APART).timestamp(), "", set[str]()
        for _ in range(MOST_PAGES):
            page = f"limit={LISTED}&order=desc{after}"
            reply = self._client.get(f"{self._url}/v1/videos?{page}", headers=self._headers())
            if after and reply.status in (400, 404, 405, 422):
                # The last one may have been deleted meanwhile. That no job was found would be paid for twice.
                raise EngineBusyError("server_answer", host=reply.host)
            if reply.status in (404, 405):
                return None  # it lists nothing: the worst is that it works once for nothing
            _raise_for(reply)
            told = reply.object()
            videos = [video for video in told.get("data") or [] if isinstance(video, dict)]
            for video in videos:
                if str(job_id) in json.dumps(video):
                    return str(video.get("id"))
            last = str(videos[-1].get("id")) if videos else ""
            more = told.get("has_more", len(videos) >= LISTED)
            if not last or not more or last in seen or _made_at(videos[-1]) < oldest:
                return None
            seen.add(last)
            after = f"&after={quote(last)}"
        return None

    def look(self, their_ids: Sequence[str]) -> Mapping[str, JobView]:
        """One by one, several at the same time: the interface has no call for many."""
        views: dict[str, JobView] = {}
        trouble: EngineError | None = None
        with ThreadPoolExecutor(max(1, min(ASKED_AT_ONCE, len(their_ids)))) as asking:
            answers = {one: asking.submit(self._look_at, one) for one in their_ids}
            for one, answer in answers.items():
                try:
                    views[one] = answer.result()
                except EngineError as error:
                    trouble = error
        if trouble is not None and not views:
            raise trouble
        return views

    def fetch(self, their_id: str, target: Path) -> None:
        reply = self._client.download(
            f"{self._url}/v1/videos/{their_id}/content", target, headers=self._headers()
        )
        reply.raise_for_trouble()
        if not reply.ok:
            raise EngineError("result_missing")

    def cancel(self, their_id: str) -> None:
        """Best effort: some servers only forget the job."""
        reply = self._client.send("DELETE", f"{self._url}/v1/videos/{their_id}", headers=self._headers())
        if reply.status not in (400, 404, 405, 409):
            reply.raise_for_trouble()

    def _headers(self) -> dict[str, str]:
        credential = self._credential()
        if self._secured and not credential:
            raise EngineStoppedError("credential_missing")
        return {"Authorization": f"Bearer {credential}"} if credential else {}

    def _form(self, order: JobOrder) -> Parts:
        """Without `model`: naming another than the server's is refused."""
        kind = "png" if order.portrait.suffix.lower() == ".png" else "jpeg"
        audio = base64.b64encode(order.audio.read_bytes()).decode()
        form: dict[str, str | tuple[str, bytes, str]] = {
            "prompt": order.prompt or "a person talks to the camera",
            "input_reference": (f"portrait.{kind}", order.portrait.read_bytes(), f"image/{kind}"),
            "audio_reference": json.dumps({"audio_url": f"data:audio/wav;base64,{audio}"}),
            "seconds": str(math.ceil(order.audio_s)),
            "fps": str(self._fps),
            "num_frames": str(math.ceil(order.audio_s * self._fps)),
            "seed": str(order.seed % MAX_SEED),
            "extra_params": json.dumps({MARK: str(order.job_id)}),
        }
        if self._size:
            form["size"] = self._size
        return form

    def _look_at(self, their_id: str) -> JobView:
        reply = self._client.get(f"{self._url}/v1/videos/{their_id}", headers=self._headers())
        if reply.status == 404:
            return JobView(state=JobState.UNKNOWN)
        _raise_for(reply)
        return _view(reply)


def _view(reply: Reply) -> JobView:
    video = reply.object()
    state = STATES.get(str(video.get("status")))
    if state is None:
        raise EngineBusyError("server_answer", host=reply.host)
    if state is JobState.FAILED:
        return JobView(state=state, error=failure_of(_words(video.get("error"))))
    progress = video.get("progress")
    share = min(1.0, max(0.0, progress / 100)) if isinstance(progress, int | float) else None
    return JobView(state=state, progress=share)


def _made_at(video: Mapping[str, Any]) -> float:
    """Seconds since 1970; of one that does not tell, as late as can be."""
    told = video.get("created_at")
    return float(told) if isinstance(told, int | float) else math.inf


def _words(error: Any) -> str:
    """The code and message of an error, in any of its forms."""
    if isinstance(error, dict):
        return " ".join(str(error[key]) for key in ("code", "message") if error.get(key))
    return str(error or "")


def _raise_for(reply: Reply) -> None:
    if reply.status in REFUSED:
        value = reply.object()
        error = value.get("error") or value.get("detail") or value.get("message") or ""
        failure = failure_of(_words(error))
        if failure.code == "content_refused":
            raise failure
        raise EngineError("input_refused", reason=said(_words(error)))
    reply.raise_for_trouble()
    if not reply.ok:
        raise EngineBusyError("server_answer", host=reply.host)
