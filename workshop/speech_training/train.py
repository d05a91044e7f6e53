"""Train the phone recogniser on folders of labelled recordings.

    python -m workshop.speech_training.train CORPUS... --out recogniser.npz

Uses every recording whose name does not contain "held"; those are for `evaluate phones`. Needs the
package `torch`. A folder may be named more than once, to count more, and `FOLDER=MINUTES` takes no
more than so many minutes of it in every pass.
"""

import argparse
import copy
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from engines.portrait.speech import activity, features
from engines.portrait.speech.constants import HOP, SAMPLE_RATE
from engines.portrait.speech.encoder import encode
from engines.portrait.speech.units import BILABIALS, UNIT_INDEX, UNITS
from workshop.speech_training import augment, labels
from workshop.speech_training.network import TrainedNetwork, resume, save

_PIECE = 256
"""States judged in one example; the network sees its reach more on either side."""
_BATCH = 8
_LEARNING_RATE = 1e-3
_WEIGHT_DECAY = 1e-2
_WARM_UP = 100
"""Steps over which the learning rate rises to its full height."""
_UNKNOWN = -1
_SHORTEST_S = 0.25
_ROW_S = (0.0, 7.0)
"""Recordings are put in a row until it is longer than something between these."""
_ROW_LEVEL = 0.1
"""Root mean square of a recording in a row."""
_VARIED = 0.6
"""Share of the recordings that are heard in a variant instead of plain."""
_CLOSURE_SHARE = 6.0
"""Weight of the closure's loss against that of the units."""
_CLOSURE_FOCUS = 1.5
"""Exponent of the focal loss (T.-Y. Lin et al., 2017): frames that are clear already count less."""
_CLOSED_WEIGHT = 3.0
_MEMORY = 0.998
"""Share of the weights' running mean that stays at every step; the mean is what is kept."""


class Source(NamedTuple):
    """A folder of recordings and how much of it one pass may take."""

    folder: Path
    most_s: float

    @classmethod
    def parse(cls, text: str) -> "Source":
        """From `FOLDER` or `FOLDER=MINUTES`."""
        folder, _, minutes = text.partition("=")
        return cls(Path(folder), float(minutes) * 60 if minutes else float("inf"))


class Damage(NamedTuple):
    """Shares of the recordings that are damaged as in `augment`."""

    cut: float
    coded: float


_NO_DAMAGE = Damage(cut=0, coded=0)


def load(
    sources: Sequence[Source], reach: int, damage: Damage, rng: np.random.Generator
) -> tuple[NDArray[np.float16], NDArray[np.int8]]:
    """States of the encoder and labels, two a state, of a random choice of training recordings, end to end.

    Most are heard in a new variant every time. They are set apart by `reach` unlabelled copies
    of their first and last frames.
    """
    states, targets = [], []
    for pcm, wanted in _rows(_heard(sources, damage, rng), rng):
        speech = activity.detect(features.extract(pcm)).speech
        if speech.any():
            rows = encode(pcm, speech)
            states.append(np.pad(rows, ((reach, reach), (0, 0)), mode="edge").astype(np.float16))
            after = 2 * (reach + len(rows)) - len(wanted)
            targets.append(np.pad(wanted, (2 * reach, after), constant_values=_UNKNOWN))
    return np.concatenate(states), np.concatenate(targets)


def _heard(
    sources: Sequence[Source], damage: Damage, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int8]]]:
    """Samples and units of whole analysis frames of recordings, plain, varied or damaged."""
    for path in _chosen(sources, rng):
        recording = labels.read(path)
        for pcm, known in augment.cut(*recording, rng) if rng.random() < damage.cut else [recording]:
            if len(pcm) < _SHORTEST_S * SAMPLE_RATE:
                continue
            heard = augment.coded(pcm, rng) if rng.random() < damage.coded else pcm
            heard, stretch = augment.vary(heard, rng) if rng.random() < _VARIED else (heard, 1.0)
            wanted = labels.per_frame(known, features.extract(heard), stretch)
            yield heard[: len(heard) // HOP * HOP], wanted[: len(heard) // HOP]


def _rows(
    heard: Iterator[tuple[NDArray[np.float32], NDArray[np.int8]]], rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int8]]]:
    """Recordings alone or several in a row, so that a sound is met late in a piece as often as early."""
    row: list[tuple[NDArray[np.float32], NDArray[np.int8]]] = []
    longest = rng.uniform(*_ROW_S)
    for pcm, wanted in heard:
        row.append((pcm * (_ROW_LEVEL / max(float(np.sqrt((pcm**2).mean())), 1e-5)), wanted))
        if sum(len(samples) for samples, _ in row) > longest * SAMPLE_RATE:
            yield np.concatenate([samples for samples, _ in row]), np.concatenate([units for _, units in row])
            row, longest = [], rng.uniform(*_ROW_S)


def _chosen(sources: Sequence[Source], rng: np.random.Generator) -> Iterator[Path]:
    for source in sources:
        paths = [path for path in sorted(source.folder.glob("*.wav")) if "held" not in path.name]
        left_s = source.most_s
        for index in rng.permutation(len(paths)):
            if left_s <= 0:
                break
            left_s -= paths[index].stat().st_size / 2 / SAMPLE_RATE
            yield paths[index]


