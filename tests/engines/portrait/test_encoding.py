"""Segments, joining and the preparation of recordings."""

import threading
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.base import RenderCancelled, UnusableAudioError
from engines.portrait.speech import audio_cache
from engines.portrait.speech.audio_cache import AudioPreparation, PreparedAudio
from engines.portrait.video.audio import SPEECH_RATE, Stopped, read_speech, write_sound
from engines.portrait.video.encode import SEGMENT_FRAMES, Joiner, SegmentEncoder, VideoFormat, plan_segments
from tests.engines.portrait.reading import read_clip


def never() -> bool:
    return False


def write_tone(
    path: Path, seconds: float, rate: int = 44_100, channels: int = 1, format_: str = "wav"
) -> Path:
    """A 440 Hz tone."""
    time = np.arange(int(seconds * rate)) / rate
    wave = (8000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)
    layout = "mono" if channels == 1 else "stereo"
    with av.open(str(path), "w", format=format_) as writer:
        stream = (
            writer.add_stream("libmp3lame", rate=rate, layout=layout)
            if format_ == "mp3"
            else writer.add_stream("pcm_s16le", rate=rate, layout=layout)
        )
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, channels)[None], format="s16", layout=layout)
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            writer.mux(packet)
    return path


@given(st.integers(1, 8000))
def test_segments_cover_every_frame_once(frames: int) -> None:
    segments = plan_segments(frames)
    assert [index for segment in segments for index in segment] == list(range(frames))
    assert max(map(len, segments)) <= SEGMENT_FRAMES
    assert frames < 48 or len(segments) % 2 == 0
    assert max(map(len, segments)) - min(map(len, segments)) <= 1


def test_joined_segments_are_one_stream(tmp_path: Path) -> None:
    """Each frame is one shade of grey, so that a lost, doubled or misplaced one shows."""
    sound = tmp_path / "sound.mp4"
    write_sound(write_tone(tmp_path / "tone.wav", 4.0), sound, never)
    shades = np.arange(100) * 2 + 20
    target = tmp_path / "joined.mp4"
    with Joiner(target, VideoFormat(64, 48), sound, {"AIGC": "yes"}) as joiner:
        for segment in plan_segments(100):
            encoder = SegmentEncoder(64, 48, segment.start)
            packets = []
            for index in segment:
                picture = np.full((72, 64), 128, np.uint8)
                picture[:48] = shades[index]
                packets += encoder.add(picture)
            joiner.write(packets + encoder.finish())
    clip = read_clip(target)
    np.testing.assert_allclose(clip.luma.mean(axis=(1, 2)), shades, atol=2.5)
    np.testing.assert_allclose(clip.times_s, np.arange(100) / 25, atol=1e-6)
    assert clip.metadata["AIGC"] == "yes"
    assert abs(clip.audio_s - 4.0) < 0.04


def test_a_join_that_fails_leaves_no_file(tmp_path: Path) -> None:
    sound = tmp_path / "sound.mp4"
    write_sound(write_tone(tmp_path / "tone.wav", 1.0), sound, never)
    target = tmp_path / "out" / "video.mp4"
    target.parent.mkdir()
    with pytest.raises(RuntimeError), Joiner(target, VideoFormat(64, 48), sound, {}):
        raise RuntimeError
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("rate", "channels", "format_"), [(16_000, 1, "wav"), (44_100, 2, "wav"), (44_100, 1, "mp3")]
)
def test_any_recording_becomes_mono_speech_samples(
    tmp_path: Path, rate: int, channels: int, format_: str
) -> None:
    path = write_tone(tmp_path / f"tone.{format_}", 2.0, rate, channels, format_)
    samples = read_speech(path, never)
    assert samples.dtype == np.float32
    assert len(samples) / SPEECH_RATE == pytest.approx(2.0, abs=0.08)
    spectrum = np.abs(np.fft.rfft(samples[4000:20_000]))
    assert spectrum.argmax() == pytest.approx(440, abs=2)


