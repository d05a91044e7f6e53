"""A process that may have no more threads, as at its container's limit."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch


@contextmanager
def no_more_threads() -> Iterator[None]:
    """No thread of this process can be started for as long as the context lasts."""
    with patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")):
        yield
