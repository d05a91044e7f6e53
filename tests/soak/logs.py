"""What the processes of an installation wrote into their logs that tells of surprise: tracebacks."""

import json
import re
from collections import Counter
from contextlib import suppress
from pathlib import Path

IDS = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
"""Of items and batches: what is said of each counts as the same."""


def surprises(folder: Path) -> Counter[str]:
    """Logger, message and the last line of each traceback, and how often."""
    found: Counter[str] = Counter()
    for log in [*folder.glob("web-*.log"), *folder.glob("worker-*.log")]:
        for line in log.read_text(errors="replace").splitlines():
            with suppress(ValueError, TypeError, KeyError):
                told = json.loads(line)
                if traceback := told.get("exception"):
                    last = traceback.strip().splitlines()[-1]
                    message = IDS.sub("…", told["message"])
                    found[f"{told['logger']}: {message[:80]}: {last[:160]}"] += 1
    return found
