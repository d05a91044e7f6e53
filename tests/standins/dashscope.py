"""DashScope, after its public documentation: upload policy, detection, asynchronous tasks."""

import io
import uuid
from typing import Any

from PIL import Image

from tests.standins.server import Answer, Job, Request, StandIn, wav_length_s

WORDS = {
    "waiting": "PENDING",
    "running": "RUNNING",
    "done": "SUCCEEDED",
    "failed": "FAILED",
    "cancelled": "CANCELED",
}
SERVICES = "/api/v1/services/aigc/image2video"


class DashScopeServer(StandIn):
    key = "sk-secret-0123456789abcdef"
    detection: dict[str, Any] | None = None
    """What the detector says instead of what it finds."""

    def __init__(self) -> None:
        super().__init__()
        self.store: dict[str, bytes] = {}

    def answer(self, request: Request) -> Answer:
        path = request.path
        if path == "/store":
            form = request.form()
            if form["policy"] != b"signed-policy":
                return Answer(403)
            self.store[f"oss://{form['key'].decode()}"] = form["file"]
            return Answer(200)
        if path.startswith("/results/"):
            return Answer(200, self.jobs[path.rpartition("/")[2]].film, "video/mp4")
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return _failed("InvalidApiKey", "Invalid API-key provided.", 401)
        if path == "/api/v1/uploads":
            return Answer.of({"request_id": "r", "data": self.policy()})
        if path == f"{SERVICES}/face-detect":
            return self.detect(request)
        if path == f"{SERVICES}/video-synthesis":
            return self.submit(request)
        task_id, _, action = path.removeprefix("/api/v1/tasks/").partition("/")
        job = self.jobs.get(task_id)
        if action == "cancel":
            if job is None or job.state != "waiting":
                return _failed("UnsupportedOperation", "Failed to cancel the task", 400)
            job.state = "cancelled"
            return Answer.of({"request_id": "r"})
        return Answer.of({"request_id": "r", "output": self.told(task_id, job)})

    def policy(self) -> dict[str, Any]:
        return {
            "policy": "signed-policy",
            "signature": "s",
            "upload_dir": "dashscope-instant/x/2026-11-26/y",
            "upload_host": f"{self.url}/store",
            "oss_access_key_id": "LTAI",
            "x_oss_object_acl": "private",
            "x_oss_forbid_overwrite": "true",
        }

    def file(self, request: Request, name: str) -> bytes | None:
        if request.headers.get("x-dashscope-ossresourceresolve") != "enable":
            return None
        return self.store.get(request.json()["input"].get(name, ""))

    def detect(self, request: Request) -> Answer:
        image = self.file(request, "image_url")
        if image is None:
            return _failed("InvalidURL", "The url cannot be read", 400)
        try:
            Image.open(io.BytesIO(image)).load()
        except OSError:
            return _failed("InvalidFile.Format", "The image cannot be decoded", 400)
        found: dict[str, Any] = {"check_pass": True, "humanoid": True}
        if request.json()["model"] == "liveportrait-detect":
            found = {"pass": True, "message": "success"}
        if request.json()["model"] == "emo-detect-v1":
            found = {"check_pass": True, "face_bbox": [1, 2, 3, 4], "ext_bbox": [0, 0, 9, 9]}
        return Answer.of({"output": found if self.detection is None else self.detection})

    def submit(self, request: Request) -> Answer:
        if request.headers.get("x-dashscope-async") != "enable":
            return _failed("AccessDenied", "current user api does not support synchronous calls.", 403)
        sound = self.file(request, "audio_url")
        if sound is None:
            return _failed("InvalidURL", "The url cannot be read", 400)
        job = Job(str(uuid.uuid4()), wav_length_s(sound), extra={"given": request.json()})
        self.jobs[job.id] = job
        return Answer.of({"request_id": "r", "output": {"task_id": job.id, "task_status": "PENDING"}})

    def told(self, task_id: str, job: Job | None) -> dict[str, Any]:
        if job is None:
            return {"task_id": task_id, "task_status": "UNKNOWN"}
        told: dict[str, Any] = {"task_id": job.id, "task_status": WORDS[job.state]}
        if job.state == "done":
            told["results"] = {"video_url": f"{self.url}/results/{job.id}"}
        if job.state == "failed":
            told |= {"code": job.extra.get("code", "InternalError.Algo"), "message": job.error}
            if "manifold" in job.error:
                told["code"] = "AlgoFailed"
        return told


def _failed(code: str, message: str, status: int) -> Answer:
    return Answer.of({"request_id": "r", "code": code, "message": message}, status)
