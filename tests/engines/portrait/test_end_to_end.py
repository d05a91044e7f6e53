"""The whole engine on a real portrait and real speech, judged by decoding what it wrote."""

import itertools
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from engines.base import (
    EngineError,
    NoFaceError,
    RenderCancelled,
    RenderSpec,
    UnusableAudioError,
    UnusablePortraitError,
)
from engines.portrait.engine import PortraitEngine
from engines.portrait.rig import PortraitRig
from engines.portrait.video import encode
from engines.portrait.video.label import LabelSettings, build_label
from tests.engines.portrait.conftest import Rendered
from tests.engines.portrait.reading import read_clip, top_level_boxes

SPEECH_S = 3.29
FRAME_S = 0.04


def test_the_video_is_h264_high_with_aac_at_25_frames_a_second(rendered: Rendered) -> None:
    clip = rendered.clip
    assert (clip.video_codec, clip.profile, clip.pixel_format) == ("h264", "High", "yuv420p")
    assert clip.audio_codec == "aac"
    assert clip.fps == 25
    assert clip.luma.shape[1:] == (512, 512)


def test_picture_and_sound_last_as_long_as_the_recording(rendered: Rendered) -> None:
    clip = rendered.clip
    assert abs(len(clip.luma) * FRAME_S - SPEECH_S) <= FRAME_S
    assert abs(clip.audio_s - SPEECH_S) <= FRAME_S
    assert clip.audio_level > 0.01


def test_the_times_of_frames_joined_from_segments_are_even(rendered: Rendered) -> None:
    steps = np.diff(rendered.clip.times_s)
    assert rendered.clip.times_s[0] == 0
    np.testing.assert_allclose(steps, FRAME_S, atol=1e-6)


def test_the_index_stands_before_the_media_data(rendered: Rendered) -> None:
    boxes = top_level_boxes(rendered.spec.output)
    assert boxes.index("moov") < boxes.index("mdat")


def test_the_result_tells_what_the_file_holds(rendered: Rendered) -> None:
    result, clip = rendered.result, rendered.clip
    assert (result.height, result.width) == clip.luma.shape[1:]
    assert result.frames == len(clip.luma)
    assert result.duration_s == pytest.approx(result.frames / 25)


def test_the_mouth_moves_and_the_border_does_not(rendered: Rendered, rig: PortraitRig) -> None:
    luma = rendered.clip.luma.astype(np.float32)
    rows, columns = rig.mouth.interior.rect.luma
    mouth = luma[:, rows, columns].std(axis=0).mean()
    border = np.concatenate(
        [
            luma[:, :6].reshape(len(luma), -1),
            luma[:, -6:].reshape(len(luma), -1),
            luma[:, :, :6].reshape(len(luma), -1),
        ],
        axis=1,
    )
    assert mouth > 3.0
    assert border.std(axis=0).mean() < 0.5


def test_the_mouth_moves_more_in_speech_than_in_silence(rendered: Rendered, rig: PortraitRig) -> None:
    """The first frame, before the speaker begins, is the photo; loud frames are not."""
    rows, columns = rig.mouth.interior.rect.luma
    still = rig.planes.y[rows, columns].astype(np.float32)
    away = np.abs(rendered.clip.luma[:, rows, columns] - still).mean(axis=(1, 2))
    assert away[0] < 3.0  # what the encoder loses
    assert away.max() > 2.5 * away[0]


def test_the_first_frame_and_the_poster_are_the_photo_outside_the_label(
    rendered: Rendered, rig: PortraitRig
) -> None:
    assert rendered.spec.poster is not None
    poster = cv2.imread(str(rendered.spec.poster), cv2.IMREAD_GRAYSCALE)
    photo = cv2.imread(str(rendered.spec.portrait), cv2.IMREAD_GRAYSCALE)
    assert poster is not None
    assert photo is not None
    label = build_label(LabelSettings(), 512, 512)
    assert label is not None
    outside = np.ones((512, 512), bool)
    outside[label.rect.luma] = False
    assert np.abs(poster.astype(int) - photo)[outside].mean() < 2.0
    first = np.abs(rendered.clip.luma[0].astype(int) - rig.planes.y)[outside]
    assert first.mean() < 2.0


