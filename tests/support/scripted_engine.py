"""An engine that does what the prompt says: for tests of what surrounds engines.

Named by EXTRA_ENGINES, as any third party's engine would be, so that it runs in the real child process.
The prompt is JSON: {"do": …, "folder": …}. `do` is a list of acts, one for each render of the item in
turn (the last one repeats); the folder counts the renders over all processes and keeps what they report.
"""

import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from engines.base import (
    Cancelled,
    Capabilities,
    EngineUnavailableError,
    NoFaceError,
    Note,
    Progress,
    Readiness,
    RenderResult,
    RenderSpec,
    UnusablePortraitError,
)
from tests.standins.films import write_film

NAME = "scripted"
VARIABLE = f"{NAME}={__name__}:ScriptedEngine"
"""The value of EXTRA_ENGINES."""
VIDEO = b"\0\0\0\x18ftypmp42 not a film, but bytes to play"
HANG_S = 300
FILM_FPS = 25
STEPS = (20, 40, 60, 80)
"""Percentages at which a climbing render waits."""


class ScriptedEngine:
    """Implements `engines.base.Engine`."""

    def capabilities(self) -> Capabilities:
        return Capabilities(
            name=NAME,
            label="Scripted",
            min_side_px=1,
            max_side_px=10_000,
            min_audio_s=0.1,
            max_audio_s=600,
            fps=25,
        )

    def readiness(self) -> Readiness:
        return Readiness(ready=True)

    def warm_up(self) -> None:
        pass

    def render(self, spec: RenderSpec, progress: Progress, cancelled: Cancelled) -> RenderResult:
        script: dict[str, Any] = json.loads(spec.prompt or "{}")
        acts = script.get("do", ["succeed"])
        number = _count(Path(script["folder"]), spec.options["aigc_produce_id"]) if "folder" in script else 1
        return _ACTS[acts[min(number, len(acts)) - 1]](spec, progress)


def prompt(*acts: str, folder: Path | None = None) -> str:
    """A prompt that makes the engine act so."""
    return json.dumps({"do": acts} | ({"folder": str(folder)} if folder else {}))


def _count(folder: Path, item_id: str) -> int:
    """How many times this item has been rendered, this time included; the file keeps the process ids."""
    path = folder / item_id
    with path.open("a") as file:
        file.write(f"{os.getpid()}\n")
    return len(path.read_text().splitlines())


def _succeed(spec: RenderSpec, progress: Progress) -> RenderResult:
    progress(0.5)
    spec.output.write_bytes(VIDEO)
    if spec.poster:
        spec.poster.write_bytes(b"poster")
    progress(1.0)
    return RenderResult(
        duration_s=0.6, width=160, height=160, frames=15, fps=25, notes=(Note.plain("scripted"),)
    )


def _film(spec: RenderSpec, progress: Progress) -> RenderResult:
    """A film to watch, made in a moment."""
    result = _succeed(spec, progress)
    write_film(spec.output, result.duration_s, fps=FILM_FPS)
    return result


def _chatter(spec: RenderSpec, progress: Progress) -> RenderResult:
    """Writes to standard output from Python and from below it, as C libraries do."""
    print('{"result": "a lie"}')  # noqa: T201
    sys.stdout.flush()
    os.write(1, b"warning: deprecated pixel format\n")
    print("trouble", file=sys.stderr)  # noqa: T201
    return _succeed(spec, progress)


def _refuse(spec: RenderSpec, progress: Progress) -> RenderResult:
    raise NoFaceError


def _rave(spec: RenderSpec, progress: Progress) -> RenderResult:
    """Says what no database keeps."""
    raise UnusablePortraitError("their_code", "odd\0 \ud800", share=float("nan"), name="\udfff")


def _stay_away(spec: RenderSpec, progress: Progress) -> RenderResult:
    raise EngineUnavailableError("engine_unavailable")


def _blunder(spec: RenderSpec, progress: Progress) -> RenderResult:
    raise ZeroDivisionError


def _crash(spec: RenderSpec, progress: Progress) -> RenderResult:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def _hang(spec: RenderSpec, progress: Progress) -> RenderResult:
    progress(0.25)
    time.sleep(HANG_S)
    raise AssertionError


def _babble(spec: RenderSpec, progress: Progress) -> RenderResult:
    """Writes nonsense where the answers go, and lives on: what a decoder that was taken over might do."""
    for descriptor in range(3, 64):
        with suppress(OSError):
            os.write(descriptor, b"nonsense\n")
    time.sleep(HANG_S)
    raise AssertionError


def _gorge(spec: RenderSpec, progress: Progress) -> RenderResult:
    hoard = [bytearray(b"x" * 20_000_000) for _ in range(15)]
    time.sleep(HANG_S)
    raise AssertionError(len(hoard))


def _climb(spec: RenderSpec, progress: Progress) -> RenderResult:
    """Goes from one of the steps to the next when somebody puts a file of its name into the folder."""
    folder = Path(json.loads(spec.prompt)["folder"])
    for percent in STEPS:
        deadline = time.monotonic() + HANG_S
        while not (folder / str(percent)).exists() and time.monotonic() < deadline:
            progress(percent / 100)
            time.sleep(0.02)
    return _succeed(spec, progress)


def _confess(spec: RenderSpec, progress: Progress) -> RenderResult:
    """Writes down what the process was given."""
    Path(json.loads(spec.prompt)["folder"], "environment.json").write_text(json.dumps(dict(os.environ)))
    return _succeed(spec, progress)


def _spy(spec: RenderSpec, progress: Progress) -> RenderResult:
    """Writes down whatever environment it can read: its own and that of every process there is."""
    loot = {"own": json.dumps(dict(os.environ))}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            loot[f"environ {folder.name}"] = (folder / "environ").read_text(errors="replace")
        if folder.name == str(os.getppid()):
            with suppress(OSError):
                (folder / "mem").open("rb").close()
                loot["memory of the parent"] = "open"
    Path(json.loads(spec.prompt)["folder"], "loot.json").write_text(json.dumps(loot))
    return _succeed(spec, progress)


_ACTS = {
    "succeed": _succeed,
    "film": _film,
    "chatter": _chatter,
    "refuse": _refuse,
    "rave": _rave,
    "stay away": _stay_away,
    "blunder": _blunder,
    "crash": _crash,
    "hang": _hang,
    "babble": _babble,
    "gorge": _gorge,
    "climb": _climb,
    "confess": _confess,
    "spy": _spy,
}
