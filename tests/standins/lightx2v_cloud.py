"""The LightX2V deploy server, after answers of a real one (xinyiqin/lightx2v @ f42f42db, tasks in files)."""

import base64
import io
import time
import uuid
from typing import Any

from PIL import Image

from tests.standins.server import Answer, Job, Request, StandIn, wav_length_s

WORDS = {
    "waiting": "PENDING",
    "running": "RUNNING",
    "done": "SUCCEED",
    "failed": "FAILED",
    "cancelled": "CANCEL",
}
UNKNOWN = "cannot unpack non-iterable NoneType object"


class LightX2VCloudServer(StandIn):
    access = "sk-secret-0123456789abcdef"
    refresh = "refresh-token-0123456789"
    active, daily = 99, 999
    unknown_is_404 = False
    renewals = 0

    def answer(self, request: Request) -> Answer:  # noqa: C901  (a table of routes)
        path, query = request.path, request.query
        if path == "/auth/refresh":
            if request.json().get("refresh_token") != self.refresh:
                return _said("Could not validate credentials", 401, bare=True)
            self.renewals += 1
            self.access = f"access-{uuid.uuid4().hex}"
            return Answer.of({"access_token": self.access, "refresh_token": self.refresh, "user_info": {}})
        if request.headers.get("authorization") != f"Bearer {self.access}":
            return _said("Could not validate credentials", 401, bare=True)
        if path == "/api/v1/model/list":
            model = {"task": "s2v", "model_cls": "SekoTalk", "stage": "single_stage"}
            return Answer.of({"models": [model]})
        if path == "/api/v1/task/submit":
            return self.submit(request.json())
        if path == "/api/v1/task/list":
            newest = sorted(self.jobs.values(), key=lambda job: -job.extra["create_t"])
            size = int(query["page_size"])
            start = (int(query["page"]) - 1) * size
            return Answer.of({"tasks": [self.told(job) for job in newest[start : start + size]]})
        if path == "/api/v1/task/query":
            return self.query(query)
        job = self.jobs.get(query.get("task_id", ""))
        if job is None:
            return _said(UNKNOWN, 404 if self.unknown_is_404 else 500)
        if path == "/api/v1/task/result_url":
            if job.state != "done":
                return _said(f"Task {job.id} not succeed", 500)
            return Answer.of({"url": f"./assets/task/result?task_id={job.id}&name=output_video"})
        if path == "/assets/task/result":
            return Answer(200, job.film, "video/mp4")
        if path == "/api/v1/task/cancel":
            if job.state not in ("waiting", "running"):
                return _said(f"{{'error': 'Task {job.id} cancel failed: not in active status'}}", 400)
            job.state = "cancelled"
            return Answer.of({"msg": "Task cancelled successfully"})
        return Answer(404)

    def submit(self, task: dict[str, Any]) -> Answer:
        if not task.get("prompt"):
            return _said("valid prompt is required", 500)
        if (task["task"], task["model_cls"]) != ("s2v", "SekoTalk"):
            return _said(f"['s2v', '{task['model_cls']}', 'x'] are not in configs/model_pipeline.json!", 500)
        if sum(job.state in ("waiting", "running") for job in self.jobs.values()) >= self.active:
            return _said("too many active tasks", 400)
        if len(self.jobs) >= self.daily:
            return _said("too many daily tasks", 400)
        image, sound = (base64.b64decode(task[name]["data"]) for name in ("input_image", "input_audio"))
        try:
            Image.open(io.BytesIO(image)).load()
        except OSError as error:
            return _said(f"Failed to read input_image, type=base64, val=AAAA: {error}!", 500)
        params = {key: task[key] for key in ("prompt", "negative_prompt", "seed", "cfg_scale")}
        job = Job(
            str(uuid.uuid4()),
            wav_length_s(sound),
            task["prompt"],
            task["seed"],
            extra={"create_t": time.time(), "params": params},
        )
        self.jobs[job.id] = job
        return Answer.of({"task_id": job.id, "workers": {}, "params": params, "wait_time": 0.0})

    def query(self, query: dict[str, str]) -> Answer:
        ids = query["task_ids"].split(",") if "task_ids" in query else [query["task_id"]]
        if not all(one in self.jobs for one in ids):
            return _said(UNKNOWN, 404 if self.unknown_is_404 else 500)
        told = [self.told(self.jobs[one]) for one in ids]
        return Answer.of({"tasks": told} if "task_ids" in query else told[0])

    def told(self, job: Job) -> dict[str, Any]:
        waiting = [one.id for one in self.jobs.values() if one.state == "waiting"]
        pending = job.state == "waiting"
        subtask: dict[str, Any] = {
            "status": WORDS[job.state],
            "worker_name": "pipeline",
            "fail_msg": job.error or None,
            "elapses": {},
            "estimated_pending_order": waiting.index(job.id) + 1 if pending else None,
            "estimated_pending_secs": 60.0 * waiting.index(job.id) if pending else None,
            "estimated_running_secs": 60 if job.state in ("waiting", "running") else None,
            "ready_worker_count": 1,
        }
        return {
            "task_id": job.id,
            "task_type": "s2v",
            "params": job.extra["params"],
            "create_t": job.extra["create_t"],
            "update_t": job.extra["create_t"],
            "status": WORDS[job.state],
            "subtasks": [subtask],
        }


def _said(words: str, status: int, *, bare: bool = False) -> Answer:
    return Answer.of({"message": words if bare else f"error: {words}!"}, status)
