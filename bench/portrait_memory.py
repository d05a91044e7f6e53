"""How much memory a render takes, and that it does not grow with the recording.

    python -m bench.portrait_memory [--side 1080] [--seconds 10 60 300]

Each render runs in a process of its own, as in a worker, beside its companion.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from bench.portrait_media import PORTRAIT, SPEECH, loop_audio, scale_portrait
from engines.base import RenderSpec
from engines.portrait.engine import PortraitEngine

CHILD = "--child"


def processes() -> list[int]:
    """This process and its children."""
    return [process.pid for process in (psutil.Process(), *psutil.Process().children())]


def figure_mb(pid: int, file: str, name: str) -> float:
    """What the kernel says of a process' memory."""
    return int(Path(f"/proc/{pid}/{file}").read_text().split(f"{name}:")[1].split()[0]) / 1024


def render(portrait: Path, audio: Path, output: Path) -> None:
    """Render once and print the largest size of each process, and of all when shared pages count once."""
    engine = PortraitEngine()
    engine.warm_up()
    together = [0.0]

    def look(_: float) -> None:
        together.append(sum(figure_mb(pid, "smaps_rollup", "Pss") for pid in processes()))

    engine.render(RenderSpec(portrait=portrait, audio=audio, output=output), look, lambda: False)
    # not getrusage, which would count what a process' parent had before
    peaks = [figure_mb(pid, "status", "VmHWM") for pid in processes()]
    print(" + ".join(f"{peak:.0f}" for peak in peaks), f"{max(together):.0f}", sep=";")


def main() -> None:
    if sys.argv[1:2] == [CHILD]:
        render(*(Path(argument) for argument in sys.argv[2:5]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--portrait", type=Path, default=PORTRAIT)
    parser.add_argument("--audio", type=Path, default=SPEECH)
    parser.add_argument("--side", type=int, default=1080)
    parser.add_argument("--seconds", type=float, nargs="+", default=[10, 60, 300])
    options = parser.parse_args()
    print("recording   largest size of each process   of all, shared pages counted once")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        portrait = folder / "portrait.png"
        scale_portrait(options.portrait, options.side, portrait)
        for seconds in options.seconds:
            audio = folder / f"{seconds:g}.wav"
            loop_audio(options.audio, seconds, audio)
            command = [
                sys.executable,
                "-m",
                "bench.portrait_memory",
                CHILD,
                portrait,
                audio,
                folder / "out.mp4",
            ]
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
            each, together = done.stdout.strip().split(";")
            print(f"{seconds:7g} s   {each:>25} MB   {together:>30} MB")


if __name__ == "__main__":
    main()
