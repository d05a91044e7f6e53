"""Writes the corpus into a folder: `python -m tests.badfiles.build FOLDER`."""

import sys
from collections.abc import Iterable
from pathlib import Path

from .case import Case
from .cases import CASES


def build_all(folder: Path, cases: Iterable[Case] = CASES) -> dict[str, Path]:
    """Write each case's content under its slug; returns slug → path."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {case.slug: folder / case.slug for case in cases}
    for case in cases:
        paths[case.slug].write_bytes(case.build())
    return paths


if __name__ == "__main__":
    build_all(Path(sys.argv[1]))
