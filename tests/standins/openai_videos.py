"""A server of `/v1/videos`, after vLLM-Omni's `docs/serving/videos_api.md` at 0131cb55."""

import base64
import json
import time
import uuid
from typing import Any

from tests.standins.server import Answer, Job, Request, StandIn, wav_length_s

STATUS = {"waiting": "queued", "running": "in_progress", "done": "completed", "failed": "failed"}


class OpenAIVideosServer(StandIn):
    key = "sk-secret-0123456789abcdef"
    lists = True

    def answer(self, request: Request) -> Answer:  # noqa: C901  (a table of routes)
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return Answer.of({"error": "Unauthorized"}, 401)
        path = request.path
        if path == "/v1/models":
            return Answer.of({"object": "list", "data": [{"id": "Wan-AI/Wan2.2-S2V-14B"}]})
        if path == "/v1/videos":
            if request.method == "POST":
                return self.create(request.form())
            if not self.lists:
                return Answer.of({"detail": "Method Not Allowed"}, 405)
            return Answer.of(self.page(request.query))
        video_id, _, part = path.removeprefix("/v1/videos/").partition("/")
        job = self.jobs.get(video_id)
        if job is None:
            return Answer.of({"error": {"code": 404, "message": "Video not found"}}, 404)
        if request.method == "DELETE":
            if job.state in ("waiting", "running"):
                job.state = "cancelled"
            return Answer.of({"id": job.id, "object": "video.deleted", "deleted": True})
        if part == "content":
            if job.state != "done":
                return Answer.of({"error": {"code": 404, "message": "not ready"}}, 404)
            return Answer(200, job.film, "video/mp4")
        return Answer.of(self.told(job))

    def create(self, form: dict[str, bytes]) -> Answer:
        if not form.get("prompt") or not form.get("input_reference") or "model" in form:
            return Answer.of({"error": {"code": 400, "message": "prompt is required"}}, 400)
        if not form["seconds"].isdigit():
            return Answer.of({"detail": [{"msg": "seconds: a string holding an integer"}]}, 422)
        url = json.loads(form["audio_reference"])["audio_url"]
        sound = base64.b64decode(url.removeprefix("data:audio/wav;base64,"))
        job = Job(
            f"video_gen_{uuid.uuid4().hex}",
            wav_length_s(sound),
            form["prompt"].decode(),
            int(form["seed"]),
            extra={
                "extra_params": json.loads(form.get("extra_params", b"{}")),
                "made_at": int(time.time()),
            },
        )
        self.jobs[job.id] = job
        return Answer.of(self.told(job))

    def page(self, query: dict[str, str]) -> dict[str, Any]:
        """The newest first, or those that were made before the one that `after` names."""
        jobs, limit = list(reversed(self.jobs.values())), int(query.get("limit", 20))
        if after := query.get("after"):
            jobs = jobs[[job.id for job in jobs].index(after) + 1 :]
        data = [self.told(job) for job in jobs[:limit]]
        return {"object": "list", "data": data, "has_more": len(jobs) > limit}

    def told(self, job: Job) -> dict[str, Any]:
        return {
            "id": job.id,
            "object": "video",
            "status": STATUS.get(job.state, "failed"),
            "progress": round(job.progress * 100),
            "created_at": job.extra.get("made_at", time.time()),
            "seconds": str(round(job.audio_s)),
            "error": {"code": "generation_error", "message": job.error} if job.error else None,
            **job.extra,
        }
