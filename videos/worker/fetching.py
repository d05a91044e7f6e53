"""What a video is made of, on this machine while it is needed."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from videos.services.attempts import Sources
from videos.store import files
from videos.worker.trouble import using_the_store

BLOCK_BYTES = 1 << 20


@contextmanager
def local_sources(sources: Sources, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Portrait and recording as local files that can be read.

    Raises:
        FileNotFoundError: one of them is not stored. OSError: one of them cannot be read, which is about this
            file; once an engine has begun it would be taken for the machine's trouble, which nobody is to
            blame for and which is waited for. TroubleError: the store or the disk is away.
    """
    with ExitStack() as held:
        with using_the_store():
            portrait = held.enter_context(files.local_copy(sources.portrait, folder))
            audio = held.enter_context(files.local_copy(sources.audio, folder))
        for path in (portrait, audio):
            _read_through(path)
        yield portrait, audio


def _read_through(path: Path) -> None:
    """Costs little: whoever needs the file next finds it in memory."""
    with path.open("rb") as file:
        while file.read(BLOCK_BYTES):
            pass
