"""Memory of a whole batch, measured in a process of its own."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.badfiles import raw, sounds

_ROOT = Path(__file__).parents[2]
_MEASURE = """
import sys
from pathlib import Path
from videos.media.audio import prepare_audio
from videos.media.image_batch import ImageJob, prepare_images
from videos.media.problems import MediaProblem

def status(field):
    return int(Path("/proc/self/status").read_text().split(field + ":")[1].split()[0])

before = status("VmRSS")
folder, sources = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
if sources[0].suffix in (".wav", ".mp3"):
    prepare_audio(sources[0], wav_out=folder / "speech.wav")
else:
    jobs = [ImageJob(sources[i % len(sources)], folder / f"{i}.jpg", folder / f"{i}s.jpg") for i in range(50)]
    assert not [a for a in prepare_images(jobs, threads=4) if isinstance(a, MediaProblem)]
print((status("VmHWM") - before) / 1000)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def _risen_mb(folder: Path, *sources: Path) -> float:
    (folder / "out").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(folder / "out"), *map(str, sources)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    return float(done.stdout)


def _noisy(width: int, height: int, spread: int) -> Image.Image:
    """A grey ramp under camera-like noise: what makes real files of this size large."""
    ramp = np.linspace(40, 200, width)[None, :, None]
    noise = np.random.default_rng(5).integers(-spread, spread + 1, (height, width, 3), dtype=np.int16)
    return Image.fromarray(np.clip(ramp + noise, 0, 255).astype(np.uint8))


def test_fifty_images_of_ten_megabytes_raise_the_process_by_less_than_150_mb(tmp_path: Path) -> None:
    jpeg, png, webp = tmp_path / "a.jpg", tmp_path / "b.png", tmp_path / "c.webp"
    _noisy(4032, 3024, 30).save(jpeg, quality=97)
    _noisy(2100, 2000, 20).save(png, compress_level=1)
    _noisy(3000, 2400, 24).save(webp, quality=97, method=0)
    assert min(path.stat().st_size for path in (jpeg, png)) > 9_500_000

    assert _risen_mb(tmp_path, *[jpeg] * 13, *[png] * 3, webp) < 150


def test_a_recording_of_fifty_megabytes_is_never_held_whole(tmp_path: Path) -> None:
    values = np.random.default_rng(5).integers(-9_000, 9_000, 24_900_000, dtype=np.int16)
    source = tmp_path / "long.wav"
    source.write_bytes(raw.wav(values.tobytes(), rate=44_100, channels=2))

    assert _risen_mb(tmp_path, source) < 25


@pytest.mark.parametrize("kind", ["mp3", "wav", "rf64"])
def test_tags_that_would_unpack_to_much_are_not_looked_at(tmp_path: Path, kind: str) -> None:
    tag = raw.id3_unpacking(frames=2, megabytes=50)
    chunk = raw.riff_chunk(b"id3 ", tag)
    samples = sounds.pcm16(sounds.tone(1))
    source = tmp_path / ("a.mp3" if kind == "mp3" else "a.wav")
    if kind == "mp3":
        source.write_bytes(tag + sounds.mp3() + tag)
    elif kind == "wav":
        source.write_bytes(raw.wav(samples, rate=16_000, before=chunk) + chunk)
    else:
        source.write_bytes(raw.rf64(samples, rate=16_000, after=chunk))
    assert source.stat().st_size < 2_000_000

    assert _risen_mb(tmp_path, source) < 25


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_nor_are_those_behind_data_without_an_end(tmp_path: Path, size: int) -> None:
    chunk = raw.riff_chunk(b"id3 ", raw.id3_unpacking(frames=2, megabytes=50))
    source = tmp_path / "a.wav"
    source.write_bytes(raw.wav(chunk + sounds.pcm16(sounds.tone(1)) + chunk, rate=16_000, declared=size))

    assert _risen_mb(tmp_path, source) < 25
