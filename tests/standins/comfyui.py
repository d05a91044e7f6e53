"""ComfyUI, after answers of real servers: 0.3.64 (no jobs API) and 0.10.0 (jobs for reading), and, from its
source, a newer one that cancels by the jobs API. Core nodes only."""

import io
import uuid
from typing import Any

from PIL import Image

from tests.standins.server import Answer, Job, Request, StandIn, wav_length_s

COMBO = {"format": ["auto", "mp4"], "codec": ["auto", "h264"]}
NODES: dict[str, Any] = {
    "LoadImage": {"required": {"image": [["example.png"], {"image_upload": True}]}},
    "LoadAudio": {"required": {"audio": ["COMBO", {"options": [], "audio_upload": True}]}},
    "RepeatImageBatch": {"required": {"image": ["IMAGE", {}], "amount": ["INT", {"default": 1}]}},
    "CreateVideo": {
        "required": {"images": ["IMAGE", {}], "fps": ["FLOAT", {"default": 30.0}]},
        "optional": {"audio": ["AUDIO", {}]},
    },
    "SaveVideo": {
        "required": {
            "video": ["VIDEO", {}],
            "filename_prefix": ["STRING", {"default": "video/ComfyUI"}],
            **{name: ["COMBO", {"default": "auto", "options": options}] for name, options in COMBO.items()},
        }
    },
}
STATUS = {
    "waiting": "pending",
    "running": "in_progress",
    "done": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}


