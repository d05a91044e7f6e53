"""What a video is made of, on this machine while it is needed."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from videos.services.attempts import Sources
from videos.store import files
from videos.worker.trouble import using_the_store


@contextmanager
def local_sources(sources: Sources, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Portrait and recording as local files.

    Raises:
        FileNotFoundError: one of them is not stored. TroubleError: the store or the disk is away.
    """
    with ExitStack() as held:
        with using_the_store():
            portrait = held.enter_context(files.local_copy(sources.portrait, folder))
            audio = held.enter_context(files.local_copy(sources.audio, folder))
        yield portrait, audio
