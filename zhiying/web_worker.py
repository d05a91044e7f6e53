"""gunicorn's worker with threads, but one that leaves nobody at the door when it stops."""

from select import select
from typing import Any

from gunicorn.workers.gthread import ThreadWorker


class HospitableWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Whoever has come when it is told to stop is served; whoever comes later is refused at once.

    gunicorn lets the system go on taking in connections until the process ends, and nobody reads them. A
    proxy has sent its request by then, and unless it only reads may not send it to another server.
    """

    sockets: list[Any]

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            for listener in self.sockets:
                while select([listener], [], [], 0)[0]:
                    self.accept(listener)
                listener.close()
            self.sockets = []
