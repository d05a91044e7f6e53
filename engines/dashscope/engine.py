"""DashScope: talking portraits of Alibaba Cloud Model Studio, as asynchronous tasks.

A portrait is looked at by the model's detector before anything is paid. Files go to DashScope's own
temporary store, unless the order names addresses of ours that it can read. Results are kept there for a
day. It takes no id of ours and does not list what tasks were made of: a submission whose answer was lost
cannot be found again.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from engines.audio import wav_within
from engines.base import Capabilities, EngineBusyError, EngineError, EngineStoppedError, Readiness
from engines.dashscope.models import MODELS
from engines.dashscope.troubles import error_of, raise_for, refused_portrait
from engines.http import Client, Parts
from engines.options import number_of, private_allowed, url_of
from engines.remote import Credential, JobOrder, JobState, JobView

BASE = "https://dashscope.aliyuncs.com/api/v1"
ASKED_AT_ONCE = 4
STATES = {
    "PENDING": JobState.WAITING,
    "SUSPENDED": JobState.WAITING,
    "RUNNING": JobState.RUNNING,
    "SUCCEEDED": JobState.DONE,
    "FAILED": JobState.FAILED,
    "CANCELED": JobState.CANCELLED,
    "UNKNOWN": JobState.UNKNOWN,
}
POLICY = {
    "OSSAccessKeyId": "oss_access_key_id",
    "Signature": "signature",
    "policy": "policy",
    "x-oss-object-acl": "x_oss_object_acl",
    "x-oss-forbid-overwrite": "x_oss_forbid_overwrite",
}
"""Fields of an upload and where the policy has them."""


class DashScopeEngine:
    """Implements `engines.remote.RemoteEngine`."""

    def __init__(self, url: str, options: Mapping[str, str], credential: Credential) -> None:
        self._url, self._credential = url, credential
        self._client = Client(url, private_allowed=private_allowed(options))
        self._name = options.get("DASHSCOPE_MODEL", "").strip() or "wan2.2-s2v"
        if self._name not in MODELS:
            raise EngineStoppedError(
                "engine_setting", name="DASHSCOPE_MODEL", reason=f"one of {', '.join(MODELS)}"
            )
        self._model = MODELS[self._name]
        self._concurrent = int(number_of(options, "DASHSCOPE_CONCURRENT", 1, least=1))

    @classmethod
    def from_settings(cls, options: Mapping[str, str], credential: Credential) -> "DashScopeEngine":
        """`DASHSCOPE_URL` (with `/api/v1`; workspaces have their own), `DASHSCOPE_MODEL`, `…_CONCURRENT`."""
        return cls(url_of(options, "DASHSCOPE_URL", BASE), options, credential)

    def capabilities(self) -> Capabilities:
        model = self._model
        return Capabilities(
            name="dashscope",
            label=model.title,
            kind="remote",
            min_side_px=model.min_side_px,
            max_side_px=model.max_side_px,
            min_aspect=1 / model.max_aspect if model.max_aspect else None,
            max_aspect=model.max_aspect,
            max_image_bytes=model.max_image_bytes,
            max_audio_bytes=model.max_audio_bytes,
            min_audio_s=model.min_audio_s,
            max_audio_s=model.max_audio_s,
            fps=model.fps,
            max_concurrent=self._concurrent,
            understands_prompt=False,
            needs_face=True,
            label_made=False,
        )

    def readiness(self) -> Readiness:
        try:
            self._policy()
        except EngineError as error:
            return Readiness.no(error)
        return Readiness(ready=True)

    def submit(self, order: JobOrder) -> str:
        kind = "png" if order.portrait.suffix.lower() == ".png" else "jpg"
        image = order.options.get("portrait_url") or self._stored(
            f"{order.job_id}.{kind}", order.portrait.read_bytes()
        )
        found = self._detected(image)
        audio = order.options.get("audio_url") or self._stored(
            f"{order.job_id}.wav", wav_within(order.audio, self._model.max_audio_bytes)
        )
        given = {"image_url": image, "audio_url": audio, **{box: found[box] for box in self._model.boxes}}
        body = {"model": self._name, "input": given, "parameters": dict(self._model.parameters)}
        output = self._post(
            "/services/aigc/image2video/video-synthesis", body, {"X-DashScope-Async": "enable"}
        )
        their_id = output.get("task_id")
        if not isinstance(their_id, str) or not their_id:
            raise EngineBusyError("server_answer", host="dashscope")
        return their_id

    def find(self, job_id: UUID, since: datetime) -> str | None:
        return None

    def look(self, their_ids: Sequence[str]) -> Mapping[str, JobView]:
        views: dict[str, JobView] = {}
        trouble: EngineError | None = None
        with ThreadPoolExecutor(max(1, min(ASKED_AT_ONCE, len(their_ids)))) as asking:
            answers = {one: asking.submit(self._view_of, one) for one in their_ids}
            for one, answer in answers.items():
                try:
                    views[one] = answer.result()
                except EngineError as error:
                    trouble = error
        if trouble is not None and not views:
            raise trouble
        return views

    def fetch(self, their_id: str, target: Path) -> None:
        """From the presigned address that the task names; our key is not sent there."""
        output = self._task(their_id)
        results = output.get("results")
        url = (results.get("video_url") if isinstance(results, dict) else None) or output.get("video_url")
        if not isinstance(url, str) or not url:
            raise EngineError("result_missing")
        reply = self._client.download(url, target)
        if reply.status in (403, 404):  # a day has passed
            raise EngineError("result_missing")
        reply.raise_for_trouble()

    def cancel(self, their_id: str) -> None:
        """Only what waits can be cancelled there; the rest goes on unheeded."""
        url = f"{self._url}/tasks/{quote(their_id)}/cancel"
        reply = self._client.post_json(url, {}, headers=self._headers())
        if reply.status not in (400, 404, 409):
            raise_for(reply)

    def _headers(self) -> dict[str, str]:
        credential = self._credential()
        if not credential:
            raise EngineStoppedError("credential_missing")
        return {"Authorization": f"Bearer {credential}"}

    def _post(self, path: str, body: Any, headers: Mapping[str, str]) -> dict[str, Any]:
        """The output of a call; temporary addresses in it are resolved by DashScope."""
        resolving = {"X-DashScope-OssResourceResolve": "enable"}
        reply = raise_for(
            self._client.post_json(
                f"{self._url}{path}", body, headers={**self._headers(), **resolving, **headers}
            )
        )
        output = reply.object().get("output")
        if not isinstance(output, dict):
            raise EngineBusyError("server_answer", host=reply.host)
        return output

    def _detected(self, image: str) -> dict[str, Any]:
        """What the detector says of a portrait; raises when it would be refused."""
        body: dict[str, Any] = {"model": self._model.detector, "input": {"image_url": image}}
        if self._model.detection:
            body["parameters"] = dict(self._model.detection)
        output = self._post("/services/aigc/image2video/face-detect", body, {})
        passed = output.get("check_pass", output.get("pass"))
        if not passed or output.get("humanoid") is False:
            raise refused_portrait(output)
        if any(box not in output for box in self._model.boxes):
            raise refused_portrait({})
        return output

    def _policy(self) -> dict[str, Any]:
        reply = raise_for(
            self._client.get(
                f"{self._url}/uploads?action=getPolicy&model={quote(self._name)}", headers=self._headers()
            )
        )
        data = reply.object().get("data")
        if not isinstance(data, dict) or not {"upload_host", "upload_dir"} <= data.keys():
            raise EngineBusyError("server_answer", host=reply.host)
        return data

    def _stored(self, name: str, content: bytes) -> str:
        """Upload to the temporary store; returns an address that DashScope alone can read."""
        policy = self._policy()
        key = f"{policy['upload_dir']}/{name}"
        form: Parts = {
            **{field: str(policy.get(source, "")) for field, source in POLICY.items()},
            "key": key,
            "success_action_status": "200",
            "file": (name, content, "application/octet-stream"),
        }
        reply = self._client.post_form(str(policy["upload_host"]), form, elsewhere=True)
        if not reply.ok:
            raise EngineBusyError("server_trouble", host=reply.host, status=reply.status)
        return f"oss://{key}"

    def _task(self, their_id: str) -> dict[str, Any]:
        reply = raise_for(self._client.get(f"{self._url}/tasks/{quote(their_id)}", headers=self._headers()))
        value = reply.object()
        output = value.get("output")
        if not isinstance(output, dict):
            raise EngineBusyError("server_answer", host=reply.host)
        return {"code": value.get("code"), "message": value.get("message"), **output}

    def _view_of(self, their_id: str) -> JobView:
        output = self._task(their_id)
        state = STATES.get(str(output.get("task_status")))
        if state is None:
            raise EngineBusyError("server_answer", host="dashscope")
        if state is JobState.FAILED:
            return JobView(state=state, error=error_of(output.get("code"), output.get("message")))
        return JobView(state=state)
