"""Keeping a long-lived render process small and fast."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""The options' numbers in glibc's malloc.h."""
LARGE_BYTES = 1 << 20
KEPT_BYTES = 16 << 20


def return_large_blocks() -> None:
    """Make glibc hand every freed block above a megabyte back to the system at once, and keep smaller ones.

    By default it raises that limit to the largest block ever freed; pictures and encoder buffers of many
    sizes then pile up in the heap, and a process at 1080 pixels grows by a quarter within minutes. What
    is free at the heap's end, on the other hand, is used again for the next frame: giving it back and
    fetching it anew took a twentieth of a render. Does nothing where there is no glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
