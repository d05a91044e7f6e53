"""The engine as a command."""

import subprocess
import sys
from pathlib import Path

from tests.engines.portrait.reading import read_clip


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engines.portrait", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def test_it_writes_a_video_and_a_poster(
    portrait: Path, speech: Path, cache_dir: Path, tmp_path: Path
) -> None:
    video, poster = tmp_path / "out.mp4", tmp_path / "out.jpg"
    done = run(portrait, speech, video, "--poster", poster, "--prompt", "smile", "--cache", cache_dir)
    assert done.returncode == 0, done.stderr
    assert "512 × 512" in done.stdout
    assert "smile" in done.stdout
    assert len(read_clip(video).luma) == 83
    assert poster.stat().st_size > 5000


def test_an_error_is_one_line_and_an_exit_code(portrait: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes.wav"
    notes.write_text("milk, bread")
    done = run(portrait, notes, tmp_path / "out.mp4")
    assert done.returncode == 1
    assert done.stderr.strip() == "recording_unreadable: The recording cannot be read."


def test_a_file_that_is_not_there_is_named(portrait: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.wav"
    done = run(portrait, missing, tmp_path / "out.mp4")
    assert done.returncode == 2
    assert done.stderr.endswith(f"there is no file {missing}\n")


def test_it_needs_no_django() -> None:
    check = "import sys, engines.portrait; sys.exit(any(m.split('.')[0] == 'django' for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", check], check=False, timeout=600).returncode == 0
