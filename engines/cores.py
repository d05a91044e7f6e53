"""How many of the machine's cores this process has."""

import os

MAX_RENDER_THREADS = 4
"""More for one video gain little and cost memory."""


def available_cores() -> int:
    """Cores this process may use, which a container may limit to fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
