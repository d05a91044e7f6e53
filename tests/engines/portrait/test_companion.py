"""Processes that draw beside the engine's own: what they make, and what happens when one is gone."""

import errno
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from engines.base import EngineUnavailableError, RenderCancelled, RenderSpec
from engines.portrait import renderer as renderer_module
from engines.portrait.engine import PortraitEngine
from engines.portrait.performance.motion import Motion
from engines.portrait.renderer import RIG_SHARE
from engines.portrait.rig import PortraitRig
from engines.portrait.video import encode, segments
from engines.portrait.video.companion import PROGRAM, Companion, CompanionLostError
from engines.portrait.video.segments import SegmentRenderer, Video
from tests.engines.portrait.conftest import Rendered
from tests.servers.process import wait_until

ENDED_S = 30
FRAMES = 30


def never() -> bool:
    return False


def gone(process: psutil.Process) -> bool:
    """Ended, whether or not its parent has taken notice."""
    with suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def companions_of(pid: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(pid).children() if PROGRAM in child.cmdline()]


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """One companion to an engine, whatever the machine has."""
    monkeypatch.setattr(renderer_module, "default_threads", lambda: 2)


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several segments for every process, and something to be told about all of them."""
    monkeypatch.setattr(encode, "SEGMENT_FRAMES", 21)
    monkeypatch.setattr(segments, "BURST_FRAMES", 4)


@pytest.fixture
def spec(rendered: Rendered, tmp_path: Path) -> RenderSpec:
    return replace(rendered.spec, output=tmp_path / "video.mp4", poster=None, threads=2)


@pytest.fixture
def alone(engine: PortraitEngine, spec: RenderSpec, short_segments: None) -> bytes:
    """The video as one process makes it."""
    other = replace(spec, output=spec.output.with_name("alone.mp4"), threads=1)
    engine.render(other, lambda _: None, never)
    return other.output.read_bytes()


@pytest.fixture
def video(rig: PortraitRig) -> Video:
    wave = np.sin(np.linspace(0, 6, FRAMES))[:, None].repeat(8, axis=1).astype(np.float32)
    still = np.zeros((FRAMES, 2), np.float32)
    return Video(rig, Motion(0.1 + 0.1 * wave, still[:, 0], still, 0.02 * wave), None)


def test_a_companion_answers_what_this_process_would(video: Video) -> None:
    told: list[int] = []

    def going_on(drawn: int) -> bool:
        told.append(drawn)
        return True

    companion = Companion()
    companion.prepare(video)
    assert companion.render(range(10, FRAMES), going_on) == SegmentRenderer(video).render(
        range(10, FRAMES), lambda _: True
    )
    assert sum(told) == FRAMES - 10


def test_two_processes_make_the_video_of_one(spec: RenderSpec, alone: bytes) -> None:
    engine = PortraitEngine()
    engine.render(spec, lambda _: None, never)
    assert len(companions_of(os.getpid())) >= 1
    assert spec.output.read_bytes() == alone


def test_the_companion_lives_on_between_videos(spec: RenderSpec) -> None:
    engine = PortraitEngine()
    before = {process.pid for process in companions_of(os.getpid())}
    lives = []
    for _ in range(2):
        engine.render(spec, lambda _: None, never)
        lives.append({process.pid for process in companions_of(os.getpid())} - before)
    assert len(lives[0]) == 1
    assert lives[0] == lives[1]


def test_a_companion_that_is_killed_costs_no_video(
    spec: RenderSpec, alone: bytes, short_segments: None, caplog: pytest.LogCaptureFixture
) -> None:
    before = {process.pid for process in companions_of(os.getpid())}
    engine = PortraitEngine()
    engine.render(spec, lambda _: None, never)
    (mine,) = (process for process in companions_of(os.getpid()) if process.pid not in before)

    def killing(share: float) -> None:
        if share >= RIG_SHARE and not gone(mine):  # it has been counted on, but not been asked yet
            mine.kill()
            wait_until(lambda: gone(mine), timeout_s=ENDED_S, what="the companion's end")

    engine.render(spec, killing, never)
    assert spec.output.read_bytes() == alone
    assert "ended early" in caplog.text
    engine.render(spec, lambda _: None, never)  # with a new one
    assert spec.output.read_bytes() == alone


def test_without_room_for_another_process_the_engine_works_alone(
    spec: RenderSpec, alone: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", str(spec.output.with_name("no-such-program")))
    PortraitEngine().render(spec, lambda _: None, never)
    assert spec.output.read_bytes() == alone
    assert "fewer cores" in caplog.text


def test_a_companion_is_lost_when_it_dies_and_stays_lost(video: Video) -> None:
    companion = Companion()
    os.kill(companion.pid, signal.SIGKILL)
    companion.prepare(video)
    for _ in range(2):
        with pytest.raises(CompanionLostError):
            companion.render(range(FRAMES), lambda _: True)
    assert not companion.running


def test_a_companion_told_to_stop_is_ended(video: Video) -> None:
    companion = Companion()
    companion.prepare(video)
    assert companion.render(range(FRAMES), lambda _: False) == []
    assert not companion.running


def test_after_a_cancelled_video_the_next_one_is_whole(
    spec: RenderSpec, alone: bytes, short_segments: None
) -> None:
    engine = PortraitEngine()
    seen: list[float] = []
    with pytest.raises(RenderCancelled):
        engine.render(spec, seen.append, lambda: bool(seen) and seen[-1] >= 0.1)
    assert not spec.output.exists()
    engine.render(spec, lambda _: None, never)
    assert spec.output.read_bytes() == alone


def test_after_a_video_that_could_not_be_written_the_next_one_is_whole(
    spec: RenderSpec, alone: bytes, short_segments: None
) -> None:
    engine = PortraitEngine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode.Joiner, "write", full_disk)
        with pytest.raises(EngineUnavailableError) as kept:
            engine.render(spec, lambda _: None, never)
    # while the error still holds on to all that was going on
    assert "No space left" in kept.value.detail
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("portrait_")]
    engine.render(spec, lambda _: None, never)
    assert spec.output.read_bytes() == alone


def test_after_a_video_for_which_there_were_too_few_threads_the_next_one_is_whole(
    spec: RenderSpec, alone: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one thread that was started does not go on with its companion beside the next video."""
    start = threading.Thread.start

    def refuse_the_second(thread: threading.Thread) -> None:
        if thread.name == "portrait_1":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse_the_second)
    engine = PortraitEngine()
    with pytest.raises(RuntimeError):
        engine.render(spec, lambda _: None, never)
    assert "portrait_0" not in {thread.name for thread in threading.enumerate()}
    monkeypatch.setattr(threading.Thread, "start", start)
    engine.render(spec, lambda _: None, never)
    assert spec.output.read_bytes() == alone


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("way", ["returns", "killed"])
def test_no_companion_outlives_its_engine(way: str) -> None:
    program = (
        "import sys\n"
        "from engines.portrait.video.companion import Companions\n"
        "companions = Companions()\n"
        "print(companions.ready(1)[0].pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as engine:
        assert engine.stdout
        companion = psutil.Process(int(engine.stdout.readline()))
        assert not gone(companion)
        if way == "killed":
            engine.kill()
    wait_until(lambda: gone(companion), timeout_s=ENDED_S, what="the companion's end")
