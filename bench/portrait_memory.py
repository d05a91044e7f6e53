"""How much memory a render takes, and that it does not grow with the recording.

    python -m bench.portrait_memory [--side 1080] [--seconds 10 60 300]

Each render runs in a process of its own, as in a worker; the peak is the kernel's figure for it.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.portrait_media import PORTRAIT, SPEECH, loop_audio, scale_portrait
from videos.engines.base import RenderSpec
from videos.engines.portrait.engine import PortraitEngine

CHILD = "--child"


def peak_mb() -> float:
    """The largest resident size this process has had; getrusage would count what its parent had before."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def render(portrait: Path, audio: Path, output: Path) -> None:
    """Render once and print the peak before and after."""
    engine = PortraitEngine()
    engine.warm_up()
    before = peak_mb()
    engine.render(RenderSpec(portrait=portrait, audio=audio, output=output), lambda _: None, lambda: False)
    print(f"{before:.0f} {peak_mb():.0f}")


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
    print("recording   loaded engine   peak while rendering")
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
            before, peak = done.stdout.split()
            print(f"{seconds:7g} s   {before:>10} MB   {peak:>17} MB")


if __name__ == "__main__":
    main()
