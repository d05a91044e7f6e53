"""Every file of the corpus gets the answer the table names."""

import wave
from pathlib import Path

import pytest
from PIL import Image

from tests.badfiles.case import AudioAnswer, Case, ImageAnswer
from tests.badfiles.cases import CASES
from videos.media.audio import prepare_audio
from videos.media.images import prepare_image
from videos.media.problems import MESSAGES, UPLOAD_MESSAGES, MediaProblem
from videos.media.sniffing import NAMES

_COLOUR_TOLERANCE = 12
IMAGES = [case for case in CASES if case.kind == "image"]
SOUNDS = [case for case in CASES if case.kind == "audio"]


def _slug(case: Case) -> str:
    return case.slug


@pytest.fixture(name="source")
def _source(tmp_path: Path, case: Case) -> Path:
    path = tmp_path / "source"
    path.write_bytes(case.build())
    return path


def _assert_problem(case: Case, problem: MediaProblem | None, folder: Path) -> None:
    assert problem is not None, f"{case.slug} was accepted"
    assert problem.code == case.code, problem.detail
    assert problem.detail == MESSAGES[problem.code] % problem.params
    assert problem.detail.endswith(".")
    assert "%(" not in problem.detail
    if case.code in ("image_type", "audio_type"):
        assert problem.params["found"] in NAMES
    assert [path.name for path in folder.iterdir()] == ["source"], "something was left behind"


@pytest.mark.parametrize("case", IMAGES, ids=_slug)
def test_each_image_gets_its_answer(case: Case, source: Path, tmp_path: Path) -> None:
    portrait, thumbnail = tmp_path / "portrait.jpg", tmp_path / "thumbnail.jpg"
    problem: MediaProblem | None = None
    try:
        found = prepare_image(source, portrait_out=portrait, thumbnail_out=thumbnail)
    except MediaProblem as raised:
        problem = raised
    if case.code is not None:
        _assert_problem(case, problem, tmp_path)
        return
    assert problem is None, problem and problem.detail
    assert isinstance(case.answer, ImageAnswer)
    assert (found.width, found.height, found.format) == (
        case.answer.width,
        case.answer.height,
        case.answer.format,
    )
    _assert_clean_jpeg(portrait, (found.width, found.height), case.answer)
    with Image.open(thumbnail) as small:
        assert small.format == "JPEG"
        assert max(small.size) == min(480, max(found.width, found.height))


def _assert_clean_jpeg(path: Path, size: tuple[int, int], answer: ImageAnswer) -> None:
    assert b"payload" not in path.read_bytes()
    with Image.open(path) as image:
        image.load()
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", size)
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert not dict(image.getexif())
        for (x, y), wanted in answer.colours.items():
            pixel = image.getpixel((int(x * size[0]), int(y * size[1])))
            assert isinstance(pixel, tuple)
            distance = max(abs(a - b) for a, b in zip(pixel, wanted, strict=True))
            assert distance <= _COLOUR_TOLERANCE, (x, y, pixel, wanted)


@pytest.mark.parametrize("case", SOUNDS, ids=_slug)
def test_each_recording_gets_its_answer(case: Case, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "speech.wav"
    problem: MediaProblem | None = None
    try:
        found = prepare_audio(source, wav_out=out)
    except MediaProblem as raised:
        problem = raised
    if case.code is not None:
        _assert_problem(case, problem, tmp_path)
        return
    assert problem is None, problem and problem.detail
    answer = case.answer
    assert isinstance(answer, AudioAnswer)
    assert found.duration_s == pytest.approx(answer.duration_s, abs=answer.tolerance_s)
    assert found.source_format == answer.format
    assert answer.rate_hz in (None, found.sample_rate)
    assert answer.channels in (None, found.channels)
    if answer.peak_dbfs is not None:
        assert found.peak_dbfs == pytest.approx(answer.peak_dbfs, abs=0.3)
    with wave.open(str(out)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 48_000)
        assert file.getnframes() == found.samples == len(file.readframes(-1)) // 2


def test_the_corpus_is_large_and_its_names_are_distinct() -> None:
    assert len({case.slug for case in CASES}) == len(CASES) >= 45
    assert all("/" not in case.slug and case.slug.isprintable() for case in CASES)
    of_files = {code for code in MESSAGES if not code.endswith("_engine")} - set(UPLOAD_MESSAGES)
    assert {case.code for case in CASES} - {None} == of_files
