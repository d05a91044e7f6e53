"""Intake of portraits: results, sources, batches, and decodes in a child process."""

import hashlib
import io
import threading
import warnings
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from tests.badfiles import pictures
from videos.media import isolated
from videos.media.image_batch import ImageJob, prepare_images
from videos.media.images import ImageLimits, PreparedImage, prepare_image
from videos.media.memory import WeightedGate
from videos.media.problems import MediaProblem


def _prepare(source: Path | io.BytesIO, folder: Path, limits: ImageLimits | None = None) -> PreparedImage:
    return prepare_image(
        source,
        limits=limits or ImageLimits(),
        portrait_out=folder / "portrait.jpg",
        thumbnail_out=folder / "thumbnail.jpg",
    )


def _code(data: bytes, folder: Path, limits: ImageLimits) -> str:
    with pytest.raises(MediaProblem) as raised:
        _prepare(io.BytesIO(data), folder, limits)
    return raised.value.code


def test_a_real_portrait_keeps_its_look(tmp_path: Path) -> None:
    found = _prepare(io.BytesIO(pictures.portrait()), tmp_path)

    assert found.sha256 == hashlib.sha256(pictures.portrait()).hexdigest()
    with (
        Image.open(io.BytesIO(pictures.portrait())) as before,
        Image.open(tmp_path / "portrait.jpg") as after,
    ):
        assert after.size == before.size == (512, 512)
        mean = ImageStat.Stat(ImageChops.difference(before.convert("RGB"), after)).mean
    assert max(mean) < 1.5


def test_an_open_file_is_read_from_its_start_and_stays_open(tmp_path: Path) -> None:
    file = io.BytesIO(pictures.plain())
    file.seek(500)

    _prepare(file, tmp_path)

    assert not file.closed


def test_a_missing_source_is_no_problem_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        _prepare(tmp_path / "gone.jpg", tmp_path)


def test_a_missing_folder_is_no_problem_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        _prepare(io.BytesIO(pictures.plain()), tmp_path / "gone")


def test_a_failed_write_leaves_no_half_result(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        prepare_image(
            io.BytesIO(pictures.plain()),
            portrait_out=tmp_path / "gone" / "portrait.jpg",
            thumbnail_out=tmp_path / "thumbnail.jpg",
        )
    assert not list(tmp_path.iterdir())


def test_limits_are_the_callers(tmp_path: Path) -> None:
    data = pictures.plain()
    size = pictures.SIZE[0] * pictures.SIZE[1]

    assert _code(data, tmp_path, ImageLimits(max_bytes=len(data) - 1)) == "image_too_large"
    assert _code(data, tmp_path, ImageLimits(max_pixels=size - 1)) == "image_too_many_pixels"
    assert _code(data, tmp_path, ImageLimits(min_side=241)) == "image_too_small"
    assert _code(data, tmp_path, ImageLimits(max_aspect=1.3)) == "image_too_narrow"
    exact = ImageLimits(
        max_bytes=len(data), max_pixels=size, min_side=240, max_side_out=100, thumbnail_side=40
    )
    assert _prepare(io.BytesIO(data), tmp_path, exact).width == 100
    with Image.open(tmp_path / "thumbnail.jpg") as small:
        assert small.size == (40, 30)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pillows_own_size_check_never_speaks(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Image.DecompressionBombWarning):
            Image.open(io.BytesIO(pictures.plain(kind)))
        assert _prepare(io.BytesIO(pictures.plain(kind)), tmp_path).width == 320


def test_a_batch_reports_every_file_in_order(tmp_path: Path) -> None:
    contents = [
        pictures.plain(),
        b"",
        b"GIF89a" + bytes(50),
        pictures.portrait()[:9_000],
        pictures.portrait(),
    ] * 4
    jobs = [
        ImageJob(io.BytesIO(data), tmp_path / f"{i}.jpg", tmp_path / f"{i}-small.jpg")
        for i, data in enumerate(contents)
    ]

    answers = list(prepare_images(jobs, threads=3))

    codes = [answer.code if isinstance(answer, MediaProblem) else None for answer in answers]
    assert codes == [None, "image_empty", "image_type", "image_truncated", None] * 4
    good = {f"{i}{end}.jpg" for i, code in enumerate(codes) if code is None for end in ("", "-small")}
    assert {path.name for path in tmp_path.iterdir()} == good


def test_our_own_trouble_ends_a_batch(tmp_path: Path) -> None:
    job = ImageJob(tmp_path / "gone.jpg", tmp_path / "a.jpg", tmp_path / "b.jpg")

    with pytest.raises(FileNotFoundError):
        list(prepare_images([job]))


def test_a_costly_decode_and_a_cheap_one_give_the_same(tmp_path: Path) -> None:
    data = pictures.saved(Image.open(io.BytesIO(pictures.portrait())), "JPEG", progressive=True)
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()

    found = _prepare(io.BytesIO(data), here)
    again = isolated.prepare_isolated(
        io.BytesIO(data), 10**8, ImageLimits(), there / "portrait.jpg", there / "thumbnail.jpg"
    )

    assert again == found
    assert (there / "portrait.jpg").read_bytes() == (here / "portrait.jpg").read_bytes()


def test_a_child_passes_on_what_is_wrong(tmp_path: Path) -> None:
    outputs = tmp_path / "portrait.jpg", tmp_path / "thumbnail.jpg"
    with pytest.raises(MediaProblem) as raised:
        isolated.prepare_isolated(io.BytesIO(pictures.portrait()[:9_000]), 10**8, ImageLimits(), *outputs)
    assert raised.value.code == "image_truncated"
    with pytest.raises(FileNotFoundError):
        isolated.prepare_isolated(
            io.BytesIO(pictures.plain()), 10**8, ImageLimits(), tmp_path / "gone" / "a.jpg", outputs[1]
        )
    assert not list(tmp_path.iterdir())


def test_a_child_that_wants_too_much_memory_or_time_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = io.BytesIO(pictures.huge(6_000, 5_000, "PNG"))
    outputs = tmp_path / "portrait.jpg", tmp_path / "thumbnail.jpg"
    monkeypatch.setattr(isolated, "_MEMORY_HEADROOM_BYTES", 0)
    with pytest.raises(MediaProblem) as raised:
        isolated.prepare_isolated(big, 30_000_000, ImageLimits(), *outputs)
    assert raised.value.code == "image_too_complex"

    monkeypatch.setattr(isolated, "_TIME_LIMIT_S", 0.01)
    with pytest.raises(MediaProblem) as raised:
        isolated.prepare_isolated(big, 10**9, ImageLimits(), *outputs)
    assert raised.value.code == "image_too_complex"
    assert not list(tmp_path.iterdir())


def test_the_gate_admits_what_fits_and_a_giant_alone() -> None:
    gate = WeightedGate(10)
    entered, leave = threading.Event(), threading.Event()

    def giant() -> None:
        with gate.holding(1_000):
            entered.set()
            leave.wait(60)

    with gate.holding(4), gate.holding(6):
        thread = threading.Thread(target=giant)
        thread.start()
        assert not entered.wait(0.05)
    assert entered.wait(60)
    leave.set()
    thread.join(60)
    with gate.holding(10):
        pass
