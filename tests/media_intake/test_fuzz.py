"""Whatever bytes a file holds, the answer is a result or a `MediaProblem`, and nothing is left behind.

`FUZZ_EXAMPLES` in the environment sets how many files each test tries.
"""

import io
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.badfiles import pictures, raw, sounds
from tests.media_intake.watching import python_events
from videos.media.audio import prepare_audio
from videos.media.images import ImageLimits, prepare_image
from videos.media.problems import MediaProblem

# Small enough that no mutated header sends a decode to a child process: each example stays quick.
_LIMITS = ImageLimits(max_pixels=2_000_000)
_QUICK = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "200")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
_SMALL = (160, 130)


@cache
def _images() -> tuple[bytes, ...]:
    picture = pictures.quadrants(_SMALL)
    exif = pictures.exif_turned(6)
    return (
        pictures.saved(picture, "JPEG"),
        pictures.saved(picture, "JPEG", progressive=True),
        pictures.saved(picture.convert("CMYK"), "JPEG"),
        pictures.saved(picture, "PNG"),
        pictures.saved(picture.convert("RGBA"), "PNG"),
        pictures.palette_with_holes(),
        pictures.png16(raw.GREY_ALPHA, 30_000, 60_000),
        pictures.saved(picture, "WEBP"),
        pictures.saved(picture.convert("RGBA"), "WEBP", lossless=True),
        pictures.animated("WEBP"),
        pictures.animated("PNG"),
        pictures.with_icc(pictures.swapped_profile()),
        exif,
    )


@cache
def _sounds() -> tuple[bytes, ...]:
    return (
        sounds.tone_wav(0.6),
        sounds.wav8(),
        sounds.wav24(extensible=True),
        sounds.wav_float(),
        sounds.stereo_wav(0.4, -0.4),
        sounds.mp3()[:6_000],
        sounds.bare_mp3()[:6_000],
        raw.id3(raw.id3_picture(pictures.plain())) + sounds.bare_mp3()[:6_000],
        sounds.encoded("wav", "libmp3lame", 0.7),
        sounds.encoded("wav", "adpcm_ms", 0.7),
    )


class _Content(bytes):
    """Bytes that a failure report does not print."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes from {bytes(self[:32])!r}>"


@st.composite
def _mutated(draw: st.DrawFn, bases: Callable[[], tuple[bytes, ...]]) -> bytes:
    """A valid file with a few places overwritten, cut out, doubled or filled, mostly near its head."""
    data = bytearray(draw(st.sampled_from(bases())))
    for _ in range(draw(st.integers(1, 6))):
        reach = len(data) if draw(st.booleans()) else min(len(data), 200)
        at = draw(st.integers(0, reach))
        piece = draw(st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from((b"\xff" * 4, bytes(4)))))
        kind = draw(st.sampled_from(("overwrite", "insert", "delete", "double", "cut")))
        if kind == "overwrite":
            data[at : at + len(piece)] = piece
        elif kind == "insert":
            data[at:at] = piece
        elif kind == "delete":
            del data[at : at + draw(st.integers(1, 400))]
        elif kind == "double":
            data[at:at] = data[at : at + draw(st.integers(1, 400))]
        else:
            del data[max(at, 1) :]
    return _Content(data)


@_QUICK
@given(_mutated(_images))
def test_no_mutated_image_raises_anything_else(data: bytes) -> None:
    _assert_answered_image(data)


@_QUICK
@given(
    st.sampled_from((b"", b"\xff\xd8\xff", raw.PNG_MAGIC, b"RIFF\xff\0\0\0WEBPVP8 ")),
    st.binary(max_size=3000),
)
def test_no_noise_behind_an_image_magic_raises_anything_else(head: bytes, data: bytes) -> None:
    _assert_answered_image(head + data)


@_QUICK
@given(_mutated(_sounds))
def test_no_mutated_recording_raises_anything_else(data: bytes) -> None:
    _assert_answered_sound(data)


@_QUICK
@given(
    st.sampled_from((b"", b"ID3\3\0\0\0\0\0\x10", b"\xff\xfb\x90\0", b"RIFF\xff\0\0\0WAVEfmt ")),
    st.binary(max_size=3000),
)
def test_no_noise_behind_a_sound_magic_raises_anything_else(head: bytes, data: bytes) -> None:
    _assert_answered_sound(head + data)


def _assert_answered_image(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        outputs = {folder / "portrait.jpg", folder / "thumbnail.jpg"}
        with python_events() as events:
            try:
                prepare_image(
                    io.BytesIO(data),
                    limits=_LIMITS,
                    portrait_out=folder / "portrait.jpg",
                    thumbnail_out=folder / "thumbnail.jpg",
                )
            except MediaProblem:
                outputs = set()
        assert set(folder.iterdir()) == outputs
    _assert_inside(events, name)


def _assert_answered_sound(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, out = folder / "source", folder / "speech.wav"
        source.write_bytes(data)
        expected = {source, out}
        with python_events() as events:
            try:
                prepare_audio(source, wav_out=out)
            except MediaProblem:
                expected = {source}
        assert set(folder.iterdir()) == expected
    _assert_inside(events, name)


def _assert_inside(events: list[tuple[str, str]], folder: str) -> None:
    """Every file opened by name lies in `folder` (numbers are files already open; modules load late)."""
    strange = [
        (event, what)
        for event, what in events
        if not (
            event == "open" and (what.startswith(folder) or what.isdigit() or what.endswith((".py", ".pyc")))
        )
    ]
    assert not strange
