"""What a look at the faces of 50 portraits costs: `python -m bench.intake_faces`.

Says processor and wall time, and the memory of the child, with its networks loaded: for portraits of several
sizes, and for a batch in which five cannot be used.
"""

import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from PIL import Image

from engines.registry import ANY_FACE
from videos.media.face_check import FaceChecker

MEDIA = Path(__file__).parents[1] / "tests" / "media"
UNUSABLE = 5
SIDES = (512, 1024, 2048)
"""Longer side of the portraits as intake stores them."""


def main() -> None:
    checker = FaceChecker(60.0)
    try:
        with TemporaryDirectory() as folder:
            measure(checker, Path(folder))
    finally:
        checker.close()


def measure(checker: FaceChecker, folder: Path) -> None:
    started = time.monotonic()
    checker.problems([portrait(folder, MEDIA / "portrait-astronaut.jpg", SIDES[0])], "portrait")
    print(f"first portrait, networks loaded: {time.monotonic() - started:.2f} s")
    for side in SIDES:
        sources = sorted(MEDIA.glob("portrait-*.jpg"))
        good = list(itertools.islice(itertools.cycle(portrait(folder, one, side) for one in sources), 50))
        bad = [nothing(folder, side)] * UNUSABLE
        for check in ("portrait", ANY_FACE):
            timed(checker, f"{side} px, {check}", good, check, 0)
        timed(checker, f"{side} px, {UNUSABLE} without a face", good[UNUSABLE:] + bad, "portrait", UNUSABLE)
    (child,) = psutil.Process().children()
    print(f"resident memory of the child: {child.memory_info().rss / 1e6:.0f} MB")


def timed(checker: FaceChecker, what: str, portraits: Sequence[Path], check: str, unusable: int) -> None:
    (child,) = psutil.Process().children()
    used, started = sum(child.cpu_times()[:2]), time.monotonic()
    found = checker.problems(portraits, check)
    elapsed, used = time.monotonic() - started, sum(child.cpu_times()[:2]) - used
    if sum(problem is not None for problem in found) != unusable:
        raise SystemExit(f"{what}: other portraits were refused than expected")
    print(f"{what}: {elapsed:.2f} s, {1000 * used / len(portraits):.0f} ms of processor each")


def portrait(folder: Path, source: Path, side: int) -> Path:
    """The portrait as intake would store it, enlarged or shrunk to this side."""
    path = folder / f"{source.stem}-{side}.jpg"
    with Image.open(source) as picture:
        scale = side / max(picture.size)
        size = (round(picture.width * scale), round(picture.height * scale))
        picture.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(
            path, "JPEG", quality=92, subsampling=0
        )
    return path


def nothing(folder: Path, side: int) -> Path:
    path = folder / f"nothing-{side}.jpg"
    Image.new("RGB", (side, side), (120, 130, 140)).save(path, "JPEG", quality=92, subsampling=0)
    return path


if __name__ == "__main__":
    main()
