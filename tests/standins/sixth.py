"""The imagined service of the worked example in docs/engines.md."""

from tests.standins.server import Answer, Job, Request, StandIn, wav_length_s

STATUS = {"waiting": "queued", "running": "works", "done": "ready", "failed": "broken"}


class SixthServer(StandIn):
    def answer(self, request: Request) -> Answer:
        if request.path == "/health":
            return Answer.of({"ok": True})
        if request.path == "/jobs" and request.method == "POST":
            form = request.form()
            key = form["key"].decode()
            if key not in self.jobs:
                self.jobs[key] = Job(key, wav_length_s(form["speech"]), form["prompt"].decode(), seed=0)
            return Answer.of({"id": key})
        if request.path == "/jobs":
            return Answer.of({"jobs": [{"id": key} for key in self.jobs if key == request.query["key"]]})
        job_id, _, part = request.path.removeprefix("/jobs/").partition("/")
        job = self.jobs.get(job_id)
        if job is None:
            return Answer(404)
        if request.method == "DELETE":
            job.state = "cancelled" if job.state in ("waiting", "running") else job.state
            return Answer.of({})
        if part == "video":
            return Answer(200, job.film, "video/mp4") if job.state == "done" else Answer(404)
        return Answer.of({"status": STATUS.get(job.state, "broken"), "why": job.error})
