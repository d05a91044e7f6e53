"""What clients were answered: how often, how fast, and whatever must not be."""

import threading
from collections import Counter, defaultdict
from collections.abc import Collection

import requests

OUTAGES = {502, 503, 504}
"""What a client may be told while parts are away, in JSON and with a time to come again."""
FAULTS_KEPT = 200
NO_ANSWER = 0


class Journal:
    """Written by all clients at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[str] = []
        self.answers: Counter[tuple[str, int]] = Counter()
        self._times: defaultdict[str, list[float]] = defaultdict(list)

    def note(self, call: str, status: int, seconds: float) -> None:
        """An answer, or `NO_ANSWER`."""
        with self._lock:
            self.answers[call, status] += 1
            self._times[call].append(seconds)

    def judge(self, call: str, answer: requests.Response, expected: Collection[int]) -> bool:
        """Whether the answer is an expected one. What is neither that nor a proper outage is a fault."""
        if answer.status_code in expected:
            return True
        if answer.status_code not in OUTAGES:
            self.fault(f"{call}: {answer.status_code} {answer.text[:300]}")
        elif problem := _improper(answer):
            self.fault(f"{call}: {answer.status_code} {problem}: {answer.text[:300]}")
        return False

    def fault(self, text: str) -> None:
        with self._lock:
            if len(self._faults) < FAULTS_KEPT:
                self._faults.append(text)

    @property
    def faults(self) -> list[str]:
        with self._lock:
            return list(self._faults)

    def slowest(self) -> list[tuple[str, int, float, float]]:
        """Call, number, median and worst seconds; the slowest first."""
        with self._lock:
            facts = [
                (call, len(times), sorted(times)[len(times) // 2], max(times))
                for call, times in self._times.items()
            ]
        return sorted(facts, key=lambda fact: -fact[3])


def _improper(answer: requests.Response) -> str:
    """What is wrong with how an outage was told; empty where nothing is."""
    if not answer.headers.get("Content-Type", "").startswith("application/json"):
        return "is not JSON"
    body = answer.json()
    if not body.get("code") or not body.get("detail"):
        return "has no code"
    return "" if answer.headers.get("Retry-After") else "does not say when to come again"
