"""Keeping long-lived processes that work on pictures small and fast."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""The options' numbers in glibc's malloc.h."""
LARGE_BYTES = 4 << 20
KEPT_BYTES = 64 << 20
"""What may stay free at the heap's end: all that a video of 512 pixels allocates anew."""


def share_one_heap() -> None:
    """Make glibc keep one heap for all threads, and hand freed blocks above LARGE_BYTES back at once.

    By default every thread has a heap of its own, and what counts as large grows to the largest block ever
    freed: pictures and encoder buffers of many sizes then pile up in each, and a process at 1080 pixels grows
    by a quarter within minutes. A smaller limit, or giving back all that is free at the heap's end, costs up
    to a tenth of a render: the next one has to fetch the same pages anew. Does nothing without glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_ARENA_MAX, 1)
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
