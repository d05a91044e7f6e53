"""Tells every thread of a worker process that it is about to stop."""

import threading

stopping = threading.Event()
"""Set when the process shuts down: renders are killed and their items given back."""
