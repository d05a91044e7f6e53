"""What a look at the faces of 50 portraits costs: `python -m bench.intake_faces`.

Says wall and processor seconds, and the child's memory, with its networks loaded.
"""

import itertools
import time
from pathlib import Path

import psutil

from videos.media.face_check import FaceChecker

MEDIA = Path(__file__).parents[1] / "tests" / "media"
PORTRAITS = 50


def main() -> None:
    pictures = itertools.cycle(sorted(MEDIA.glob("portrait-*.jpg")))
    portraits = list(itertools.islice(pictures, PORTRAITS))
    checker = FaceChecker("portrait", 60.0)
    try:
        started = time.monotonic()
        checker.problems(portraits[:1])
        print(f"first portrait, networks loaded: {time.monotonic() - started:.2f} s")
        (child,) = psutil.Process().children()
        used, started = sum(child.cpu_times()[:2]), time.monotonic()
        if any(checker.problems(portraits)):
            raise SystemExit("a good portrait was refused")
        elapsed, used = time.monotonic() - started, sum(child.cpu_times()[:2]) - used
        print(f"{PORTRAITS} portraits: {elapsed:.2f} s, {1000 * used / PORTRAITS:.0f} ms of processor each")
        print(f"resident memory of the child: {child.memory_info().rss / 1e6:.0f} MB")
    finally:
        checker.close()


if __name__ == "__main__":
    main()
