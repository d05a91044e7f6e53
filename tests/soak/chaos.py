"""A hand that kills, freezes and restarts parts, one after the other, as its random numbers say."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from tests.servers.supervisor import Supervisor

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.3, 3.0
"""Between two blows."""
SHORTEST_FREEZE_S, LONGEST_FREEZE_S = 0.5, 8.0
"""Shorter and longer than a lease."""
LOOK_S = 0.1
BROKERS = {"redis-server", "valkey-server", "rabbitmq-server"}


@dataclass
class Hand:
    """Deals blows from a pack that is shuffled anew when it is through, so that each comes as often."""

    supervisor: Supervisor
    random: random.Random
    dealt: Counter[str] = field(default_factory=Counter)
    seen: set[psutil.Process] = field(default_factory=set)
    """Every process there ever was below the supervisor's."""
    _frozen: list[tuple[float, list[psutil.Process]]] = field(default_factory=list)

    def play(self, seconds: float) -> None:
        """Until the time is over. What is frozen thaws at the end."""
        ends_at, blows = time.monotonic() + seconds, self._blows()
        try:
            while time.monotonic() < ends_at:
                name, blow = next(blows)
                self.look()
                if blow():
                    self.dealt[name] += 1
                self._wait(min(ends_at, time.monotonic() + self._pause()))
        finally:
            self._thaw(float("inf"))

    def look(self) -> None:
        """Remember whom there is: those who lose their parents cannot be found later."""
        for _, pid in self.supervisor.servers():
            with suppress(psutil.NoSuchProcess):
                self.seen |= set(_tree(psutil.Process(pid)))

    def _pause(self) -> float:
        return self.random.uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S)

    def _wait(self, until: float) -> None:
        while time.monotonic() < until:
            time.sleep(LOOK_S)
            self._thaw(time.monotonic())

    # --- The pack -----------------------------------------------------------------------------------

    def _blows(self) -> Iterator[tuple[str, Callable[[], bool]]]:
        pack: list[tuple[str, Callable[[], bool]]] = [
            ("web killed", lambda: self._kill({"web"})),
            ("web process killed", lambda: self._kill_below({"web"}, 1)),
            ("web process killed ", lambda: self._kill_below({"web"}, 1)),
            ("web told to stop", lambda: self._tell({"web"}, signal.SIGTERM)),
            ("web frozen", lambda: self._freeze({"web"})),
            ("web process frozen", lambda: self._freeze_below({"web"}, 1)),
            ("worker killed", lambda: self._kill({"worker"})),
            ("worker process killed", lambda: self._kill_below({"worker"}, 1)),
            ("worker told to stop", lambda: self._tell({"worker"}, signal.SIGTERM)),
            ("worker frozen", lambda: self._freeze({"worker"})),
            ("worker process frozen", lambda: self._freeze_below({"worker"}, 1)),
            ("render killed", lambda: self._kill_below({"worker"}, 2)),
            ("database restarted, fast", lambda: self._tell({"postgres"}, signal.SIGINT)),
            ("database restarted, at once", lambda: self._tell({"postgres"}, signal.SIGQUIT)),
            ("database frozen", lambda: self._freeze({"postgres"})),
            ("broker killed", lambda: self._kill(BROKERS)),
            ("broker frozen", lambda: self._freeze(BROKERS)),
            ("store killed", lambda: self._kill({"weed"})),
            ("store frozen", lambda: self._freeze({"weed"})),
        ]
        while True:
            self.random.shuffle(pack)
            for name, blow in pack:
                yield name.strip(), blow

    # --- Blows --------------------------------------------------------------------------------------

    def _victim(self, names: set[str]) -> psutil.Process | None:
        """One of these servers, if it is there just now."""
        found = [pid for name, pid in self.supervisor.servers() if name in names]
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.random.choice(found))
            return process if process.status() != psutil.STATUS_ZOMBIE else None
        return None

    def _below(self, names: set[str], depth: int) -> list[psutil.Process]:
        """Processes so many steps below one of these servers."""
        master = self._victim(names)
        level = [master] if master else []
        for _ in range(depth):
            level = [child for process in level for child in _children(process)]
        return sorted(level, key=lambda process: process.pid)

    def _kill(self, names: set[str]) -> bool:
        """A whole server at once, as when its machine is switched off."""
        master = self._victim(names)
        return master is not None and _signal(_tree(master), signal.SIGKILL)

    def _kill_below(self, names: set[str], depth: int) -> bool:
        found = self._below(names, depth)
        return bool(found) and _signal([self.random.choice(found)], signal.SIGKILL)

    def _tell(self, names: set[str], number: signal.Signals) -> bool:
        master = self._victim(names)
        return master is not None and _signal([master], number)

    def _freeze(self, names: set[str]) -> bool:
        master = self._victim(names)
        return master is not None and self._stop(_tree(master))

    def _freeze_below(self, names: set[str], depth: int) -> bool:
        found = self._below(names, depth)
        return bool(found) and self._stop(_tree(self.random.choice(found)))

    def _stop(self, processes: list[psutil.Process]) -> bool:
        until = time.monotonic() + self.random.uniform(SHORTEST_FREEZE_S, LONGEST_FREEZE_S)
        self._frozen.append((until, processes))
        return _signal(processes, signal.SIGSTOP)

    def _thaw(self, now: float) -> None:
        due = [processes for until, processes in self._frozen if until <= now]
        self._frozen = [(until, processes) for until, processes in self._frozen if until > now]
        for processes in due:
            _signal(processes, signal.SIGCONT)


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return list(process.children())
    return []


def _tree(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return [process, *process.children(recursive=True)]
    return []


def _signal(processes: list[psutil.Process], number: signal.Signals) -> bool:
    """Whether anybody was there to get it."""
    reached = False
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
            reached = True
    return reached