def test_the_visible_label_is_in_every_frame(rendered: Rendered, rig: PortraitRig) -> None:
    label = build_label(LabelSettings(), 512, 512)
    assert label is not None
    assert label.rect.height >= 0.05 * 512
    expected = rig.planes.y[label.rect.luma] * label.gain + label.offset
    strokes = label.offset > 100
    assert strokes.sum() > 200
    for frame in rendered.clip.luma[:: max(1, len(rendered.clip.luma) // 8)]:
        shown = frame[label.rect.luma].astype(np.float32)
        assert np.abs(shown - expected).mean() < 6
        assert shown[strokes].mean() > 150


def test_the_file_says_that_it_is_generated(rendered: Rendered) -> None:
    value = json.loads(rendered.clip.metadata["AIGC"])
    assert list(value) == [
        "Label",
        "ContentProducer",
        "ProduceID",
        "ReservedCode1",
        "ContentPropagator",
        "PropagateID",
        "ReservedCode2",
    ]
    assert value["Label"] == "1"
    assert value["ContentProducer"]
    assert value["ProduceID"]


def test_progress_rises_to_one(rendered: Rendered) -> None:
    assert rendered.progress[0] == 0
    assert rendered.progress[-1] == 1
    assert all(before <= after for before, after in itertools.pairwise(rendered.progress))
    assert len(set(rendered.progress)) >= 5


def test_the_prompt_words_understood_are_reported(rendered: Rendered) -> None:
    notes = " ".join(map(str, rendered.result.notes))
    assert "smile" in notes
    assert "nod" in notes


def render(engine: PortraitEngine, spec: RenderSpec) -> bytes:
    engine.render(spec, lambda _: None, lambda: False)
    return spec.output.read_bytes()


def make_spec(rendered: Rendered, output: Path, **changes: object) -> RenderSpec:
    values = {**vars(rendered.spec), "output": output, "poster": None, **changes}
    return RenderSpec(**values)


def test_one_seed_gives_one_video_whatever_the_threads(
    engine: PortraitEngine, rendered: Rendered, tmp_path: Path
) -> None:
    again = render(engine, make_spec(rendered, tmp_path / "again.mp4", threads=1))
    assert again == rendered.spec.output.read_bytes()


def test_another_seed_gives_another_performance(
    engine: PortraitEngine, rendered: Rendered, tmp_path: Path
) -> None:
    other = tmp_path / "other.mp4"
    render(engine, make_spec(rendered, other, seed=6))
    difference = np.abs(read_clip(other).luma.astype(int) - rendered.clip.luma)
    assert difference.mean(axis=(1, 2)).max() > 0.5


def test_the_audio_is_prepared_once_for_a_batch(
    engine: PortraitEngine, rendered: Rendered, cache_dir: Path
) -> None:
    files = sorted(path.name for path in cache_dir.iterdir())
    assert [name.split(".", 1)[1] for name in files] == ["lock", "sound.mp4", "visemes.npz"]


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3])
def test_a_cancelled_render_stops_and_leaves_nothing(
    engine: PortraitEngine,
    rendered: Rendered,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    share: float,
) -> None:
    """In four segments, before each of which it is asked, however fast the machine draws them."""
    monkeypatch.setattr(encode, "SEGMENT_FRAMES", 21)
    seen: list[float] = []
    spec = make_spec(rendered, tmp_path / "never.mp4", poster=tmp_path / "never.jpg", threads=1)
    with pytest.raises(RenderCancelled):
        engine.render(spec, seen.append, lambda: bool(seen) and seen[-1] >= share)
    assert max(seen) < 1
    assert list(tmp_path.iterdir()) == []


def refuse(engine: PortraitEngine, rendered: Rendered, folder: Path, **changes: object) -> EngineError:
    spec = make_spec(rendered, folder / "out.mp4", **changes)
    with pytest.raises(EngineError) as caught:
        engine.render(spec, lambda _: None, lambda: False)
    assert not spec.output.exists()
    assert caught.value.detail.endswith(".")
    return caught.value


def test_a_picture_without_a_face_is_refused(
    engine: PortraitEngine, rendered: Rendered, tmp_path: Path
) -> None:
    path = tmp_path / "field.png"
    noise = np.random.default_rng(1).integers(60, 120, (300, 400, 3), np.uint8)
    cv2.imwrite(str(path), cv2.GaussianBlur(noise, (0, 0), 9))
    assert isinstance(refuse(engine, rendered, tmp_path, portrait=path), NoFaceError)


def test_a_truncated_picture_is_refused_or_rendered_but_never_crashes(
    engine: PortraitEngine, rendered: Rendered, tmp_path: Path
) -> None:
    path = tmp_path / "cut.jpg"
    path.write_bytes(rendered.spec.portrait.read_bytes()[:400])
    assert isinstance(refuse(engine, rendered, tmp_path, portrait=path), UnusablePortraitError)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"#EXTM3U\n/etc/passwd\n", bytes(range(256)) * 40])
def test_a_file_that_is_no_recording_is_refused(
    engine: PortraitEngine, rendered: Rendered, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "speech.wav"
    path.write_bytes(content)
    assert isinstance(refuse(engine, rendered, tmp_path, audio=path), UnusableAudioError)


def test_files_that_are_missing_say_nothing_of_what_was_uploaded(
    engine: PortraitEngine, rendered: Rendered, tmp_path: Path
) -> None:
    """They are the machine's trouble, and may be there for the next attempt."""
    gone = tmp_path / "gone"
    for missing in (
        refuse(engine, rendered, tmp_path, portrait=gone),
        refuse(engine, rendered, tmp_path, audio=gone),
    ):
        assert missing.retryable
        assert str(tmp_path) not in str(missing)


def test_a_video_that_cannot_be_written_is_an_engine_error(
    engine: PortraitEngine, rendered: Rendered, tmp_path: Path
) -> None:
    error = refuse(engine, rendered, tmp_path / "no" / "such" / "folder")
    assert error.retryable