class ComfyUIServer(StandIn):
    """`generation` 1 has queue and history, 2 also reads jobs, 3 also cancels them."""

    generation = 3

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.number = 0

    def answer(self, request: Request) -> Answer:  # noqa: C901  (a table of routes)
        method, path = request.method, request.path
        if path == "/object_info":
            return Answer.of({name: {"input": inputs} for name, inputs in NODES.items()})
        if path == "/upload/image":
            return self.upload(request)
        if path == "/prompt":
            return self.prompt(request.json())
        if path == "/queue" and method == "GET":
            return Answer.of(
                {"queue_running": self.queued("running"), "queue_pending": self.queued("waiting")}
            )
        if path == "/queue":
            for one in request.json().get("delete", []):
                if one in self.jobs and self.jobs[one].state == "waiting":
                    self.jobs[one].state = "cancelled"
                    self.jobs[one].extra["deleted"] = True
            return Answer(200)
        if path == "/interrupt":
            job = self.jobs.get(request.json().get("prompt_id", ""))
            if job is not None and job.state == "running":
                job.state = "cancelled"
            return Answer(200)
        if path.startswith("/history"):
            return Answer.of(self.history(path.removeprefix("/history").strip("/")))
        if path == "/view":
            return self.view(request.query)
        if path.startswith("/api/jobs") and self.generation >= 2:
            return self.api_jobs(method, path.removeprefix("/api/jobs").strip("/"))
        return Answer(404, b"404: Not Found", "text/plain")

    def upload(self, request: Request) -> Answer:
        form = request.form()
        name = request.body.split(b'filename="', 1)[1].split(b'"', 1)[0].decode() if form.get("image") else ""
        folder = form.get("subfolder", b"").decode()
        if not name or ".." in folder:
            return Answer(400)
        self.files[f"{folder}/{name}"] = form["image"]
        return Answer.of({"name": name, "subfolder": folder, "type": "input"})

    def prompt(self, value: dict[str, Any]) -> Answer:
        graph = value["prompt"]
        errors: dict[str, Any] = {}
        for node_id, node in graph.items():
            known = NODES.get(node["class_type"])
            if known is None:
                message = f"Cannot execute because node {node['class_type']} does not exist."
                return Answer.of({"error": _error("invalid_prompt", message), "node_errors": {}}, 400)
            for name in known["required"]:
                if name not in node["inputs"]:
                    errors[node_id] = _node_error("required_input_missing", "Required input is missing", name)
        image, audio = graph["1"]["inputs"]["image"], graph["2"]["inputs"]["audio"]
        if not _readable(self.files.get(image)):
            details = f"image - Invalid image file: {image}"
            errors["1"] = _node_error(
                "custom_validation_failed", "Custom validation failed for node", details
            )
        if errors:
            told = _error("prompt_outputs_failed_validation", "Prompt outputs failed validation")
            return Answer.of({"error": told, "node_errors": errors}, 400)
        self.number += 1
        job_id = str(value.get("prompt_id") or uuid.uuid4())
        inputs = {name: text for node in graph.values() for name, text in node["inputs"].items()}
        self.jobs[job_id] = Job(
            job_id,
            wav_length_s(self.files[audio]),
            extra={
                "graph": graph,
                "data": value.get("extra_data", {}),
                "number": self.number,
                "prefix": inputs["filename_prefix"],
            },
        )
        return Answer.of({"prompt_id": job_id, "number": self.number, "node_errors": {}})

    def queued(self, state: str) -> list[Any]:
        return [self.entry(job) for job in self.jobs.values() if job.state == state]

    def entry(self, job: Job) -> list[Any]:
        return [job.extra["number"], job.id, job.extra["graph"], job.extra["data"], ["5"]]

    def history(self, wanted: str) -> dict[str, Any]:
        return {
            job.id: {
                "prompt": self.entry(job),
                "outputs": self.outputs(job),
                "status": {
                    "status_str": "success" if job.state == "done" else "error",
                    "completed": job.state == "done",
                    "messages": self.messages(job),
                },
                "meta": {},
            }
            for job in self.jobs.values()
            if job.state in ("done", "failed", "cancelled")
            and wanted in ("", job.id)
            and not job.extra.get("deleted")  # what is deleted from the queue leaves no history
        }

    def outputs(self, job: Job) -> dict[str, Any]:
        if job.state != "done":
            return {}
        folder, _, name = job.extra["prefix"].rpartition("/")
        file = {"filename": f"{name}_00001_.mp4", "subfolder": folder, "type": "output"}
        return {"5": {"images": [file], "animated": [True]}}

    def messages(self, job: Job) -> list[Any]:
        last: dict[str, Any] = {"prompt_id": job.id, "timestamp": 1795340150596}
        names = {
            "done": "execution_success",
            "failed": "execution_error",
            "cancelled": "execution_interrupted",
        }
        if job.state == "failed":
            last |= {"node_id": "4", "node_type": "CreateVideo", "executed": []}
            last |= {"exception_message": job.error + "\n", "exception_type": "RuntimeError", "traceback": []}
        return [["execution_start", {"prompt_id": job.id}], [names[job.state], last]]

    def view(self, query: dict[str, str]) -> Answer:
        for job in self.jobs.values():
            for node in self.outputs(job).values():
                if node["images"][0] == query:
                    return Answer(200, job.film, "video/mp4")
        return Answer(404)

    def api_jobs(self, method: str, rest: str) -> Answer:
        job_id, _, _ = rest.partition("/")
        if not job_id:
            jobs = [self.told(job) for job in self.jobs.values() if not job.extra.get("deleted")]
            return Answer.of({"jobs": jobs, "pagination": {"offset": 0, "total": len(jobs)}})
        job = self.jobs.get(job_id)
        if method == "POST":
            if self.generation < 3:
                return Answer(405, b"405: Method Not Allowed", "text/plain")
            stops = job is not None and job.state in ("waiting", "running")
            if job is not None and stops:
                job.state = "cancelled"
            return Answer.of({"cancelled": stops})
        if job is None or job.extra.get("deleted"):
            return Answer.of({"error": "Job not found"}, 404)
        return Answer.of({**self.told(job), "outputs": self.outputs(job)})

    def told(self, job: Job) -> dict[str, Any]:
        told = {"id": job.id, "status": STATUS[job.state], "priority": job.extra["number"]}
        if job.state == "failed":
            told["execution_error"] = self.messages(job)[1][1]
        return told


class OlderComfyUIServer(ComfyUIServer):
    generation = 1


class MiddleComfyUIServer(ComfyUIServer):
    generation = 2


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": "", "extra_info": {}}


def _node_error(kind: str, message: str, details: str) -> dict[str, Any]:
    return {"errors": [{"type": kind, "message": message, "details": details}], "dependent_outputs": ["5"]}


def _readable(image: bytes | None) -> bool:
    try:
        with Image.open(io.BytesIO(image or b"")) as opened:
            opened.load()
    except (OSError, ValueError):
        return False
    return True