def test_a_damaged_recording_gives_sound_and_samples_of_one_length(tmp_path: Path) -> None:
    data = bytearray(write_tone(tmp_path / "tone.mp3", 5.0, format_="mp3").read_bytes())
    data[len(data) // 3 : len(data) // 3 + 3000] = b"\x55" * 3000
    path = tmp_path / "damaged.mp3"
    path.write_bytes(bytes(data))
    sound = tmp_path / "sound.mp4"
    samples = read_speech(path, never)
    write_sound(path, sound, never)
    with av.open(str(sound)) as reader:
        heard = sum(frame.samples for frame in reader.decode(audio=0)) / 48_000
    assert heard == pytest.approx(len(samples) / SPEECH_RATE, abs=0.05)


@pytest.mark.parametrize("seconds", [0.05, 310.0])
def test_too_short_and_too_long_recordings_are_refused(tmp_path: Path, seconds: float) -> None:
    path = write_tone(tmp_path / "tone.wav", seconds, rate=8000)
    with pytest.raises(UnusableAudioError, match=" s"):
        read_speech(path, never)


def test_a_playlist_posing_as_a_recording_opens_nothing(tmp_path: Path) -> None:
    secret = write_tone(tmp_path / "secret.wav", 1.0)
    path = tmp_path / "list.mp3"
    path.write_text(f"ffconcat version 1.0\nfile {secret}\n")
    with pytest.raises(UnusableAudioError):
        read_speech(path, never)
    with pytest.raises(UnusableAudioError):
        write_sound(path, tmp_path / "sound.mp4", never)


def test_decoding_stops_when_asked(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "tone.wav", 5.0)
    with pytest.raises(RenderCancelled):
        read_speech(path, lambda: True)
    with pytest.raises(RenderCancelled):
        write_sound(path, tmp_path / "sound.mp4", lambda: True)


def prepare(source: Path, cache: Path | None) -> PreparedAudio:
    with AudioPreparation(source, cache) as preparation:
        return preparation.result(lambda _: None, never)


def test_one_recording_is_computed_once_by_many_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []

    def counted(source: Path, stopped: Stopped) -> np.ndarray:
        calls.append(source)
        return read_speech(source, stopped)

    monkeypatch.setattr(audio_cache, "read_speech", counted)
    path, cache = write_tone(tmp_path / "tone.wav", 2.0), tmp_path / "cache"
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        prepare(path, cache)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert not list(cache.glob("*.part"))


def test_an_unreadable_cache_entry_is_computed_again(tmp_path: Path) -> None:
    path, cache = write_tone(tmp_path / "tone.wav", 1.0), tmp_path / "cache"
    before = prepare(path, cache)
    next(cache.glob("*.npz")).write_bytes(b"not an archive")
    after = prepare(path, cache)
    np.testing.assert_array_equal(before.track.shapes, after.track.shapes)


def test_a_track_of_other_weights_is_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = write_tone(tmp_path / "tone.wav", 1.0), tmp_path / "cache"
    before = prepare(path, cache)
    other = tmp_path / "other.npz"
    other.write_bytes(b"other weights")
    audio_cache._analysis_version.cache_clear()
    monkeypatch.setattr(audio_cache, "WEIGHTS", (other,))
    try:
        after = prepare(path, cache)
    finally:
        audio_cache._analysis_version.cache_clear()
    assert after.key != before.key
    assert len(list(cache.glob("*.npz"))) == 2


def test_without_a_cache_nothing_stays_behind(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "tone.wav", 1.0)
    with AudioPreparation(path, None) as preparation:
        sound = preparation.result(lambda _: None, never).sound
        assert sound.exists()
    assert not sound.parent.exists()


@pytest.mark.parametrize("size", [(64, 64), (64, 66), (66, 62)])
def test_colours_stay_where_they_are_at_any_even_size(size: tuple[int, int]) -> None:
    """Every plane a slope of its own: a plane that begins a row too early or late would show."""
    width, height = size
    luma = np.repeat(np.linspace(40, 200, height)[:, None], width, axis=1)
    red = np.repeat(np.linspace(90, 170, width // 2)[None], height // 2, axis=0)
    planes = [luma, np.repeat(np.linspace(170, 90, height // 2)[:, None], width // 2, axis=1), red]
    picture = np.concatenate([plane.reshape(-1) for plane in planes]).round().astype(np.uint8)
    encoder = SegmentEncoder(width, height, 0)
    packets = [*encoder.add(picture.reshape(height * 3 // 2, width)), *encoder.finish()]
    decoder = av.CodecContext.create("h264", "r")
    pieces = [*(av.Packet(packet.data) for packet in packets), None]
    frames = [frame for piece in pieces for frame in decoder.decode(piece)]
    shown = frames[0].to_ndarray(format="yuv420p").reshape(-1)
    assert (frames[0].width, frames[0].height) == size
    assert np.abs(shown.astype(int) - picture).max() < 16
