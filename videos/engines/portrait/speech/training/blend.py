"""Blend a recogniser's weights with those it was trained on from.

    python -m videos.engines.portrait.speech.training.blend OLD NEW --share 0.8 --added 4 --out recogniser.npz

The mean of both keeps more of what OLD could do on material unlike the new training's (M. Wortsman et al.,
"Robust fine-tuning of zero-shot models", CVPR 2022). `--added` is the number of a block that only NEW has:
in OLD it counts as one that adds nothing.
"""

import argparse
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.generic]]


def blend(old: Weights, new: Weights, share: float, added: int | None) -> Weights:
    """`share` of `new` and the rest of `old`, array by array."""
    mixed: Weights = {"dilations": new["dilations"]}
    for name, array in new.items():
        if name != "dilations":
            before = old_array(old, name, array, added)
            mean = share * array.astype(np.float32) + (1 - share) * before.astype(np.float32)
            mixed[name] = mean.astype(array.dtype)
    return mixed


def old_array(old: Weights, name: str, array: NDArray[np.generic], added: int | None) -> NDArray[np.generic]:
    """What `old` has for the array `name` of the new weights."""
    block = re.fullmatch(r"(taps|inner|outer)(\d+)(.*)", name)
    if block is None or added is None or int(block[2]) < added:
        return old[name]
    if int(block[2]) > added:
        return old[f"{block[1]}{int(block[2]) - 1}{block[3]}"]
    return np.zeros_like(array) if block[1] == "outer" else array


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--share", type=float, default=0.8)
    parser.add_argument("--added", type=int)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    old, new = (dict(np.load(path)) for path in (options.old, options.new))
    np.savez_compressed(options.out, **blend(old, new, options.share, options.added))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