def train(
    sources: Sequence[Source],
    minutes: float,
    rng: np.random.Generator,
    start: Path | None = None,
    damage: Damage = _NO_DAMAGE,
) -> TrainedNetwork:
    """Minimise the losses with AdamW (I. Loshchilov and F. Hutter, 2019) and a decaying step.

    Answers the running mean of the weights (B. Polyak and A. Juditsky, 1992), which hears better than
    any of them.
    """
    network = resume(start) if start else TrainedNetwork()
    for module in network.modules():
        module.train(start is None or not isinstance(module, torch.nn.BatchNorm1d))
    mean = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(network.parameters(), _LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    began, losses = time.monotonic(), []
    for step, (inputs, wanted, weight) in enumerate(
        _batches(sources, network.shape.reach, damage, rng), start=1
    ):
        progress = (time.monotonic() - began) / 60 / minutes
        if progress >= 1:
            break
        for group in optimiser.param_groups:
            rate = _LEARNING_RATE * min(1, step / _WARM_UP)
            group["lr"] = rate * 0.5 * (1 + np.cos(np.pi * progress)) + 1e-6
        loss = _loss(network(inputs), wanted, weight)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        _remember(mean, network, min(_MEMORY, step / (step + 20)))
        losses.append(loss.item())
        if step % 200 == 0:
            print(f"step {step}, {progress:.0%}: loss {np.mean(losses[-200:]):.4f}", flush=True)  # noqa: T201
    return mean


@torch.no_grad()  # type: ignore[untyped-decorator]
def _remember(mean: TrainedNetwork, network: TrainedNetwork, share: float) -> None:
    """Move the running mean towards the network."""
    for kept, new in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.mul_(share).add_(new, alpha=1 - share)
        else:
            kept.copy_(new)


def _batches(
    sources: Sequence[Source], reach: int, damage: Damage, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Endless (batch, inputs, n + 2 * reach) states of random speakers, (batch, 2 n) units, unit weights.

    What is at hand is gone through again and again until a thread of its own has encoded something new.
    """
    aside = ThreadPoolExecutor(1)
    try:
        at_hand = load(sources, reach, damage, rng)
        while True:
            coming = aside.submit(load, sources, reach, damage, np.random.default_rng(rng.integers(2**32)))
            yield from _once(*at_hand, reach, rng)
            while not coming.done():
                yield from _once(*at_hand, reach, rng)
            at_hand = coming.result()
    finally:
        aside.shutdown(wait=False, cancel_futures=True)


def _once(
    states: NDArray[np.float16], targets: NDArray[np.int8], reach: int, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    around, inside = np.arange(_PIECE + 2 * reach), np.arange(2 * _PIECE) + 2 * reach
    weight = torch.from_numpy(_importance(targets))
    starts = np.arange(rng.integers(_PIECE), len(states) - len(around), _PIECE)
    rng.shuffle(starts)
    for first in range(0, len(starts) - _BATCH + 1, _BATCH):
        chosen = starts[first : first + _BATCH, None]
        inputs = states[chosen + around].astype(np.float32).transpose(0, 2, 1)
        wanted = targets[2 * chosen + inside].astype(np.int64)
        yield torch.from_numpy(np.ascontiguousarray(inputs)), torch.from_numpy(wanted), weight


def _importance(targets: NDArray[np.int8]) -> NDArray[np.float32]:
    """(units,) weight of a unit's frames: rare units count more, though not as much as they are rarer."""
    counts = np.bincount(targets[targets >= 0], minlength=len(UNITS)).astype(np.float32)
    importance: NDArray[np.float32] = (counts.mean() / np.maximum(counts, 1)) ** np.float32(0.4)
    return importance


def _loss(scores: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """Cross entropy of the units plus the focal loss of the closure, whose edges are left out."""
    units = functional.cross_entropy(scores[:, :-1], wanted, weight, ignore_index=_UNKNOWN)
    closed = sum((wanted == UNIT_INDEX[name]).float() for name in BILABIALS)
    if not isinstance(closed, Tensor):
        raise TypeError("no bilabials")
    steady = torch.ones_like(closed)
    edge = (closed[:, 1:] != closed[:, :-1]).float()
    steady[:, 1:] -= edge
    steady[:, :-1] *= 1 - edge
    counted = steady.clamp(min=0) * (wanted != _UNKNOWN)
    odds = scores[:, -1]
    wrong = torch.sigmoid(torch.where(closed > 0, -odds, odds))
    entropy = functional.binary_cross_entropy_with_logits(odds, closed, reduction="none")
    emphasis = counted * (1 + (_CLOSED_WEIGHT - 1) * closed)
    closure = (emphasis * wrong**_CLOSURE_FOCUS * entropy).sum() / emphasis.sum().clamp(min=1)
    return units + _CLOSURE_SHARE * closure


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description="Train the phone recogniser.")
    parser.add_argument("corpus", type=Source.parse, nargs="+", help="folder of WAV files with label files")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long to train")
    parser.add_argument("--start", type=Path, help="weights to go on from instead of chance")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cut", type=float, default=0.0, help="share of recordings cut within a consonant")
    parser.add_argument("--coded", type=float, default=0.0, help="share of recordings coded coarsely")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    damage = Damage(options.cut, options.coded)
    save(train(options.corpus, options.minutes, rng, options.start, damage), options.out)


if __name__ == "__main__":
    main()
