"""Pack the first layers of Whisper's encoder for `encoder`.

    python -m workshop.speech_training.whisper MODEL.bin --layers 3 --out encoder.npz

Needs the file of the model "base" in the form of CTranslate2, as the package `faster-whisper` uses it.
Matrices become whole numbers of 8 bits with a scale for each of their columns, the rest halves.
"""

import argparse
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.generic]]

_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)
_LAYER = {
    "attention.norm.gain": "self_attention/layer_norm/gamma",
    "attention.norm.bias": "self_attention/layer_norm/beta",
    "attention.inner.weight": "self_attention/linear_0/weight",
    "attention.inner.bias": "self_attention/linear_0/bias",
    "attention.outer.weight": "self_attention/linear_1/weight",
    "attention.outer.bias": "self_attention/linear_1/bias",
    "forward.norm.gain": "ffn/layer_norm/gamma",
    "forward.norm.bias": "ffn/layer_norm/beta",
    "forward.inner.weight": "ffn/linear_0/weight",
    "forward.inner.bias": "ffn/linear_0/bias",
    "forward.outer.weight": "ffn/linear_1/weight",
    "forward.outer.bias": "ffn/linear_1/bias",
}


def read(file: BinaryIO) -> Arrays:
    """Every array of a CTranslate2 model by its name."""

    def number(form: str) -> int:
        (value,) = struct.unpack(f"<{form}", file.read(struct.calcsize(form)))
        return int(value)

    def text() -> str:
        return file.read(number("H")).rstrip(b"\0").decode()

    number("I"), text(), number("I")
    arrays: Arrays = {}
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        kind = _TYPES[number("B")]
        arrays[name] = np.frombuffer(file.read(number("I")), kind).reshape(shape)
    return arrays


def pack(arrays: Arrays, layers: int) -> Arrays:
    """The arrays of `encoder.npz`; matrices are (inputs, outputs) there."""
    packed: Arrays = {}
    for name in ("conv1", "conv2"):
        # (outputs, inputs, frames) becomes (frames * inputs, outputs).
        kernel = arrays[f"encoder/{name}/weight"].transpose(2, 1, 0)
        _put(packed, f"stem/{name}.weight", kernel.reshape(-1, kernel.shape[2]))
        _put(packed, f"stem/{name}.bias", arrays[f"encoder/{name}/bias"])
    for layer in range(layers):
        for name, known in _LAYER.items():
            _put(packed, f"layer{layer}/{name}", arrays[f"encoder/layer_{layer}/{known}"].T)
    return packed


def _put(packed: Arrays, name: str, array: NDArray[np.generic]) -> None:
    if array.ndim < 2:
        packed[name] = array.astype(np.float16)
        return
    values = array.astype(np.float32)
    scale = np.abs(values).max(axis=0) / 127
    packed[name] = np.round(values / scale).astype(np.int8)
    packed[f"{name}.scale"] = scale.astype(np.float32)


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description="Pack the first layers of Whisper's encoder.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with options.model.open("rb") as file:
        packed = pack(read(file), options.layers)
    np.savez(options.out, **packed)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
