"""What a batch costs beyond its images: many portraits, one recording, one engine process.

    python -m bench.portrait_batch [--images 50] [--seconds 30] [--side 512]

First the per-image part: a few portraits with a recording that is known already. Then the batch: a new
recording, `--images` different portraits one after the other, by the same engine, as in a worker that is
running. Printed is the batch's cost over the per-image part times the number of images, by the clock and by
the processor.
"""

import argparse
import os
import tempfile
from functools import partial
from pathlib import Path

from bench.portrait_media import PORTRAIT, SPEECH, Timing, loop_audio, render, scale_portrait, timed
from engines.portrait.engine import PortraitEngine
from engines.portrait.renderer import default_threads

SAMPLES = 5
"""Portraits that the per-image part is the mean of."""


def render_all(engine: PortraitEngine, portraits: list[Path], audio: Path, cache: Path, threads: int) -> None:
    """A batch: all `portraits` with the one recording."""
    for portrait in portraits:
        render(engine, portrait, audio, cache, threads)


def per_image(
    engine: PortraitEngine, portraits: list[Path], audio: Path, cache: Path, threads: int
) -> Timing:
    """Mean cost of a video once models and recording are ready."""
    render(engine, portraits[0], audio, cache, threads)
    costs = [timed(partial(render, engine, portrait, audio, cache, threads)) for portrait in portraits]
    return sum(clock for clock, _ in costs) / len(costs), sum(cpu for _, cpu in costs) / len(costs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--portrait", type=Path, default=PORTRAIT)
    parser.add_argument("--audio", type=Path, default=SPEECH)
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--threads", type=int, default=default_threads())
    options = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {options.threads} threads")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        audio = folder / "recording.wav"
        loop_audio(options.audio, options.seconds, audio)
        portraits = [folder / f"{index}.png" for index in range(options.images)]
        for index, portrait in enumerate(portraits):  # every one a little different
            scale_portrait(options.portrait, options.side, portrait, trim=index)
        engine = PortraitEngine()
        step = max(1, len(portraits) // SAMPLES)
        single = per_image(engine, portraits[::step][:SAMPLES], audio, folder / "known", options.threads)
        batch = timed(partial(render_all, engine, portraits, audio, folder / "fresh", options.threads))
    print(f"per image: {single[0]:.2f} s, {single[1]:.2f} CPU s")
    print(f"{options.images} images: {batch[0]:.1f} s, {batch[1]:.1f} CPU s")
    ratios = [whole / (options.images * part) for whole, part in zip(batch, single, strict=True)]
    print(f"batch / ({options.images} x per image): {ratios[0]:.3f} by the clock, {ratios[1]:.3f} by the CPU")


if __name__ == "__main__":
    main()
