"""Processes beside the engine's own that draw and encode segments, one for every further core.

Drawing is hundreds of short calls a frame that all want the interpreter's lock: threads of one process would
lose an eighth of their time to each other. A companion lives as long as its engine, because starting one
takes longer than a short video. It opens no files, and ends by itself when its engine's process is gone,
however that ended.
"""

import logging
import socket
import subprocess
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from engines.portrait.video.encode import EncodedPacket
from engines.portrait.video.segments import Video

logger = logging.getLogger(__name__)

PROGRAM = "engines.portrait.video.companion_process"
ROOT = Path(__file__).resolve().parents[3]
"""The folder from which Python finds it."""


class CompanionLostError(Exception):
    """The process has ended."""


class Companion:
    """The engine's end of a companion. Renders one video after the other, segment by segment."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", PROGRAM, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd=ROOT,
            )
            self._connection = Connection(ours.detach())
        self._unsent: Video | None = None
        self._heard = False
        self._end = weakref.finalize(self, _end, self._process, self._connection)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._end.alive and self._process.poll() is None

    def prepare(self, video: Video) -> None:
        """The segments asked for from now on are of `video`."""
        self._unsent = video
        if self._heard:  # a process that is still starting does not read, and a video fills the socket
            with suppress(OSError):  # `render` will find out
                self._send_video()

    def render(self, frames: range, going_on: Callable[[int], bool]) -> list[EncodedPacket]:
        """What `SegmentRenderer.render` answers; raises `CompanionLostError`.

        Once `going_on` answers False the process is ended, and nothing is returned.
        """
        try:
            self._send_video()
            self._connection.send(frames)
            while isinstance(answer := self._connection.recv(), int):
                self._heard = True
                if not going_on(answer):
                    self._end()
                    return []
        except (EOFError, OSError) as error:
            self._end()
            raise CompanionLostError from error
        packets: list[EncodedPacket] = answer
        return packets

    def _send_video(self) -> None:
        if self._unsent is not None:
            self._connection.send(self._unsent)
            self._unsent = None


def _end(process: subprocess.Popen[bytes], connection: Connection) -> None:
    process.kill()
    process.wait()
    connection.close()


class Companions:
    """The companions of one engine. Used from one thread."""

    def __init__(self) -> None:
        self._companions: list[Companion] = []

    def ready(self, count: int) -> list[Companion]:
        """`count` companions, of which some may only be starting; fewer where no process can be started."""
        self._companions = [companion for companion in self._companions if companion.running]
        try:
            while len(self._companions) < count:
                self._companions.append(Companion())
        except OSError as error:
            logger.warning("No companion process can be started (%s); renders use fewer cores.", error)
        return self._companions[:count]
