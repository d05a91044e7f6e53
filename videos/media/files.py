"""Output files that exist whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Give a temporary binary file beside `path`; rename it to `path` at the end, drop it on any exception.

    Raises OSError when the folder is missing or full.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def write_all(contents: dict[Path, bytes]) -> None:
    """Write several files, each atomically; when one fails, those written before it are removed again."""
    written: list[Path] = []
    try:
        for path, data in contents.items():
            with replacing(path) as file:
                file.write(data)
            written.append(path)
    except BaseException:
        for path in written:
            with suppress(OSError):
                path.unlink()
        raise
