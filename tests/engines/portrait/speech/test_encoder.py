"""The encoder that the recogniser listens with, run with NumPy."""

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.special import erf

from engines.portrait.speech import activity, encoder, features
from tests.engines.portrait.speech.signals import SENTENCE, Samples, recording
from workshop.speech_training import whisper

Doubles = NDArray[np.float64]


def states_of(pcm: Samples) -> NDArray[np.float32]:
    return encoder.encode(pcm, activity.detect(features.extract(pcm)).speech)


def agreement(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_there_is_a_state_for_every_two_frames() -> None:
    pcm = np.tile(recording(SENTENCE), 8)
    for samples in (320, 321, 479, 480, 16_000, 99_999, 200_000):
        assert len(states_of(pcm[:samples])) == -(-(samples // 160 + 1) // 2)


@settings(max_examples=30, deadline=None)
@given(
    samples=hnp.arrays(np.float32, st.integers(0, 4000), elements=st.floats(-1, 1, width=32)),
    spoken=st.floats(0, 1),
)
def test_any_finite_sound_is_encoded(samples: Samples, spoken: float) -> None:
    speech = np.arange(len(samples) // 160 + 1) <= spoken * len(samples) / 160

    states = encoder.encode(samples, speech)

    assert len(states) == -(-len(speech) // 2)
    assert np.isfinite(states).all()


def test_volume_makes_no_difference() -> None:
    pcm = recording(SENTENCE)

    assert agreement(states_of(pcm), states_of(pcm * 0.05)) > 0.999


def test_frames_are_centred_on_their_samples() -> None:
    click = np.zeros(16_000, np.float32)
    click[8000] = 1

    mel = encoder.log_mel(click, 101)

    assert mel.mean(axis=1).argmax() == 50
    assert mel[:48].max() == mel[53:].max() == pytest.approx(-10)


def random_model(layers: int) -> dict[str, NDArray[np.generic]]:
    """Arrays of a small encoder by the names that CTranslate2 gives them: 16 channels in eight heads."""
    rng = np.random.default_rng(3)
    shapes = {
        "conv1/weight": (16, encoder.BANDS, 3),
        "conv1/bias": (16,),
        "conv2/weight": (16, 16, 3),
        "conv2/bias": (16,),
    }
    for layer in range(layers):
        part = f"layer_{layer}"
        shapes |= {
            f"{part}/self_attention/layer_norm/gamma": (16,),
            f"{part}/self_attention/layer_norm/beta": (16,),
            f"{part}/self_attention/linear_0/weight": (48, 16),
            f"{part}/self_attention/linear_0/bias": (48,),
            f"{part}/self_attention/linear_1/weight": (16, 16),
            f"{part}/self_attention/linear_1/bias": (16,),
            f"{part}/ffn/layer_norm/gamma": (16,),
            f"{part}/ffn/layer_norm/beta": (16,),
            f"{part}/ffn/linear_0/weight": (32, 16),
            f"{part}/ffn/linear_0/bias": (32,),
            f"{part}/ffn/linear_1/weight": (16, 32),
            f"{part}/ffn/linear_1/bias": (16,),
        }
    return {f"encoder/{name}": rng.normal(0, 0.3, shape).astype(np.float16) for name, shape in shapes.items()}


def model_file(arrays: dict[str, NDArray[np.generic]]) -> BytesIO:
    """The arrays as a file of CTranslate2."""

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    content = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(arrays))
    for name, array in arrays.items():
        shape = struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        content += text(name) + shape + struct.pack("<BI", 4, array.nbytes) + array.tobytes()
    return BytesIO(content)


def plain_encoding(mel: Doubles, arrays: dict[str, NDArray[np.generic]]) -> Doubles:
    """One layer as the paper has it, a step at a time and in double precision."""
    known = {name.removeprefix("encoder/"): array.astype(np.float64) for name, array in arrays.items()}

    def gelu(values: Doubles) -> Doubles:
        result: Doubles = values * 0.5 * (1 + erf(values / np.sqrt(2)))
        return result

    def linear(values: Doubles, name: str) -> Doubles:
        result: Doubles = values @ known[f"{name}/weight"].T + known[f"{name}/bias"]
        return result

    def norm(values: Doubles, name: str) -> Doubles:
        centred = values - values.mean(axis=1, keepdims=True)
        spread = np.sqrt(centred.var(axis=1, keepdims=True) + 1e-5)
        result: Doubles = centred / spread * known[f"{name}/gamma"] + known[f"{name}/beta"]
        return result

    def convolved(values: Doubles, name: str, stride: int) -> Doubles:
        padded = np.pad(values, ((1, 1), (0, 0)))
        rows = [
            sum(known[f"{name}/weight"][:, :, tap] @ padded[at + tap] for tap in range(3))
            for at in range(0, len(values), stride)
        ]
        return gelu(np.array(rows) + known[f"{name}/bias"])

    values = convolved(convolved(mel, "conv1", 1), "conv2", 2)
    count, channels = values.shape
    for at in range(count):
        for rate in range(channels // 2):
            angle = at * 10_000 ** (-rate / (channels // 2 - 1))
            values[at, rate] += np.sin(angle)
            values[at, channels // 2 + rate] += np.cos(angle)
    part = "layer_0/self_attention"
    asked = (
        norm(values, f"{part}/layer_norm") @ known[f"{part}/linear_0/weight"].T
        + known[f"{part}/linear_0/bias"]
    )
    heads = []
    for head in range(8):
        columns = slice(2 * head, 2 * head + 2)
        queries, keys, answers = (asked[:, 16 * kind : 16 * kind + 16][:, columns] for kind in range(3))
        odds = np.exp(queries @ keys.T / np.sqrt(2))
        heads.append(odds / odds.sum(axis=1, keepdims=True) @ answers)
    values = values + linear(np.concatenate(heads, axis=1), f"{part}/linear_1")
    part = "layer_0/ffn"
    hidden = gelu(linear(norm(values, f"{part}/layer_norm"), f"{part}/linear_0"))
    return values + linear(hidden, f"{part}/linear_1")


def test_a_packed_model_answers_as_the_published_method_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = random_model(layers=1)
    np.savez(tmp_path / "encoder.npz", **whisper.pack(whisper.read(model_file(arrays)), 1))  # type: ignore[arg-type]
    monkeypatch.setattr(encoder, "WEIGHTS", tmp_path / "encoder.npz")
    pcm = recording(SENTENCE)[:16_000]
    speech = activity.detect(features.extract(pcm)).speech

    states = encoder.encode(pcm, speech)

    expected = plain_encoding(encoder.inputs(pcm, speech).astype(np.float64), arrays)
    assert states.shape == expected.shape
    assert np.abs(states - expected).mean() < 0.02 * np.abs(expected).mean()
