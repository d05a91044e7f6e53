"""What engines made is taken for a video of the recording only if it is one, and comes out as ours."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engines.base import EngineError, RenderCancelled, RenderResult, RenderSpec, UnusableResultError
from engines.registry import FINISHING, engine_paths, get_engine
from engines.results import make_ours
from tests.engines.portrait.reading import Clip, read_clip, top_level_boxes
from tests.standins.films import write_film, write_speech

NO_LABEL = {"label_enabled": "no"}


@pytest.fixture
def spec(tmp_path: Path) -> RenderSpec:
    portrait = tmp_path / "portrait.jpg"
    Image.new("RGB", (96, 128), "grey").save(portrait)
    return RenderSpec(
        portrait=portrait,
        audio=write_speech(tmp_path / "speech.wav", 2.0),
        output=tmp_path / "video.mp4",
        poster=tmp_path / "poster.jpg",
    )


def made(generated: Path, spec: RenderSpec, options: dict[str, str] | None = None) -> RenderResult:
    shown = RenderSpec(
        portrait=spec.portrait,
        audio=spec.audio,
        output=spec.output,
        poster=spec.poster,
        options=options or {},
    )
    return make_ours(generated, shown, lambda share: None, lambda: False)


def in_order(path: Path) -> Clip:
    """The finished video, read back, with everything that holds for each."""
    clip = read_clip(path)
    assert (clip.video_codec, clip.pixel_format, clip.audio_codec) == ("h264", "yuv420p", "aac")
    boxes = top_level_boxes(path)
    assert boxes.index("moov") < boxes.index("mdat")
    assert json.loads(clip.metadata["AIGC"])["Label"] == "1"
    return clip


@pytest.mark.parametrize(
    ("name", "codec", "sound"),
    [("a.mp4", "libx264", "aac"), ("a.avi", "mjpeg", "pcm_s16le"), ("a.mkv", "mpeg4", "flac")],
)
def test_whatever_was_made_comes_out_as_h264_and_aac_with_our_marks(
    spec: RenderSpec, tmp_path: Path, name: str, codec: str, sound: str
) -> None:
    result = made(write_film(tmp_path / name, 2.0, codec=codec, sound=sound), spec)
    clip = in_order(spec.output)
    assert clip.audio_level > 0.01
    assert abs(clip.audio_s - 2.0) < 0.1
    assert (result.width, result.height, result.fps, result.frames) == (96, 128, 16, 32)
    assert abs(result.duration_s - 2.0) < 0.05
    corner = clip.luma[:, -24:-4, -60:].astype(int)
    assert (np.ptp(corner, axis=(1, 2)) > 40).all()  # the label is in every picture
    assert np.ptp(clip.luma[0, :60, :40].astype(int)) < 12
    with Image.open(spec.poster or "") as poster:
        assert poster.size == (96, 128)


def test_a_video_that_is_in_order_is_copied_when_nothing_has_to_be_drawn(
    spec: RenderSpec, tmp_path: Path
) -> None:
    generated = write_film(tmp_path / "a.mp4", 2.0)
    made(generated, spec, NO_LABEL)
    before, after = read_clip(generated), in_order(spec.output)
    assert (before.luma == after.luma).all()
    assert before.times_s == pytest.approx(after.times_s, abs=0.001)


@pytest.mark.parametrize("options", [NO_LABEL, {}])
@pytest.mark.parametrize(
    ("code", "film"),
    [
        ("result_length", {"seconds": 1.4, "sound_s": 2.0}),
        ("result_length", {"seconds": 2.6, "sound_s": 2.0}),
        ("result_length", {"seconds": 2.0, "sound_s": 1.4}),
        ("result_length", {"seconds": 4.0}),
        ("result_silent", {"seconds": 2.0, "level": 0.0}),
        ("result_without_sound", {"seconds": 2.0, "sound": None}),
    ],
)
def test_what_is_no_video_of_the_recording_is_refused(
    spec: RenderSpec, tmp_path: Path, code: str, film: dict[str, float], options: dict[str, str]
) -> None:
    with pytest.raises(UnusableResultError) as failure:
        made(write_film(tmp_path / "a.mp4", **film), spec, options)  # type: ignore[arg-type]
    assert failure.value.code == code
    assert not spec.output.exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_a_silent_recording_may_be_silent(spec: RenderSpec, tmp_path: Path) -> None:
    write_speech(spec.audio, 2.0, level=0.0)
    made(write_film(tmp_path / "a.mp4", 2.0, level=0.0), spec)
    in_order(spec.output)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_video_is_refused(spec: RenderSpec, tmp_path: Path, share: float) -> None:
    whole = write_film(tmp_path / "a.mp4", 2.0).read_bytes()
    broken = tmp_path / "b.mp4"
    broken.write_bytes(whole[: round(len(whole) * share)])
    with pytest.raises(UnusableResultError):
        made(broken, spec)


def test_a_file_that_names_others_opens_none_of_them(spec: RenderSpec, tmp_path: Path) -> None:
    write_film(tmp_path / "a.mp4", 2.0)
    listing = tmp_path / "list.mp4"
    listing.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.mp4\n#EXT-X-ENDLIST\n")
    with pytest.raises(UnusableResultError):
        made(listing, spec)


def test_what_a_remote_engine_brought_is_finished_by_an_engine_of_the_render_process(
    spec: RenderSpec, tmp_path: Path
) -> None:
    engine = get_engine(FINISHING)
    for options in ({}, {"generated": str(tmp_path / "nothing")}):
        with pytest.raises(EngineError) as missing:
            engine.render(replace(spec, options=options), lambda share: None, lambda: False)
        assert missing.value.code == "result_missing"
    generated = {"generated": str(write_film(tmp_path / "a.mp4", 2.0))}
    engine.render(replace(spec, options=generated), lambda share: None, lambda: False)
    in_order(spec.output)
    assert FINISHING not in engine_paths()  # nobody can choose it


def test_making_it_ours_stops_when_asked(spec: RenderSpec, tmp_path: Path) -> None:
    with pytest.raises(RenderCancelled):
        make_ours(write_film(tmp_path / "a.mp4", 2.0), spec, lambda share: None, lambda: True)
    assert not spec.output.exists()
