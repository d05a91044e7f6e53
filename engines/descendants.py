"""The processes that a process started, and what these started: ended together, whatever left its group."""

import ctypes
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

ENDING_S = 5.0
"""How long is waited for processes that were killed; one that waits for a disk or a card takes a while."""
LOOK_S = 0.01
_PR_SET_CHILD_SUBREAPER, _PR_GET_CHILD_SUBREAPER = 36, 37  # linux/prctl.h


def end_descendants(root: psutil.Process) -> None:
    """Kill all that `root` started, again and again until none of it lives; `root` itself goes on."""
    ends = time.monotonic() + ENDING_S
    while (living := _living_below(root)) and time.monotonic() < ends:
        for process in living:
            with suppress(psutil.Error):
                process.kill()
        time.sleep(LOOK_S)


def _living_below(root: psutil.Process) -> list[psutil.Process]:
    """Without those that are dead and that nobody has collected yet."""
    found = []
    with suppress(psutil.Error):
        for process in root.children(recursive=True):
            with suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
    return found


@contextmanager
def adopting_orphans() -> Iterator[None]:
    """What a descendant leaves behind at its end becomes a child of this process, so that it is found.

    Linux only; elsewhere it becomes init's.
    """
    if sys.platform != "linux":
        yield
        return
    libc, before = ctypes.CDLL(None), ctypes.c_int()
    libc.prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before), 0, 0, 0)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, before.value, 0, 0, 0)
