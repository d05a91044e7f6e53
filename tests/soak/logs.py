"""What the processes of an installation wrote into their logs that tells of surprise: tracebacks."""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path


def surprises(folder: Path) -> Counter[str]:
    """Logger, message and the last line of each traceback, and how often."""
    found: Counter[str] = Counter()
    for log in [*folder.glob("web-*.log"), *folder.glob("worker-*.log")]:
        for line in log.read_text(errors="replace").splitlines():
            with suppress(ValueError, TypeError, KeyError):
                told = json.loads(line)
                if traceback := told.get("exception"):
                    last = traceback.strip().splitlines()[-1]
                    found[f"{told['logger']}: {told['message'][:80]}: {last[:160]}"] += 1
    return found
