"""How fast the portrait engine renders, against the price of encoding a still picture.

    python -m bench.portrait_speed [--portrait P] [--audio A] [--sides 512 1080] [--seconds 10 60]

For every size and length three figures, taken turn and turn about in one process: the engine on a new
recording, the engine on a recording it has prepared before (as for every further item of a batch), and
the floor: one still frame of the same portrait and the same sound, encoded by one plain encoder with the
engine's settings. The engine's encoders have one thread each; so has the first floor. The others let the
plain encoder use two threads or as many as it likes, and the engine is compared with the first and with the
fastest. The processor's seconds are given beside the clock's, because they tell the truth on a busy machine
too.
"""

import argparse
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from bench.portrait_media import (
    PORTRAIT,
    SPEECH,
    Timing,
    encode_still,
    loop_audio,
    render,
    scale_portrait,
    timed,
)
from engines.portrait.engine import PortraitEngine
from engines.portrait.renderer import default_threads

PLAIN = "1"
FLOORS = (PLAIN, "2", "0")
"""x264's `threads`; 0 lets it choose."""
HEADING = """\
                           new recording         known recording     floor by x264's threads     known / floor
side length threads      s  CPU s  x real       s  CPU s  x real     1 (CPU)      2  auto    of 1  fastest"""


def measure(
    portrait: Path, audio: Path, folder: Path, threads: int, rounds: int
) -> tuple[Timing, Timing, dict[str, Timing]]:
    """Best of `rounds`, turn and turn about: a new recording, a known one, the floors by x264's threads."""
    engine = PortraitEngine()
    engine.warm_up()
    known, fresh = folder / "known", folder / "fresh"
    render(engine, portrait, audio, known, threads)
    works = {
        "new": partial(render, engine, portrait, audio, fresh, threads),
        "known": partial(render, engine, portrait, audio, known, threads),
    } | {way: partial(encode_still, portrait, audio, folder / "floor.mp4", way) for way in FLOORS}
    best: dict[str, Timing] = dict.fromkeys(works, (np.inf, np.inf))
    for _ in range(rounds):
        for name, work in works.items():
            clock, processor = timed(work)
            best[name] = min(best[name][0], clock), min(best[name][1], processor)
        shutil.rmtree(fresh)
    return best["new"], best["known"], {way: best[way] for way in FLOORS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--portrait", type=Path, default=PORTRAIT)
    parser.add_argument("--audio", type=Path, default=SPEECH)
    parser.add_argument("--sides", type=int, nargs="+", default=[512, 1080])
    parser.add_argument("--seconds", type=float, nargs="+", default=[10, 60])
    parser.add_argument("--threads", type=int, nargs="+", default=[default_threads()])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores; best of {options.rounds}")
    print(HEADING)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for side in options.sides:
            portrait = folder / f"{side}.png"
            scale_portrait(options.portrait, side, portrait)
            for seconds in options.seconds:
                audio = folder / f"{seconds:g}.wav"
                loop_audio(options.audio, seconds, audio)
                for threads in options.threads:
                    new, known, floors = measure(portrait, audio, folder, threads, options.rounds)
                    one, two, chosen = (floors[way][0] for way in FLOORS)
                    cells = [f"{clock:8.2f}{cpu:7.2f}{seconds / clock:9.1f}" for clock, cpu in (new, known)]
                    print(
                        f"{side:4} {seconds:5g} s {threads:4}     {cells[0]}{cells[1]}"
                        f"{one:8.2f} ({floors[PLAIN][1]:5.2f}){two:6.2f}{chosen:6.2f}"
                        f"{known[0] / one:8.2f}{known[0] / min(one, two, chosen):9.2f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
