"""Programs as engines: what they are given, how they end, and that nothing of theirs stays behind."""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from PIL import Image

from engines.base import (
    EngineError,
    EngineStoppedError,
    RenderCancelled,
    RenderSpec,
    UnusableResultError,
)
from engines.command.engine import CommandEngine
from engines.command.presets import PRESETS
from engines.registry import get_engine
from tests.engines.portrait.reading import read_clip
from tests.servers.process import wait_until
from tests.standins.films import write_film, write_speech
from tests.support.no_threads import no_more_threads
from tests.support.processes import is_running

PROGRAM = '''
"""A program like those that make portraits talk."""
import json, os, shutil, subprocess, sys, time, wave
portrait, audio, output, prompt, mode, film = sys.argv[1:7]
with wave.open(audio) as file:
    assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
told = {"arguments": sys.argv, "environment": dict(os.environ), "folder": os.getcwd(),
        "files": sorted(os.listdir(os.path.dirname(portrait))), "pid": os.getpid()}
if mode == "works":
    shutil.copy(film, output)
if mode == "worker-left-behind":
    told["child"] = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid
    shutil.copy(film, output)
with open(os.environ["PYTHON_TOLD"] + ".part", "w") as file:
    json.dump(told, file)
os.replace(os.environ["PYTHON_TOLD"] + ".part", os.environ["PYTHON_TOLD"])
if mode == "hangs":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    time.sleep(60)
if mode == "eats":
    block = bytearray(400 << 20)
    for index in range(0, len(block), 4096):
        block[index] = 1
    time.sleep(60)
if mode == "talks":
    sys.stderr.write("x" * 3_000_000 + "\\nRuntimeError: the mesh in " + portrait + " is not a manifold\\n")
    sys.exit(3)
if mode == "no-face":
    sys.stderr.write("Error: No face detected in the source image\\n")
'''


