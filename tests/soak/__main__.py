"""`make soak SEED=1 MINUTES=60 BROKER=redis WATCH=1`: an installation under load while its parts are killed.

It ends by itself: the chaos stops, everything settles, and what is not as it has to be is told. The seed
decides who is hit, when, and what clients ask for; how fast the machine is decides the rest.
With WATCH a Prometheus looks on: which alerts were raised is told, and the dashboard's figures are kept.
"""

import argparse
import os
import random
import sys
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass

from tests.servers.cluster import BROKERS, running_cluster, say, stop_when_told
from tests.servers.nginx import Nginx
from tests.servers.process import ServerError
from tests.servers.supervisor import Supervisor
from tests.servers.topology import Topology
from tests.soak.chaos import Hand
from tests.soak.clients import Client, make_users
from tests.soak.journal import Journal
from tests.soak.logs import surprises
from tests.soak.settings import DATABASE_SETTINGS, VARIABLES
from tests.soak.verdict import Verdict
from tests.soak.watching import Watcher, watching
from tests.support.main_job import ProxiedApi

END_WITHIN_S = 300.0
"""How long clients may take to end what they are at: orders are repeated until they are answered."""
MOST_TRACEBACKS = 40


@dataclass(frozen=True)
class Told:
    """What was asked for."""

    seed: int
    minutes: float
    broker: str
    users: int
    watch: bool

    @property
    def again(self) -> str:
        return f"make soak SEED={self.seed} MINUTES={self.minutes:g} BROKER={self.broker} USERS={self.users}"


def main() -> int:
    """Run to the end; returns the exit code."""
    told = _arguments()
    stop_when_told()
    say(f"To repeat it: {told.again}")
    deaths: list[str] = []
    supervisor = Supervisor(deaths.append)
    try:
        with (
            running_cluster(
                told.broker, supervisor, variables=VARIABLES, database_settings=DATABASE_SETTINGS
            ) as (topology, nginx, _),
            watching(topology) if told.watch else nullcontext() as watcher,
        ):
            wrong = _soak(told, supervisor, topology, nginx)
            if watcher:
                _tell_what_was_seen(watcher)
    except KeyboardInterrupt:
        say("Stopped before its end.")
        return 1
    except ServerError as error:
        say(str(error))
        return 1
    say(f"{len(deaths)} deaths were made good. To repeat it: {told.again}")
    say("\n".join([f"{len(wrong)} things are wrong:", *wrong]) if wrong else "All is as it has to be.")
    return 1 if wrong else 0


def _arguments() -> Told:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=_number("SEED", random.SystemRandom().randrange(10**6)))
    parser.add_argument("--minutes", type=float, default=_number("MINUTES", 10))
    parser.add_argument("--users", type=int, default=_number("USERS", 6))
    parser.add_argument("--broker", choices=BROKERS, default=os.environ.get("BROKER") or "redis")
    parser.add_argument("--watch", action="store_true", default=bool(os.environ.get("WATCH")))
    told = parser.parse_args()
    return Told(told.seed, told.minutes, told.broker, told.users, told.watch)


def _number(name: str, otherwise: float) -> str:
    return os.environ.get(name) or str(otherwise)


def _soak(told: Told, supervisor: Supervisor, topology: Topology, nginx: Nginx) -> list[str]:
    """Load and chaos, peace, and the verdict."""
    journal, ending = Journal(), threading.Event()
    scripts = topology.folder / "scripts"
    scripts.mkdir()
    names = [f"user{number}" for number in range(1, told.users + 1)]
    make_users(ProxiedApi(nginx).login(topology.admin_password), names)
    clients = [
        Client(name, nginx, journal, random.Random(f"{told.seed} {name}"), scripts, ending) for name in names
    ]
    for client in clients:
        client.log_in()
    hand = Hand(supervisor, random.Random(f"{told.seed} chaos"))
    say(f"{len(clients)} users order for {told.minutes:g} minutes, and parts are killed …")
    threads = [threading.Thread(target=client.run, name=client.name, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    try:
        hand.play(told.minutes * 60)
    finally:
        ending.set()
    hand.look()
    _wait_for(threads, journal)
    say("The chaos is over; everything settles …")
    began = time.monotonic()
    verdict = Verdict(topology, supervisor, journal)
    wrong = verdict.find(clients, hand.seen)
    _report(hand, journal, verdict, time.monotonic() - began)
    say("Tracebacks in the logs:")
    for text, number in surprises(topology.folder).most_common(MOST_TRACEBACKS):
        say(f"  {number:>5}  {text}")
    return wrong


def _wait_for(threads: list[threading.Thread], journal: Journal) -> None:
    """Let clients finish what they are at."""
    ends_at = time.monotonic() + END_WITHIN_S
    for thread in threads:
        thread.join(max(0.0, ends_at - time.monotonic()))
        if thread.is_alive():
            journal.fault(f"{thread.name} does not end")


def _report(hand: Hand, journal: Journal, verdict: Verdict, settled_s: float) -> None:
    say("Blows: " + ", ".join(f"{name} {number}" for name, number in sorted(hand.dealt.items())))
    say("Items: " + ", ".join(f"{number} {state}" for state, number in sorted(verdict.states.items())))
    say("Failed with: " + ", ".join(f"{code} {number}" for code, number in sorted(verdict.errors.items())))
    told: dict[str, list[str]] = {}
    for (call, status), number in sorted(journal.answers.items()):
        told.setdefault(call, []).append(f"{number}×{status or 'none'}")
    say("Answers (median and worst seconds):")
    for call, number, median, worst in journal.slowest():
        say(f"  {call:<18} {number:>6}  {median:6.2f} {worst:7.2f}   {' '.join(told[call])}")
    say(f"Settled and looked through within {settled_s:.0f} s.")


def _tell_what_was_seen(watcher: Watcher) -> None:
    fired = ", ".join(f"{alert} {seconds} s" for alert, seconds in watcher.fired().most_common())
    say(f"Alerts raised: {fired or 'none'}")
    say(f"The dashboard's figures: {watcher.keep_panels()}")


if __name__ == "__main__":
    sys.exit(main())
