"""What a process takes before it has done anything: of the application, and of those that render.

`python -m bench.process_start`: fresh interpreters, the median of several.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile

SETUP = "import django; django.setup()"
WEB = f"{SETUP}; from django.urls import get_resolver; get_resolver().url_patterns"
LOADED = {
    "Python": "",
    "a command or worker process": SETUP,
    "a web process": WEB,
    "a web process, after a recording": f"{WEB}; import videos.media.audio",
    "a render process": "from engines.registry import get_engine; get_engine('portrait').warm_up()",
}
MEASURE = """
import json, resource
from pathlib import Path
resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([resident / 1e6, used.ru_utime + used.ru_stime]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.process_start", description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'':<32} {'memory, MB':>10} {'processor, s':>12}")
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "zhiying.settings", "DATA_DIR": folder}
        for name, code in LOADED.items():
            runs = [_measured(code, environment) for _ in range(times)]
            memory, seconds = (statistics.median(column) for column in zip(*runs, strict=True))
            print(f"{name:<32} {memory:>10.0f} {seconds:>12.2f}")


def _measured(code: str, environment: dict[str, str]) -> tuple[float, float]:
    """Resident memory (MB) and processor time (s) of a process that loaded this."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{MEASURE}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    memory, seconds = json.loads(done.stdout)
    return memory, seconds


if __name__ == "__main__":
    main()
