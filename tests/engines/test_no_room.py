"""A disk without room: nothing is said of the portrait, the recording or a result that is paid for."""

import sys
from errno import ENOSPC
from pathlib import Path

import pytest

from engines.base import RenderSpec
from engines.command.folder import lay_out
from engines.command.presets import PRESETS
from engines.portrait.video.audio import write_sound
from engines.results.proof import opened
from tests.standins.films import write_film

FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="writes to /dev/full")


@pytest.mark.parametrize("name", ["portrait.png", "audio.wav"])
def test_what_a_program_is_to_be_given(spec: RenderSpec, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / name).symlink_to(FULL)
    with pytest.raises(OSError, match="No space left") as failure:
        lay_out(spec, folder, next(iter(PRESETS.values())))
    assert failure.value.errno == ENOSPC


def test_the_sound_of_a_video(spec: RenderSpec) -> None:
    with pytest.raises(OSError, match="No space left") as failure:
        write_sound(spec.audio, FULL, lambda: False)
    assert failure.value.errno == ENOSPC


def test_what_is_written_while_a_result_is_read(spec: RenderSpec, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", 1.0)
    with pytest.raises(OSError, match="No space left"), opened(film):
        write_sound(spec.audio, FULL, lambda: False)
