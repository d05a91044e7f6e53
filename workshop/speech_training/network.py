"""The recogniser's network in PyTorch, and its weights in the form that `recogniser` reads."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.portrait.speech.recogniser import load_network
from engines.portrait.speech.units import UNITS

FIRST = 5
TAPS = 7


class Shape(NamedTuple):
    """How large a network is."""

    inputs: int
    channels: int
    dilations: tuple[int, ...]
    """Of the blocks, in order."""

    @property
    def reach(self) -> int:
        """States the network uses up on either side."""
        return FIRST // 2 + TAPS // 2 * sum(self.dilations)


SHAPE = Shape(512, 192, (1, 1, 2))
"""That of the recogniser in use."""


class _Block(nn.Module):  # type: ignore[misc]
    """Depthwise filter over time and two mixings of the channels, added to what came in."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.reach = dilation * (TAPS // 2)
        self.filter = nn.Conv1d(channels, channels, TAPS, dilation=dilation, groups=channels, bias=False)
        self.inner = nn.Conv1d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm1d(channels)
        self.dropout = nn.Dropout(0.1)
        self.outer = nn.Conv1d(channels, channels, 1)

    def forward(self, values: Tensor) -> Tensor:
        hidden = torch.relu(self.norm(self.inner(self.filter(values))))
        result: Tensor = values[:, :, self.reach : values.shape[2] - self.reach]
        return result + self.outer(self.dropout(hidden))


class TrainedNetwork(nn.Module):  # type: ignore[misc]
    """Convolutions over time without padding: (batch, inputs, n) to (batch, units + 1, 2 n - 4 reach)."""

    def __init__(self, shape: Shape = SHAPE) -> None:
        super().__init__()
        self.shape = shape
        self.standard = nn.BatchNorm1d(shape.inputs, affine=False)
        self.hidden_inputs = nn.Dropout(0.1)
        self.first = nn.Conv1d(shape.inputs, shape.channels, FIRST, bias=False)
        self.norm = nn.BatchNorm1d(shape.channels)
        self.blocks = nn.Sequential(*(_Block(shape.channels, dilation) for dilation in shape.dilations))
        self.dropout = nn.Dropout(0.1)
        self.last = nn.Conv1d(shape.channels, 2 * (len(UNITS) + 1), 1)

    def forward(self, states: Tensor) -> Tensor:
        heard = self.hidden_inputs(self.standard(states))
        values = self.blocks(torch.relu(self.norm(self.first(heard))))
        scores: Tensor = self.last(self.dropout(torch.relu(values)))
        batch, _, count = scores.shape
        # Two answers a state, for the two analysis frames that it belongs to.
        return scores.view(batch, 2, -1, count).permute(0, 2, 3, 1).reshape(batch, -1, 2 * count)


def save(network: TrainedNetwork, path: Path) -> None:
    """Write the weights in half precision, the normalisations folded into the matrices."""
    arrays: dict[str, NDArray[np.float32]] = {}
    mean, variance = _array(network.standard.running_mean), _array(network.standard.running_var)
    spread = np.sqrt(variance + network.standard.eps)
    # (channels, inputs, states) becomes (states, inputs, channels), the order in which `recogniser` reads.
    kernel = _array(network.first.weight).transpose(2, 1, 0) / spread[:, None]
    matrix, arrays["first_bias"] = _fold(kernel.reshape(-1, kernel.shape[2]), network.norm)
    arrays["first_bias"] -= np.tile(mean, FIRST) @ matrix
    arrays["first_matrix"] = matrix
    for index, block in enumerate(network.blocks):
        if not isinstance(block, _Block):
            raise TypeError("not a block of the recogniser")
        arrays[f"taps{index}"] = _array(block.filter.weight)[:, 0].T
        inner = _array(block.inner.weight)[:, :, 0].T
        arrays[f"inner{index}_matrix"], arrays[f"inner{index}_bias"] = _fold(inner, block.norm)
        arrays[f"outer{index}_matrix"] = _array(block.outer.weight)[:, :, 0].T
        arrays[f"outer{index}_bias"] = _array(block.outer.bias)
    arrays["last_matrix"] = _array(network.last.weight)[:, :, 0].T
    arrays["last_bias"] = _array(network.last.bias)
    halves = {name: values.astype(np.float16) for name, values in arrays.items()}
    np.savez_compressed(path, dilations=np.array(network.shape.dilations, np.int8), **halves)  # type: ignore[arg-type]


def resume(path: Path) -> TrainedNetwork:
    """The network of saved weights, to train on.

    Its normalisations are part of the matrices and stay as they are: switch them to `eval`.
    """
    saved = load_network(path)
    dilations = tuple(block.dilation for block in saved.blocks)
    shape = Shape(len(saved.first[0]) // FIRST, len(saved.last[0]), dilations)
    network = TrainedNetwork(shape)
    with torch.no_grad():
        network.standard.running_var.fill_(1 - network.standard.eps)
        matrix = saved.first[0].reshape(FIRST, shape.inputs, shape.channels).transpose(2, 1, 0)
        network.first.weight.copy_(torch.from_numpy(matrix.copy()))
        _unfold(network.norm, saved.first[1])
        for block, known in zip(network.blocks, saved.blocks, strict=True):
            block.filter.weight.copy_(torch.from_numpy(known.taps.T[:, None].copy()))
            block.inner.weight.copy_(torch.from_numpy(known.inner[0].T[:, :, None].copy()))
            _unfold(block.norm, known.inner[1])
            block.outer.weight.copy_(torch.from_numpy(known.outer[0].T[:, :, None].copy()))
            block.outer.bias.copy_(torch.from_numpy(known.outer[1]))
        network.last.weight.copy_(torch.from_numpy(saved.last[0].T[:, :, None].copy()))
        network.last.bias.copy_(torch.from_numpy(saved.last[1]))
    return network


def _unfold(norm: nn.BatchNorm1d, bias: NDArray[np.float32]) -> None:
    """A normalisation that does nothing but add a bias."""
    norm.bias.copy_(torch.from_numpy(bias))
    norm.running_var.fill_(1 - norm.eps)


def _fold(
    matrix: NDArray[np.float32], norm: nn.BatchNorm1d
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A matrix (inputs, outputs) and the normalisation after it as one matrix and a bias."""
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("the normalisation has no statistics")
    scale = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
    return matrix * scale, _array(norm.bias) - _array(norm.running_mean) * scale


def _array(values: Tensor | None) -> NDArray[np.float32]:
    if values is None:
        raise ValueError("the layer has no such weights")
    result: NDArray[np.float32] = values.detach().numpy().astype(np.float32)
    return result
