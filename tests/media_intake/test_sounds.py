"""Intake of speech: results on real recordings, limits and trouble of our own."""

import io
import pickle
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.badfiles import raw, sounds
from videos.media.audio import prepare_audio
from videos.media.audio_facts import AudioLimits, PreparedAudio
from videos.media.loudness import LevelMeter
from videos.media.problems import MediaProblem
from videos.media.sound_view import SoundView, SourceFile


def _prepare(data: bytes, folder: Path, limits: AudioLimits | None = None) -> PreparedAudio:
    (folder / "source").write_bytes(data)
    return prepare_audio(folder / "source", limits=limits or AudioLimits(), wav_out=folder / "speech.wav")


def _samples(path: Path) -> NDArray[np.float64]:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(-1), np.int16).astype(np.float64) / 32_768


def _code(data: bytes, folder: Path, limits: AudioLimits) -> str:
    with pytest.raises(MediaProblem) as raised:
        _prepare(data, folder, limits)
    assert not (folder / "speech.wav").exists()
    return raised.value.code


def test_speech_keeps_its_loudness_and_its_timing(tmp_path: Path) -> None:
    with wave.open(io.BytesIO(sounds.speech_wav())) as file:
        before = np.frombuffer(file.readframes(-1), np.int16).astype(np.float64) / 32_768

    _prepare(sounds.speech_wav(), tmp_path)

    after = _samples(tmp_path / "speech.wav")[::3]
    assert after.size == before.size
    assert np.sqrt(np.mean(after**2)) == pytest.approx(np.sqrt(np.mean(before**2)), rel=0.01)
    assert np.corrcoef(before, after)[0, 1] > 0.99


def test_an_mp3_is_in_time_with_its_wav(tmp_path: Path) -> None:
    for name, data in (("wav", sounds.speech_wav()), ("mp3", sounds.mp3())):
        (tmp_path / name).mkdir()
        _prepare(data, tmp_path / name)
    wav, mp3 = (_samples(tmp_path / name / "speech.wav") for name in ("wav", "mp3"))

    assert abs(wav.size - mp3.size) < 100
    length = min(wav.size, mp3.size)
    correlation = np.fft.irfft(np.fft.rfft(wav[:length]) * np.conj(np.fft.rfft(mp3[:length])))
    lag = int(np.argmax(correlation))
    assert min(lag, length - lag) <= 48, "more than a millisecond apart"


def test_both_channels_are_heard(tmp_path: Path) -> None:
    left, right = sounds.tone(1, level=0.4), np.zeros(16_000)
    for sides in ((left, right), (right, left)):
        data = raw.wav(sounds.pcm16(np.stack(sides, axis=1).reshape(-1)), rate=16_000, channels=2)
        assert _prepare(data, tmp_path).peak_dbfs == pytest.approx(-14.0, abs=0.3)


def test_parts_of_different_rates_follow_each_other(tmp_path: Path) -> None:
    low = sounds.bare_mp3()
    high = sounds.encoded("mp3", "libmp3lame", 1.0)

    found = _prepare(low + high, tmp_path)

    assert found.duration_s == pytest.approx(4.3, abs=0.4)


def test_limits_are_the_callers(tmp_path: Path) -> None:
    data = sounds.tone_wav(1.0)

    assert _code(data, tmp_path, AudioLimits(max_bytes=len(data) - 1)) == "audio_too_large"
    assert _code(data, tmp_path, AudioLimits(min_s=1.001)) == "audio_too_short"
    assert _code(data, tmp_path, AudioLimits(max_s=0.899, slack_s=0.1)) == "audio_too_long"
    assert _code(data, tmp_path, AudioLimits(min_rate_hz=16_001)) == "audio_sample_rate"
    assert _code(data, tmp_path, AudioLimits(silence_dbfs=0.0)) == "audio_silent"
    exact = AudioLimits(max_bytes=len(data), min_s=1.0, max_s=1.0, slack_s=0.0, min_rate_hz=16_000)
    assert _prepare(data, tmp_path, exact).samples == 48_000


def test_missing_files_are_no_problem_of_the_recording(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        prepare_audio(tmp_path / "gone.wav", wav_out=tmp_path / "speech.wav")
    (tmp_path / "source").write_bytes(sounds.tone_wav(1))
    with pytest.raises(FileNotFoundError):
        prepare_audio(tmp_path / "source", wav_out=tmp_path / "gone" / "speech.wav")


@pytest.mark.parametrize("head", [b"", b"HEAD"])
def test_the_view_is_read_like_a_file_of_its_own(head: bytes) -> None:
    content = bytes(range(100))
    shown = io.BytesIO(head + content[10:60])
    view = SourceFile(io.BytesIO(content), SoundView(head, 10, 60))

    for offset, whence in ((0, 0), (2, 0), (-7, 2), (3, 1), (0, 2), (40, 0), (-9, 1), (500, 0), (1, 0)):
        assert view.seek(offset, whence) == shown.seek(offset, whence) == view.tell()
        for size in (1, 5, 200):
            assert view.read(size) == shown.read(size)
            assert view.tell() == shown.tell()


def test_the_meter_does_not_care_how_samples_arrive() -> None:
    samples = (sounds.tone(1.037, 48_000, 0.25) * 32_768).astype(np.int16)
    whole, pieces = LevelMeter(4_800), LevelMeter(4_800)

    whole.feed(samples)
    for start in range(0, samples.size, 777):
        pieces.feed(samples[start : start + 777])

    assert whole.peak_dbfs == pieces.peak_dbfs == -12.0
    assert whole.rms_dbfs == pieces.rms_dbfs == -15.1
    assert whole.loudest_dbfs == pieces.loudest_dbfs == -15.1


def test_a_problem_survives_the_way_between_processes() -> None:
    problem = MediaProblem("audio_too_long", {"limit_s": 300.0})

    copy = pickle.loads(pickle.dumps(problem))  # noqa: S301 - our own bytes

    assert (copy.code, copy.params, copy.detail) == (problem.code, {"limit_s": 300}, problem.detail)
    assert "300 s" in problem.detail
