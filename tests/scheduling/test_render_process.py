"""The child process by itself, what it started, and engines that are plugged in beside ours."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import LazySettings
from PIL import Image

from engines.base import EngineUnavailableError, RenderSpec
from engines.registry import engine_paths, get_engine
from tests.plugins.environment import ROOT
from tests.scheduling.conftest import rendering_processes
from tests.servers.process import wait_until
from tests.standins.films import write_speech
from tests.support.processes import is_running
from tests.support.scripted_engine import NAME, VARIABLE, prompt
from videos.checks import generation_settings
from videos.worker import renderer as rendering
from videos.worker.renderer import RenderAbandonedError, Renderer, RenderFailedError, RenderLimits

WAIT_S = 120

PARENT = """
import sys
from pathlib import Path
from engines.base import RenderSpec
from videos.worker.renderer import Renderer, RenderLimits

folder = Path(sys.argv[1])
paths = {"portrait": folder / "p.png", "audio": folder / "a.wav", "output": folder / "v.mp4"}
spec = RenderSpec(**paths, prompt=sys.argv[3], options={"aigc_produce_id": "item"})
limits = RenderLimits(time_s=300, memory_mb=1000, heartbeat_s=0.1)
Renderer(sys.argv[2], limits).render(spec, lambda share: True)
"""
PROGRAM = """
import os, subprocess, sys, time

told = sys.argv[1]
started = []
for own_session in (False, True):  # as torchrun starts its workers
    started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"],
                                    start_new_session=own_session))
with open(told + ".part", "w") as file:
    print(os.getpid(), *(process.pid for process in started), file=file)
os.replace(told + ".part", told)
time.sleep(600)
"""


def test_a_render_ends_with_its_worker(tmp_path: Path) -> None:
    """A worker that is killed cannot tell its child; the child notices by itself."""
    counted = tmp_path / "counted"
    counted.mkdir()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), NAME, prompt("hang", folder=counted)],
        cwd=ROOT,
        env={**os.environ, "EXTRA_ENGINES": VARIABLE},
    )
    try:
        wait_until(lambda: bool(rendering_processes(counted)), timeout_s=WAIT_S, what="the render")
        (child,) = rendering_processes(counted)
        assert is_running(child)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    wait_until(lambda: not is_running(child), timeout_s=WAIT_S, what="the end of the render")


# --- Programs that an engine runs ---


class Program:
    """A program of the `command` engine that goes on for ever, and two that it started."""

    def __init__(self, folder: Path) -> None:
        self.told, self.folder = folder / "told", folder

    @property
    def runs(self) -> bool:
        return self.told.exists()

    def ids(self) -> list[int]:
        return [int(word) for word in self.told.read_text().split()]

    def await_end(self) -> None:
        assert len(self.ids()) == 3
        wait_until(
            lambda: not any(map(is_running, self.ids())), timeout_s=WAIT_S, what="the end of the program"
        )

    def spec(self) -> RenderSpec:
        portrait, audio, video = (self.folder / name for name in ("p.png", "a.wav", "v.mp4"))
        return RenderSpec(portrait=portrait, audio=audio, output=video, prompt="")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    program = Program(tmp_path)
    Image.new("RGB", (256, 320), "grey").save(tmp_path / "p.png")
    write_speech(tmp_path / "a.wav", 1.0)
    source = tmp_path / "program.py"
    source.write_text(PROGRAM)
    monkeypatch.setenv("COMMAND_TEMPLATE", f"{sys.executable} {source} {program.told}")
    yield program
    for pid in program.ids() if program.runs else ():
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)


def test_a_program_ends_with_its_cancelled_render(program: Program) -> None:
    renderer = Renderer("command", RenderLimits(time_s=WAIT_S, memory_mb=4000, heartbeat_s=0.1))
    with pytest.raises(RenderAbandonedError):
        renderer.render(program.spec(), lambda share: not program.runs)
    assert not any(map(is_running, program.ids()))  # so that its folder can be removed with the item's
    assert list(program.folder.glob("command-*/audio.wav"))


def test_a_program_ends_with_its_render_that_takes_too_long(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock:
        @staticmethod
        def monotonic() -> float:
            return time.monotonic() + (2 * WAIT_S if program.runs else 0)

    monkeypatch.setattr(rendering, "time", Clock)
    renderer = Renderer("command", RenderLimits(time_s=WAIT_S, memory_mb=4000, heartbeat_s=0.1))
    with pytest.raises(RenderFailedError, match="render_timeout"):
        renderer.render(program.spec(), lambda share: True)
    program.await_end()


def test_a_program_ends_with_its_render_process(program: Program) -> None:
    """Killed by the system for want of memory, for instance."""
    renderer = Renderer("command", RenderLimits(time_s=WAIT_S, memory_mb=4000, heartbeat_s=0.1))
    beats_while_it_runs = 0

    def alive(share: float) -> bool:
        nonlocal beats_while_it_runs
        beats_while_it_runs += program.runs
        if beats_while_it_runs == 2:  # so that its memory was looked at
            os.kill(psutil.Process(program.ids()[0]).ppid(), signal.SIGKILL)
        return True

    with pytest.raises(RenderFailedError, match="render_crashed"):
        renderer.render(program.spec(), alive)
    program.await_end()


def test_a_program_ends_with_its_worker(program: Program) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(program.folder), "command", ""], cwd=ROOT)
    try:
        wait_until(lambda: program.runs, timeout_s=WAIT_S, what="the program")
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    program.await_end()


# --- Engines of others ---


def test_engines_of_others_stand_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTRA_ENGINES", f" {VARIABLE} , portrait=some.thief:Engine,")
    assert engine_paths()[NAME] == "tests.support.scripted_engine:ScriptedEngine"
    assert engine_paths()["portrait"].startswith("engines.portrait")
    assert get_engine(NAME).capabilities().name == NAME


@pytest.mark.parametrize("path", ["", "no_such_module:Engine", "engines.base:NoSuchEngine", "json"])
def test_an_engine_that_cannot_be_loaded_is_not_ready(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTRA_ENGINES", f"broken={path}")
    with pytest.raises(EngineUnavailableError):
        get_engine("broken")


def test_an_engine_that_nobody_knows_is_a_system_check(settings: LazySettings) -> None:
    settings.GENERATION_ENGINE = "nobody"
    (problem,) = generation_settings(None)
    assert problem.id == "videos.E001"
    assert "portrait" in str(problem.hint)


def test_a_lease_shorter_than_three_heartbeats_is_a_system_check(settings: LazySettings) -> None:
    settings.LEASE_S, settings.HEARTBEAT_S = 1.0, 0.5
    assert [problem.id for problem in generation_settings(None)] == ["videos.E002"]
