"""ComfyUI: a workflow of the operator's on one or several servers.

Servers have no authentication of their own; a credential, where there is one, is sent as a Bearer token to
whatever stands before them. Files are uploaded under the job's id, and the output's prefix is that id too:
an identical graph would be answered from the cache with another job's file.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from engines.base import Capabilities, EngineBusyError, EngineError, Readiness
from engines.comfyui.server import FOLDER, ComfyServer
from engines.comfyui.workflow import Workflow, read_workflow
from engines.http import Client
from engines.options import number_of, private_allowed, urls_of
from engines.pool import Pool, none_took_it
from engines.remote import Credential, JobOrder, JobState, JobView

CHECK_S = 600.0
"""How long a server that was checked counts as fit for the workflow."""
SEEDS = 2**32
WORKFLOWS = Path(__file__).parent / "workflows"


class ComfyUIEngine:
    """Implements `engines.remote.RemoteEngine`."""

    def __init__(
        self,
        urls: Sequence[str],
        workflow: Workflow,
        max_audio_s: float,
        client: Client,
        credential: Credential,
    ) -> None:
        self._pool, self._workflow, self._max_audio_s = Pool(urls), workflow, max_audio_s
        self._client, self._credential = client, credential
        self._checked: dict[str, float] = {}
        self._servers = {url: ComfyServer(client, url, self._headers) for url in urls}

    @classmethod
    def from_settings(cls, options: Mapping[str, str], credential: Credential) -> "ComfyUIEngine":
        """`COMFYUI_URLS`, `COMFYUI_WORKFLOW` (a file, or the name of one of ours), `COMFYUI_BINDINGS`, …"""
        urls = urls_of(options, "COMFYUI_URLS")
        name = options.get("COMFYUI_WORKFLOW", "").strip()
        ours = WORKFLOWS / f"{name}.json"
        fps = number_of(options, "COMFYUI_FPS", 16, least=1)
        workflow = read_workflow(
            ours if "/" not in name and ours.is_file() else Path(name),
            options.get("COMFYUI_BINDINGS", ""),
            fps,
        )
        return cls(
            urls,
            workflow,
            number_of(options, "COMFYUI_MAX_AUDIO_S", 300, least=1),
            Client(*urls, private_allowed=private_allowed(options)),
            credential,
        )

    def capabilities(self) -> Capabilities:
        return Capabilities(
            name="comfyui",
            label="ComfyUI",
            kind="remote",
            min_side_px=64,
            max_side_px=8000,
            min_audio_s=0.5,
            max_audio_s=self._max_audio_s,
            fps=round(self._workflow.fps),
            max_concurrent=len(self._pool),
            understands_prompt=self._workflow.understands_prompt,
            label_made=False,
        )

    def readiness(self) -> Readiness:
        """Now and then the workflow is held against the nodes and models of the server whose turn it is."""
        return self._pool.first_ready(self._ask)

    def submit(self, order: JobOrder) -> str:
        """To the first server with an empty queue; a job that is in one already is not sent again."""
        job_id, troubles = str(order.job_id), list[EngineError]()
        idle: list[str] = []
        for url in self._pool.in_turn():
            try:
                queue = self._server(url).queue()
            except EngineError as error:
                troubles.append(error)
                continue
            if any(job_id in (one, mark) for _, one, mark in queue):
                return self._pool.join(url, next(one for _, one, mark in queue if job_id in (one, mark)))
            if queue:
                troubles.append(EngineBusyError())
            else:
                idle.append(url)
        for url in idle:
            server = self._server(url)
            known = server.find(job_id)
            return self._pool.join(url, known or self._send(server, order))
        raise none_took_it(troubles)

    def find(self, job_id: UUID, since: datetime) -> str | None:
        for url in self._pool.home_of(job_id):
            found = self._server(url).find(str(job_id))
            if found is not None:
                return self._pool.join(url, found)
        return None

    def look(self, their_ids: Sequence[str]) -> Mapping[str, JobView]:
        views, gone = self._pool.look(their_ids, lambda url, ids: self._server(url).look(ids))
        return {**views, **{one: JobView(state=JobState.UNKNOWN) for one in gone}}

    def fetch(self, their_id: str, target: Path) -> None:
        url, one = self._pool.split(their_id)
        if url is None:
            raise EngineError("result_missing")
        address = self._server(url).video_of(one)
        reply = self._client.download(address, target, headers=self._headers())
        reply.raise_for_trouble()
        if not reply.ok:
            raise EngineError("result_missing")

    def cancel(self, their_id: str) -> None:
        url, one = self._pool.split(their_id)
        if url is not None:
            self._server(url).cancel(one)

    def _server(self, url: str) -> ComfyServer:
        return self._servers[url]

    def _headers(self) -> dict[str, str]:
        credential = self._credential()
        return {"Authorization": f"Bearer {credential}"} if credential else {}

    def _ask(self, url: str) -> bool:
        if time.monotonic() - self._checked.get(url, -CHECK_S) < CHECK_S:
            self._server(url).queue()
        else:
            self._server(url).check(self._workflow)
            self._checked[url] = time.monotonic()
        return True

    def _send(self, server: ComfyServer, order: JobOrder) -> str:
        png = order.portrait.suffix.lower() == ".png"
        image = server.upload(
            f"{order.job_id}.{'png' if png else 'jpg'}",
            order.portrait.read_bytes(),
            "image/png" if png else "image/jpeg",
        )
        audio = server.upload(f"{order.job_id}.wav", order.audio.read_bytes(), "audio/wav")
        graph = self._workflow.filled(
            image=image,
            audio=audio,
            prompt=order.prompt,
            seed=order.seed % SEEDS,
            prefix=f"{FOLDER}/{order.job_id}",
            seconds=order.audio_s,
        )
        return server.prompt(graph, str(order.job_id))
