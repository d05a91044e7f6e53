"""Workflows: what is bound where, what a server lacks, and what is refused before anything is sent."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from engines.base import EngineBusyError, EngineError, EngineStoppedError
from engines.comfyui.engine import WORKFLOWS, ComfyUIEngine
from engines.comfyui.workflow import Workflow, read_workflow
from engines.remote import JobOrder, JobState
from tests.standins.comfyui import NODES, ComfyUIServer

OURS = sorted(path.stem for path in WORKFLOWS.glob("*.json"))


def nodes() -> dict[str, Any]:
    return {name: {"input": inputs} for name, inputs in NODES.items()}


@pytest.fixture
def still() -> Workflow:
    return read_workflow(WORKFLOWS / "still.json", "", 16)


@pytest.fixture
def server() -> Iterator[ComfyUIServer]:
    with ComfyUIServer().serving() as running:
        yield running


def engine(*servers: ComfyUIServer) -> ComfyUIEngine:
    urls = ",".join(server.url for server in servers)
    return ComfyUIEngine.from_settings({"COMFYUI_URLS": urls, "COMFYUI_WORKFLOW": "still"}, lambda: "")


@pytest.mark.parametrize("name", OURS)
def test_our_workflows_bind_what_they_name(name: str) -> None:
    workflow = read_workflow(WORKFLOWS / f"{name}.json", "", 16)
    graph = workflow.filled(
        image="z/i.jpg", audio="z/a.wav", prompt="smile", seed=7, prefix="z/p", seconds=2.03
    )
    values = [value for node in graph.values() for value in node["inputs"].values()]
    for value in ("z/i.jpg", "z/a.wav", "z/p", 16):
        assert value in values
    assert workflow.understands_prompt == ("smile" in values)
    assert (33 in values) or (name == "still")
    assert "z/p" not in json.dumps(workflow.graph)  # the template stays as it was


def test_frames_are_of_the_kind_a_model_takes(still: Workflow) -> None:
    for seconds, frames in ((0.01, 1), (2.0, 32), (2.03, 33)):
        graph = still.filled(image="i", audio="a", prompt="", seed=0, prefix="p", seconds=seconds)
        assert graph["3"]["inputs"]["amount"] == frames


def test_what_is_obvious_needs_no_binding(tmp_path: Path, still: Workflow) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps(still.graph))
    bare = read_workflow(path, "frames=3.amount, fps=4.fps, image=Portrait.image", 25)
    assert bare.bindings == still.bindings


def changed(graph: dict[str, Any], node: str, **inputs: Any) -> dict[str, Any]:
    return {**graph, node: {**graph[node], "inputs": {**graph[node]["inputs"], **inputs}}}


@pytest.mark.parametrize(
    ("content", "bindings"),
    [
        (lambda graph: "no JSON", ""),
        (lambda graph: [], ""),
        (lambda graph: {"nodes": [], "links": []}, ""),
        (lambda graph: {"1": {"inputs": {}}}, ""),
        (lambda graph: {**graph, "9": graph["1"]}, ""),  # two portraits: which one?
        (lambda graph: {key: node for key, node in graph.items() if key != "5"}, ""),
        (lambda graph: graph, "voice=2.audio"),
        (lambda graph: graph, "seed=99.seed"),
        (lambda graph: graph, "seed=3.seed"),
    ],
)
def test_a_file_that_is_no_workflow_is_refused(
    tmp_path: Path, still: Workflow, content: Callable[[Any], Any], bindings: str
) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps(content(still.graph)) if content(still.graph) != "no JSON" else "{")
    with pytest.raises(EngineStoppedError) as refused:
        read_workflow(path, bindings, 16)
    assert refused.value.code == "engine_setting"
    with pytest.raises(EngineStoppedError):
        read_workflow(tmp_path / "missing.json", "", 16)


def test_what_a_server_lacks_is_named(still: Workflow) -> None:
    assert still.trouble_with(nodes()) is None
    without = {name: node for name, node in nodes().items() if name != "SaveVideo"}
    assert "SaveVideo" in (still.trouble_with(without) or "")
    model = replace(still, graph=changed(still.graph, "5", codec="h266"))
    assert "h266" in (model.trouble_with(nodes()) or "")
    lacking = {**still.graph, "4": {**still.graph["4"], "inputs": {"images": ["3", 0]}}}
    assert "fps" in (replace(still, graph=lacking).trouble_with(nodes()) or "")


def test_readiness_holds_the_workflow_against_the_server(
    server: ComfyUIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = engine(server)
    assert ready.readiness().ready
    assert [request.path for request in server.requests] == ["/object_info"]
    assert ready.readiness().ready
    assert [request.path for request in server.requests] == ["/object_info", "/queue"]
    monkeypatch.delitem(NODES, "SaveVideo")
    assert "SaveVideo" in engine(server).readiness().detail


def test_a_portrait_the_server_cannot_read_is_the_items_trouble(
    server: ComfyUIServer, order: JobOrder, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    with pytest.raises(EngineError) as refused:
        engine(server).submit(replace(order, portrait=broken))
    assert refused.value.code == "input_refused"


def test_a_workflow_the_server_refuses_is_the_operators_trouble(
    server: ComfyUIServer, order: JobOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(NODES, "SaveVideo")
    with pytest.raises(EngineStoppedError) as refused:
        engine(server).submit(order)
    assert "SaveVideo" in refused.value.detail


def test_a_job_that_runs_is_interrupted(server: ComfyUIServer, order: JobOrder) -> None:
    for generation in (1, 2, 3):
        server.generation = generation
        their_id = engine(server).submit(replace(order, job_id=uuid4()))
        job_id = their_id.partition("|")[2]
        server.begin(job_id)
        engine(server).cancel(their_id)
        assert server.jobs[job_id].state == "cancelled"
        assert engine(server).look([their_id])[their_id].state is JobState.CANCELLED


def test_a_pool_gives_each_server_one_job(server: ComfyUIServer, order: JobOrder) -> None:
    with ComfyUIServer().serving() as other:
        both = engine(server, other)
        assert both.capabilities().max_concurrent == 2
        ids = [both.submit(replace(order, job_id=uuid4())) for _ in range(2)]
        assert len(server.jobs) == len(other.jobs) == 1
        with pytest.raises(EngineBusyError) as refused:
            both.submit(order)
        assert refused.value.nothing_sent, "the item may wait again at once"
        server.fail("dropped", times=99)
        views = both.look(ids)
        assert [view.state for view in views.values()] == [JobState.WAITING]  # of the one that answers
        gone = engine(other).look(ids)
        assert sorted(view.state for view in gone.values()) == [JobState.UNKNOWN, JobState.WAITING]


def test_a_server_that_names_jobs_itself_is_searched_for_our_mark(
    server: ComfyUIServer, order: JobOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As servers did before they took a prompt_id."""
    prompt = server.prompt
    monkeypatch.setattr(server, "prompt", lambda value: prompt({**value, "prompt_id": None}))
    asked = engine(server)
    their_id = asked.submit(order)
    assert str(order.job_id) not in their_id
    assert asked.find(order.job_id, None) == their_id  # type: ignore[arg-type]
    server.complete(their_id.partition("|")[2])
    assert asked.find(order.job_id, None) == their_id  # type: ignore[arg-type]
