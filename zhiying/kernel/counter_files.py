"""The counters of several processes of a machine, which lie in files of one folder, added up."""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.multiprocess import MultiProcessCollector


class CountersOfAllProcesses(MultiProcessCollector):
    """`prometheus_client`'s own, but for files in which nothing stands yet.

    It makes a file and gives it its size in two steps. Between them, and for good when the process is killed
    there, the file is empty, and reading it raises `struct.error`.
    """

    def __init__(self, registry: CollectorRegistry, folder: Path) -> None:
        self._folder = folder
        super().__init__(registry, str(folder))  # type: ignore[no-untyped-call]  # the library has no types

    def collect(self) -> Iterable[Metric]:
        files = [str(file) for file in self._folder.glob("*.db") if file.stat().st_size]
        merged: Iterable[Metric] = self.merge(files)  # type: ignore[no-untyped-call]
        return merged
