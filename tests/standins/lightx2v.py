"""The LightX2V inference server, after `lightx2v/server/api/tasks` and `task_manager.py` at f8aee98b."""

import base64
import re
import uuid
from typing import Any

from tests.standins.server import Answer, Job, Request, StandIn, wav_length_s

WORDS = {"waiting": "pending", "running": "processing", "done": "completed"}
QUEUE = 10


class LightX2VServer(StandIn):
    def answer(self, request: Request) -> Answer:
        path = request.path
        if path == "/v1/tasks/queue/status":
            return Answer.of(self.queue())
        if path == "/v1/tasks/" and request.method == "GET":
            return Answer.of({job.id: self.status(job) for job in self.jobs.values()})
        if path == "/v1/tasks/video/" and request.method == "POST":
            return self.create(request.json())
        found = re.fullmatch(r"/v1/tasks/([^/]+)(/status|/result)?", path)
        job = self.jobs.get(found[1]) if found else None
        if found is None or job is None:
            return Answer.of({"detail": "Task not found"}, 404)
        if request.method == "DELETE":
            return self.stop(job)
        if found[2] == "/result":
            if job.state != "done":
                return Answer.of({"detail": "Task not completed"}, 404)
            return Answer(200, job.film, "video/mp4")
        return Answer.of(self.status(job))

    def queue(self) -> dict[str, Any]:
        running = [job.id for job in self.jobs.values() if job.state == "running"]
        pending = sum(job.state == "waiting" for job in self.jobs.values())
        return {
            "is_processing": bool(running),
            "current_task": running[0] if running else None,
            "pending_count": pending,
            "active_count": pending + len(running),
            "queue_size": QUEUE,
            "queue_available": QUEUE - pending - len(running),
        }

    def status(self, job: Job) -> dict[str, Any]:
        return {
            "task_id": job.id,
            "status": WORDS.get(job.state, job.state),
            "start_time": "2026-11-26T12:00:00",
            "end_time": None,
            "error": job.error or None,
            "error_type": "RuntimeError" if job.error else None,
            "save_result_path": job.id,
        }

    def create(self, task: dict[str, Any]) -> Answer:
        task_id = task.get("task_id") or str(uuid.uuid4())
        if task_id in self.jobs:
            return Answer.of({"detail": f"Task ID {task_id} already exists"}, 503)
        if sum(job.state in ("waiting", "running") for job in self.jobs.values()) >= QUEUE:
            return Answer.of({"detail": f"Task queue is full (max {QUEUE} tasks)"}, 503)
        if not isinstance(task.get("video_duration", 5), int):
            return Answer.of({"detail": [{"msg": "Input should be a valid integer"}]}, 422)
        sound = re.fullmatch(r"data:audio/(\w+);base64,(.*)", task.get("audio_path", ""), re.S)
        image = re.fullmatch(r"data:image/(\w+);base64,(.*)", task.get("image_path", ""), re.S)
        if sound is None or image is None:
            return Answer.of({"detail": "Invalid base64 data"}, 400)
        length = min(float(task.get("video_duration", 5)), wav_length_s(base64.b64decode(sound[2])))
        self.jobs[task_id] = Job(task_id, length, task.get("prompt", ""), task.get("seed"))
        return Answer.of({"task_id": task_id, "task_status": "pending", "save_result_path": task_id})

    def stop(self, job: Job) -> Answer:
        if job.state in ("done", "failed"):
            return Answer.of({"stop_status": "do_nothing", "reason": "Task not found or already completed"})
        job.state, job.error = "cancelled", "Task cancelled by user"
        return Answer.of({"stop_status": "success", "reason": "Task stopped successfully."})
