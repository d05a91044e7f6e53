"""Whatever a file holds, the engine answers with a result or with an error of its own."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.base import EngineError
from engines.portrait.face.faces import FaceFinder
from engines.portrait.performance.dials import Performance
from engines.portrait.performance.motion import choreograph
from engines.portrait.rig import PortraitRig, build_rig
from engines.portrait.speech.track import SHAPE_NAMES, VisemeTrack
from engines.portrait.video.audio import read_speech, write_sound
from engines.portrait.video.frames import FrameRenderer
from workshop.sheet import silent_track

fuzzed = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
Damage = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=30)


def damaged(data: bytes, places: list[tuple[float, int]], keep: float) -> bytes:
    """`data` with single bytes replaced, then cut to the share `keep`."""
    changed = bytearray(data)
    for place, value in places:
        changed[int(place * (len(changed) - 1))] = value
    return bytes(changed[: max(1, int(keep * len(changed)))])


@fuzzed
@given(Damage, st.floats(0.01, 1))
def test_a_damaged_photo(
    finder: FaceFinder, portrait: Path, tmp_path: Path, places: list[tuple[float, int]], keep: float
) -> None:
    path = tmp_path / "damaged.jpg"
    path.write_bytes(damaged(portrait.read_bytes(), places, keep))
    try:
        rig = build_rig(path, finder)
    except EngineError:
        return  # any other exception fails the test
    assert rig.planes.width % 2 == 0


@fuzzed
@given(Damage, st.floats(0.001, 1))
def test_a_damaged_recording(
    speech: Path, tmp_path: Path, places: list[tuple[float, int]], keep: float
) -> None:
    path = tmp_path / "damaged.wav"
    path.write_bytes(damaged(speech.read_bytes(), [(place * 0.002, value) for place, value in places], keep))
    try:
        samples = read_speech(path, lambda: False)
        write_sound(path, tmp_path / "sound.mp4", lambda: False)
    except EngineError:
        return
    assert np.isfinite(samples).all()


@pytest.mark.parametrize(
    ("width", "height"), [(64, 64), (65, 2001), (2000, 66), (129, 131)], ids=lambda side: str(side)
)
@pytest.mark.parametrize("crop", ["whole", "face"])
def test_photos_of_unusual_shape(
    finder: FaceFinder, portrait: Path, tmp_path: Path, width: int, height: int, crop: str
) -> None:
    photo = cv2.imread(str(portrait))
    assert photo is not None
    if crop == "face":
        photo = photo[60:200, 160:300]
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), cv2.resize(photo, (width, height)))
    try:
        rig = build_rig(path, finder)
    except EngineError:
        return
    motion = choreograph(silent_track(30), Performance(smile=1, brow=1, nods=1), seed=1)
    FrameRenderer(rig, None).draw(motion, 15)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_any_track_can_be_played(seed: int, frames: int) -> None:
    random = np.random.default_rng(seed)
    shapes = random.random((frames, len(SHAPE_NAMES)), np.float32)
    shapes[:, 1] = 2 * shapes[:, 1] - 1
    curves = random.random((2, frames), np.float32)
    track = VisemeTrack(25, shapes, curves[0], curves[1], random.random(frames) < 0.5, "und", frames / 25)
    motion = choreograph(track, Performance(nods=1, shakes=1, eyes=-1, smile=-1), seed)
    assert len(motion) == frames
    for part in (motion.mouth, motion.lid, motion.gaze, motion.head):
        assert np.isfinite(part).all()


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 2**32 - 1))
def test_any_pose_can_be_drawn(rig: PortraitRig, seed: int) -> None:
    random = np.random.default_rng(seed)
    ones = np.ones(40, np.float32)
    track = VisemeTrack(
        25, random.random((40, len(SHAPE_NAMES)), np.float32), ones, ones, ones < 0, "und", 1.6
    )
    motion = choreograph(track, Performance(smile=1, eyes=1, shakes=1.2, head=2.4), seed)
    assert FrameRenderer(rig, None).draw(motion, 20).shape == (768, 512)
