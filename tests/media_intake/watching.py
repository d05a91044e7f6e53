"""Sees which files are opened and which connections are tried, by Python and by C libraries alike."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_IN_OPEN = 0x20
_NONBLOCK = os.O_NONBLOCK
_EVENT_HEADER_BYTES = 16
_EVENTS = ("open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.posix_spawn")

_active: list[list[tuple[str, str]]] = []


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _active and event in _EVENTS:
        for record in _active:
            record.append((event, os.fspath(args[0]) if isinstance(args[0], str | Path) else str(args[0])))


sys.addaudithook(_hook)  # cannot be removed, so it only records while someone listens


@contextmanager
def python_events() -> Iterator[list[tuple[str, str]]]:
    """The audit events of opening, connecting and starting programs, as (event, first argument)."""
    record: list[tuple[str, str]] = []
    _active.append(record)
    try:
        yield record
    finally:
        _active.remove(record)


@contextmanager
def opened_names(folder: Path) -> Iterator[set[str]]:
    """The names of files in `folder` that anything opened meanwhile, complete at the end (Linux inotify)."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(_NONBLOCK)
    assert descriptor >= 0
    names: set[str] = set()
    try:
        assert libc.inotify_add_watch(descriptor, os.fsencode(folder), _IN_OPEN) >= 0
        yield names
        names.update(_read_names(descriptor))
    finally:
        os.close(descriptor)


def _read_names(descriptor: int) -> Iterator[str]:
    while True:
        try:
            data = os.read(descriptor, 65_536)
        except BlockingIOError:
            return
        while data:
            length = int.from_bytes(data[12:16], sys.byteorder)
            yield data[_EVENT_HEADER_BYTES : _EVENT_HEADER_BYTES + length].rstrip(b"\0").decode()
            data = data[_EVENT_HEADER_BYTES + length :]
