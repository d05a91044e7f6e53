"""Which engines there are, by the name used in GENERATION_ENGINE."""

import os
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, Literal

from engines.base import Engine, EngineUnavailableError, PortraitCheck
from engines.remote import Credential, RemoteEngine

CredentialUse = Literal["none", "optional", "required"]

ENGINES: Mapping[str, str] = {
    "portrait": "engines.portrait.engine:PortraitEngine",
    "command": "engines.command.engine:CommandEngine",
    "localai": "engines.openai_videos.synchronous:LocalAIEngine",
}
"""Name → `module:class`. Classes are made without arguments and imported only when used."""

PORTRAIT_CHECKS: Mapping[str, str] = {"portrait": "engines.portrait.check:PortraitCheck"}
"""Name of an engine → `module:class` of its `PortraitCheck`, for those that can tell without a render."""

ANY_FACE = "any face"
"""The check for engines that need a face and have none of their own. No engine's name: it has a space."""

FINISHING = "finishing"
"""Not chosen by anybody: what makes a remote engine's result ours (`engines.results.engine`)."""

REMOTE_ENGINES: Mapping[str, str] = {
    "lightx2v": "engines.lightx2v.engine:LightX2VEngine",
    "lightx2v-cloud": "engines.lightx2v_cloud.engine:LightX2VCloudEngine",
    "comfyui": "engines.comfyui.engine:ComfyUIEngine",
    "openai-videos": "engines.openai_videos.engine:OpenAIVideosEngine",
    "dashscope": "engines.dashscope.engine:DashScopeEngine",
}
"""Name → `module:class` of engines that work elsewhere (`engines.remote.RemoteEngine`)."""

CREDENTIALS: Mapping[str, CredentialUse] = {
    "lightx2v": "none",
    "lightx2v-cloud": "required",
    "comfyui": "optional",
    "openai-videos": "optional",
    "dashscope": "required",
}
"""Name of a remote engine → what it does with a credential."""

EXTRA_ENGINES_VARIABLE = "EXTRA_ENGINES"
"""Engines that are installed beside ours: `name=module:class`, separated by commas.

Read from the environment rather than from Django's settings, because the child process that renders
has to find them too, and it knows no Django.
"""
EXTRA_REMOTE_ENGINES_VARIABLE = "EXTRA_REMOTE_ENGINES"
"""The same for engines that work elsewhere."""


def engine_paths() -> dict[str, str]:
    """All engines by name, those of `EXTRA_ENGINES` included; ours cannot be replaced by them."""
    return _with_extra(EXTRA_ENGINES_VARIABLE, ENGINES)


def remote_engine_paths() -> dict[str, str]:
    """All remote engines by name, those of `EXTRA_REMOTE_ENGINES` included."""
    return _with_extra(EXTRA_REMOTE_ENGINES_VARIABLE, REMOTE_ENGINES)


def credential_use(name: str) -> CredentialUse:
    """What an engine does with a credential. Local ones are given none; of those beside ours it may be."""
    if name not in remote_engine_paths():
        return "none"
    return CREDENTIALS.get(name, "optional")


def _with_extra(variable: str, ours: Mapping[str, str]) -> dict[str, str]:
    pairs = os.environ.get(variable, "").split(",")
    extra = {name.strip(): path.strip() for name, _, path in (pair.partition("=") for pair in pairs)}
    return {**{name: path for name, path in extra.items() if name}, **ours}


@cache
def get_engine(name: str) -> Engine:
    """Return this process's instance of an engine.

    Raises:
        EngineUnavailableError: there is no engine of that name, or it cannot be imported.
    """
    paths = {**engine_paths(), FINISHING: "engines.results.engine:FinishingEngine"}
    engine: Engine = _loaded(name, paths)()
    return engine


def portrait_check_of(engine: str, needs_face: bool) -> str | None:
    """Which check looks at an engine's portraits: its own, the one for any that needs a face, or none."""
    if engine in PORTRAIT_CHECKS:
        return engine
    return ANY_FACE if needs_face else None


def get_portrait_check(name: str) -> PortraitCheck:
    """A new check, by the name `portrait_check_of` gives; raises `EngineUnavailableError`."""
    paths = {**PORTRAIT_CHECKS, ANY_FACE: "engines.portrait.check:AnyFaceCheck"}
    check: PortraitCheck = _loaded(name, paths)()
    return check


def make_remote_engine(name: str, options: Mapping[str, str], credential: Credential) -> RemoteEngine:
    """A remote engine, from environment variables and whatever answers for its credential.

    Raises:
        EngineUnavailableError: there is no engine of that name, or it cannot be imported or configured.
    """
    engine: RemoteEngine = _loaded(name, remote_engine_paths()).from_settings(options, credential)
    return engine


def _loaded(name: str, paths: Mapping[str, str]) -> Any:
    path = paths.get(name)
    if path is None:
        raise EngineUnavailableError("engine_unknown", name=repr(name))
    module, _, attribute = path.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise EngineUnavailableError(
            "engine_not_loaded", name=repr(name), path=repr(path), error=str(error)
        ) from error
