"""Processes of this machine."""

import psutil


def is_running(pid: int) -> bool:
    """Whether a process lives; one that nobody has collected yet does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
