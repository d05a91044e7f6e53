"""Blend a recogniser's weights with those of another training from the same start.

    python -m videos.engines.portrait.speech.training.blend ONE OTHER --share 0.5 --out recogniser.npz

The mean of both keeps more of what either could do on material unlike the other's (M. Wortsman et al.,
"Robust fine-tuning of zero-shot models", CVPR 2022).
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.generic]]


def blend(one: Weights, other: Weights, share: float) -> Weights:
    """`share` of `other` and the rest of `one`, array by array."""
    mixed: Weights = {"dilations": one["dilations"]}
    for name, array in one.items():
        if name != "dilations":
            mean = share * other[name].astype(np.float32) + (1 - share) * array.astype(np.float32)
            mixed[name] = mean.astype(array.dtype)
    return mixed


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description="Blend the weights of two recognisers.")
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of the other")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    one, other = (dict(np.load(path)) for path in (options.one, options.other))
    np.savez_compressed(options.out, **blend(one, other, options.share))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