@pytest.fixture
def spec(tmp_path: Path) -> RenderSpec:
    portrait = tmp_path / "头像 $(touch pwned).jpg"
    Image.new("RGB", (256, 320), "grey").save(portrait)
    return RenderSpec(
        portrait=portrait,
        audio=write_speech(tmp_path / "speech.v1.0.wav", 2.0),
        output=tmp_path / "video.mp4",
        poster=tmp_path / "poster.jpg",
        prompt="--help; $(touch pwned) `id` 微笑",
        seed=2**35,
    )


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program writes what it was given."""
    path = tmp_path / "told.json"
    monkeypatch.setenv("PYTHON_TOLD", str(path))
    monkeypatch.setenv("SECRET_KEY", "not for programs")
    return path


def settings(tmp_path: Path, mode: str, **more: str) -> dict[str, str]:
    program, film = tmp_path / "program.py", tmp_path / "film.mp4"
    program.write_text(PROGRAM)
    if not film.exists():
        write_film(film, 2.0)
    template = f"{{python}} {program} {{portrait}} {{audio}} {{output}} {{prompt}} {mode} {film}"
    return {"COMMAND_TEMPLATE": template, "COMMAND_PYTHON": sys.executable, **more}


def run(spec: RenderSpec, options: Mapping[str, str]) -> list[float]:
    shares: list[float] = []
    CommandEngine(options).render(spec, shares.append, lambda: False)
    return shares


def test_a_program_gets_what_it_needs_and_nothing_else(spec: RenderSpec, tmp_path: Path, told: Path) -> None:
    shares = run(spec, settings(tmp_path, "works", COMMAND_ARGS="--extra 'two words'"))
    given = json.loads(told.read_text())
    arguments, folder = given["arguments"], Path(given["arguments"][1]).parent
    assert arguments[-2:] == ["--extra", "two words"]
    assert arguments[4] == f" {spec.prompt}"  # as one argument, which is no option
    for path in (arguments[1], arguments[2], arguments[3]):
        assert Path(path).is_absolute()
        assert path.isascii()
        assert Path(path).name.count(".") == 1
    assert given["files"] == ["audio.wav", "out", "portrait.png", "stdout.log"]
    assert "SECRET_KEY" not in given["environment"]
    assert not folder.exists()
    assert not list(tmp_path.glob("**/pwned"))
    assert read_clip(spec.output).metadata["AIGC"]
    assert (tmp_path / "poster.jpg").exists()
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def failure(spec: RenderSpec, options: Mapping[str, str]) -> EngineError:
    with pytest.raises(EngineError) as failed:
        run(spec, options)
    assert not spec.output.exists()
    return failed.value


def test_a_program_that_makes_nothing_has_failed_whatever_it_says(
    spec: RenderSpec, tmp_path: Path, told: Path
) -> None:
    error = failure(spec, settings(tmp_path, "makes-nothing"))
    assert (type(error), error.code) == (UnusableResultError, "result_missing")


def test_the_last_words_of_a_program_are_told(spec: RenderSpec, tmp_path: Path, told: Path) -> None:
    error = failure(spec, settings(tmp_path, "talks"))
    assert error.code == "command_failed"
    assert error.params["status"] == 3
    assert "RuntimeError: the mesh in portrait.png is not a manifold" in error.detail
    assert len(error.detail) < 1000


def test_a_face_that_a_program_does_not_find_is_told_as_such(
    spec: RenderSpec, tmp_path: Path, told: Path
) -> None:
    assert failure(spec, settings(tmp_path, "no-face")).code == "no_face"


def test_what_a_program_makes_has_to_be_the_video(spec: RenderSpec, tmp_path: Path, told: Path) -> None:
    write_film(tmp_path / "film.mp4", 2.0, level=0.0)
    assert failure(spec, settings(tmp_path, "works")).code == "result_silent"


def test_a_program_that_takes_too_long_or_too_much_is_ended(
    spec: RenderSpec, tmp_path: Path, told: Path
) -> None:
    started = time.monotonic()
    assert failure(spec, settings(tmp_path, "hangs", COMMAND_TIMEOUT_S="1")).code == "command_too_slow"
    assert failure(spec, settings(tmp_path, "eats", COMMAND_MEMORY_MB="200")).code == "command_memory"
    assert time.monotonic() - started < 20


def test_a_cancelled_program_is_gone_with_all_it_started(
    spec: RenderSpec, tmp_path: Path, told: Path
) -> None:
    group: list[psutil.Process] = []

    def cancelled() -> bool:
        if told.exists() and not group:
            program = psutil.Process(json.loads(told.read_text())["pid"])
            children = program.children()
            if children:
                group.extend([program, *children])
        return bool(group)

    with pytest.raises(RenderCancelled):
        CommandEngine(settings(tmp_path, "hangs")).render(spec, lambda share: None, cancelled)
    assert len(group) == 2
    psutil.wait_procs(group, timeout=5)
    assert not any(process.is_running() for process in group)


def test_what_a_program_leaves_running_is_ended(spec: RenderSpec, tmp_path: Path, told: Path) -> None:
    run(spec, settings(tmp_path, "worker-left-behind"))
    child = json.loads(told.read_text())["child"]
    wait_until(lambda: not is_running(child), timeout_s=5, what="the end of what was left behind")


def test_a_program_that_nobody_would_hear_is_ended(spec: RenderSpec, tmp_path: Path, told: Path) -> None:
    before = psutil.Process().children()
    with no_more_threads(), pytest.raises(RuntimeError):
        run(spec, settings(tmp_path, "hangs"))
    assert psutil.Process().children() == before


def test_a_link_out_of_the_folder_is_no_result(spec: RenderSpec, tmp_path: Path, told: Path) -> None:
    secret = write_film(tmp_path / "elsewhere.mp4", 2.0)
    template = f"{sys.executable} -c 'import os,sys; os.symlink(\"{secret}\", sys.argv[1])' {{output}}"
    assert failure(spec, {"COMMAND_TEMPLATE": template}).code == "result_missing"


# --- Settings ---


@pytest.mark.parametrize("name", PRESETS)
def test_presets_name_their_licence_and_are_complete(name: str, tmp_path: Path) -> None:
    preset = PRESETS[name]
    assert preset.licence in ("Apache-2.0", "MIT")
    options = {"COMMAND_PRESET": name, "COMMAND_MODELS": "/models", "COMMAND_PYTHON": sys.executable}
    options["COMMAND_TORCHRUN"] = sys.executable
    engine = CommandEngine(options)
    assert engine.readiness().ready
    assert engine.capabilities().understands_prompt is preset.understands_prompt
    gone = CommandEngine({**options, "COMMAND_PYTHON": "/no/python", "COMMAND_TORCHRUN": "/no/torchrun"})
    assert gone.readiness().code == "command_missing"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"COMMAND_PRESET": "nope"},
        {"COMMAND_PRESET": "musetalk"},  # needs COMMAND_MODELS
        {"COMMAND_TEMPLATE": "run {wherever}"},
        {"COMMAND_TEMPLATE": "run 'unclosed"},
        {"COMMAND_TEMPLATE": "run", "COMMAND_OUTPUT": "../*.mp4"},
        {"COMMAND_TEMPLATE": "run", "COMMAND_TIMEOUT_S": "soon"},
    ],
)
def test_settings_that_make_no_sense_are_told(options: dict[str, str], spec: RenderSpec) -> None:
    engine = CommandEngine(options)
    assert engine.readiness().code == "engine_setting"
    with pytest.raises(EngineStoppedError):
        engine.render(spec, lambda share: None, lambda: False)


def test_the_input_of_a_preset_is_written_as_it_reads_it(spec: RenderSpec, tmp_path: Path) -> None:
    """InfiniteTalk reads JSON, with the prompt as it was typed."""
    checker = tmp_path / "generate_infinitetalk.py"
    film = write_film(tmp_path / "film.mp4", 2.0)
    checker.write_text(
        "import json, shutil, sys\n"
        "given = dict(zip(sys.argv[1::2], sys.argv[2::2]))\n"
        "value = json.load(open(given['--input_json'], encoding='utf-8'))\n"
        "assert value['prompt'] == 'say \"hi\" {now} 微笑', value\n"
        "assert open(value['cond_video'], 'rb') and open(value['cond_audio']['person1'], 'rb')\n"
        "assert given['--max_frame_num'] == '50'\n"
        f"shutil.copy({str(film)!r}, given['--save_file'] + '.mp4')\n"
    )
    options = {
        "COMMAND_PRESET": "infinitetalk",
        "COMMAND_MODELS": "/models",
        "COMMAND_PYTHON": sys.executable,
        "COMMAND_DIRECTORY": str(tmp_path),
    }
    run(replace(spec, prompt='say "hi" {now} 微笑'), options)
    assert spec.output.exists()


def test_the_engine_is_found_by_its_name() -> None:
    assert isinstance(get_engine("command"), CommandEngine)
