"""The process of a `Companion`: `python -m engines.portrait.video.companion_process FD`.

Over the socket FD comes a `Video`, then the frames of its segments, each answered with the number of frames
finished after every burst and at last with the packets; then the next video.
"""

import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

import cv2

from engines.portrait.memory import share_one_heap
from engines.portrait.video.segments import SegmentRenderer, Video


def serve(connection: Connection) -> None:
    """Answer until the other end is closed, which raises `EOFError` or `ConnectionError`."""

    def going_on(drawn: int) -> bool:
        connection.send(drawn)
        return True

    while True:
        asked: Video | range = connection.recv()
        if isinstance(asked, Video):
            renderer = SegmentRenderer(asked)
        else:
            connection.send(renderer.render(asked, going_on))


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the engine's process
    share_one_heap()
    cv2.setNumThreads(1)
    with suppress(EOFError, ConnectionError):
        serve(Connection(int(sys.argv[1])))


if __name__ == "__main__":
    main()
