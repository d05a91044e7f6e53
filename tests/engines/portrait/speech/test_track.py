"""The track's own promises: ranges, aperture, files."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from engines.portrait.speech import VisemeTrack, analyse
from tests.engines.portrait.speech.signals import SENTENCE, recording


@pytest.fixture(scope="module")
def track() -> VisemeTrack:
    return analyse(recording(SENTENCE))


def test_a_saved_track_loads_unchanged(track: VisemeTrack, tmp_path: Path) -> None:
    track.save(tmp_path / "track.npz")

    loaded = VisemeTrack.load(tmp_path / "track.npz")

    assert (loaded.fps, loaded.language, loaded.duration_s) == (25, track.language, track.duration_s)
    for name in ("shapes", "energy", "stress", "silence"):
        saved, read = getattr(track, name), getattr(loaded, name)
        assert saved.dtype == read.dtype
        np.testing.assert_array_equal(saved, read)


def test_an_archive_of_something_else_is_refused() -> None:
    archive = BytesIO()
    np.savez(archive, numbers=np.arange(3))
    archive.seek(0)

    with pytest.raises(ValueError, match="not a viseme track"):
        VisemeTrack.load(archive)


def test_closed_lips_leave_no_opening(track: VisemeTrack) -> None:
    pressed = track.shapes[:, 5] > 0.95

    assert pressed.any()
    assert track.aperture[pressed].max() < 0.05


@pytest.mark.parametrize("fps", [12, 25, 30, 60])
def test_there_is_one_row_per_frame_at_any_frame_rate(fps: int) -> None:
    pcm = recording(SENTENCE)

    track = analyse(pcm, fps)

    assert len(track) == len(track.energy) == len(track.stress) == len(track.silence)
    assert len(track) == np.ceil(len(pcm) * fps / 16_000)
    assert track.shapes.dtype == track.energy.dtype == np.float32
