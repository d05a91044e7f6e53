"""A workflow of the operator's, and where in it a job's portrait, recording and wishes go.

The file is what ComfyUI exports "in API format": nodes by id, each with `class_type` and `inputs`. Beside the
nodes stand the bindings, `name → node.input`, in the file (`{"workflow": …, "bindings": …}`), in
`COMFYUI_BINDINGS`, or found where there is only one possibility. A node is named by its id or its title.
"""

import copy
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.base import EngineStoppedError

SETTING = "COMFYUI_WORKFLOW"
NAMES = ("image", "audio", "prompt", "seed", "prefix", "seconds", "frames", "frames_4n1", "fps")
NEEDED = ("image", "audio", "prefix")
OBVIOUS = {
    "image": ("LoadImage", "image"),
    "audio": ("LoadAudio", "audio"),
    "prefix": (None, "filename_prefix"),
}
"""What is found by itself: the only node of that class, or the only one with that input."""

Graph = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Place:
    node: str
    input: str


@dataclass(frozen=True)
class Workflow:
    graph: Graph
    bindings: Mapping[str, Place]
    fps: float

    @property
    def understands_prompt(self) -> bool:
        return "prompt" in self.bindings

    def filled(self, *, image: str, audio: str, prompt: str, seed: int, prefix: str, seconds: float) -> Graph:
        """The graph of one job."""
        frames = max(1, math.ceil(seconds * self.fps))
        values: dict[str, Any] = {
            "image": image,
            "audio": audio,
            "prompt": prompt,
            "seed": seed,
            "prefix": prefix,
            "seconds": seconds,
            "frames": frames,
            "frames_4n1": 4 * math.ceil((frames - 1) / 4) + 1,
            "fps": self.fps,
        }
        graph = copy.deepcopy(self.graph)
        for name, place in self.bindings.items():
            inputs, value = graph[place.node]["inputs"], values[name]
            whole = isinstance(inputs.get(place.input), int) and isinstance(value, float)
            inputs[place.input] = math.ceil(value) if whole else value
        return graph

    def trouble_with(self, nodes: Mapping[str, Any]) -> str | None:
        """What a server with these nodes (its `/object_info`) lacks; None: the workflow can run there."""
        for node_id, node in self.graph.items():
            known = nodes.get(node["class_type"])
            if not isinstance(known, dict):
                return f"the server has no node {node['class_type']}"
            declared = {
                **known.get("input", {}).get("required", {}),
                **known.get("input", {}).get("optional", {}),
            }
            for name in known.get("input", {}).get("required", {}):
                if name not in node["inputs"]:
                    return f"node {node_id} lacks {name}"
            bound = {place.input for place in self.bindings.values() if place.node == node_id}
            for name, value in node["inputs"].items():
                choices = _choices(declared.get(name))
                if (
                    choices is not None
                    and name not in bound
                    and isinstance(value, str)
                    and value not in choices
                ):
                    return f"the server has no {value} for {name} of node {node_id}"
            for name in bound - declared.keys():
                return f"node {node_id} has no input {name}"
        return None


def _trouble_with_node(node: Mapping[str, Any], inputs: Mapping[str, Any], bound: set[str]) -> str | None:
    required = inputs.get("required") or {}
    declared = {**required, **(inputs.get("optional") or {})}
    for name in [*required, *bound]:
        if name not in node["inputs"]:
            return f"the input {name} is missing"
        if name not in declared:
            return f"there is no input {name}"
    for name, value in node["inputs"].items():
        choices = _choices(declared.get(name))
        if choices is not None and name not in bound and isinstance(value, str) and value not in choices:
            return f"the server has no {value} for {name}"
    return None


def _choices(declared: Any) -> list[Any] | None:
    """What an input may be, where it is one of a list; in the older or the newer form."""
    if not isinstance(declared, list) or not declared:
        return None
    if isinstance(declared[0], list):
        return declared[0]
    if declared[0] == "COMBO" and len(declared) > 1 and isinstance(declared[1], dict):
        options = declared[1].get("options")
        return options if isinstance(options, list) else None
    return None


def read_workflow(path: Path, bindings: str, fps: float) -> Workflow:
    """Read and check a workflow file; raises `EngineStoppedError`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _wrong(f"{path.name} cannot be read as JSON") from error
    inside = content.get("workflow", content) if isinstance(content, dict) else None
    graph = inside if isinstance(inside, dict) else {}
    if "nodes" in graph and "links" in graph:
        raise _wrong("the file is not in API format: export it with File, Export (API)")
    if not graph or not all(
        isinstance(node, dict) and "class_type" in node and isinstance(node.get("inputs"), dict)
        for node in graph.values()
    ):
        raise _wrong("the file holds no nodes with class_type and inputs")
    written = content.get("bindings", {}) if inside is not content else {}
    named = {str(name): str(place) for name, place in written.items()}
    for pair in filter(None, (part.strip() for part in bindings.split(","))):
        name, _, place = pair.partition("=")
        named[name.strip()] = place.strip()
    return Workflow(graph, _located(graph, named), fps)


def _located(graph: Graph, named: Mapping[str, str]) -> dict[str, Place]:
    places = {name: place for name in OBVIOUS if (place := _obvious(graph, name)) is not None}
    for name, text in named.items():
        if name not in NAMES:
            raise _wrong(f"there is no binding {name}; there are {', '.join(NAMES)}")
        node, _, input_name = text.rpartition(".")
        places[name] = Place(_node(graph, node), input_name)
        if input_name not in graph[places[name].node]["inputs"]:
            raise _wrong(f"node {node} has no input {input_name}")
    missing = [name for name in NEEDED if name not in places]
    if missing:
        raise _wrong(f"it is not clear where {', '.join(missing)} go; name them in COMFYUI_BINDINGS")
    return places


def _obvious(graph: Graph, name: str) -> Place | None:
    kind, input_name = OBVIOUS[name]
    found = [
        node_id
        for node_id, node in graph.items()
        if input_name in node["inputs"] and (kind is None or node["class_type"] == kind)
    ]
    return Place(found[0], input_name) if len(found) == 1 else None


def _node(graph: Graph, name: str) -> str:
    """A node's id, by id or by a title that only one has."""
    if name in graph:
        return name
    titled = [node_id for node_id, node in graph.items() if node.get("_meta", {}).get("title") == name]
    if len(titled) != 1:
        raise _wrong(f"there is no node {name}, or more than one")
    return titled[0]


def _wrong(reason: str) -> EngineStoppedError:
    return EngineStoppedError("engine_setting", name=SETTING, reason=reason)
