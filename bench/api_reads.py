"""What polls, lists and figures cost, and whether that grows with what was ever made or waits.

    python -m bench.api_reads [--database postgresql|sqlite] [--items 1000 1000000] [--waiting 0 100000]
                              [--server gunicorn|waitress|granian] [--seconds 3] [--rounds 3]
                              [--connections 4]

For every combination of `--items` and `--waiting` it makes a database of its own, fills it by SQL,
starts one web process and asks it with wrk, one call after the other. Everything it started ends with
it. Needs `wrk`, and PostgreSQL's programs for `--database postgresql` (the default).
"""

import argparse
import contextlib
import itertools
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.servers import run_postgresql
from tests.servers.process import free_port, running

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 120
FILL_TIMEOUT_S = 1800
SERVERS = {
    "gunicorn": "gunicorn zhiying.wsgi:application -b 127.0.0.1:{port} -k gthread -w 1 --threads {threads}",
    "waitress": "waitress-serve --host 127.0.0.1 --port {port} --threads {threads} zhiying.wsgi:application",
    "granian": "granian zhiying.wsgi:application --interface wsgi --host 127.0.0.1 --port {port}"
    " --workers 1 --blocking-threads {threads} --no-ws",
}
PROFILE = "/api/user/profile"
MADE_ANEW = "made anew"
"""The same calls of a second server that keeps no answers."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--items", type=int, nargs="+", default=[1_000, 1_000_000])
    parser.add_argument("--waiting", type=int, nargs="+", default=[0, 100_000])
    parser.add_argument("--server", choices=SERVERS, nargs="+", default=["gunicorn"])
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3, help="of which the best one counts")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("This needs wrk.")
    for items, waiting in itertools.product(options.items, options.waiting):
        with database(options.database) as environment:
            known = fill(environment, items, waiting)
            for server in options.server:
                print(f"\n### {items:,} items, {waiting:,} waiting, {options.database}, {server}\n")
                measure_all(environment, known, server, options)


@contextlib.contextmanager
def database(kind: str) -> Iterator[dict[str, str]]:
    """The environment of a server with an empty database and data folder."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        environment = os.environ | {"DATA_DIR": folder, "PRODUCTION": "false", "LOG_LEVEL": "ERROR"}
        environment["SECRET_KEY"] = secrets.token_urlsafe(
            64
        )  # the token is made in one process and asked in another
        environment.pop("DATABASE_URL", None)
        if kind == "postgresql":
            environment["DATABASE_URL"] = stack.enter_context(run_postgresql())
        yield environment


def fill(environment: Mapping[str, str], items: int, waiting: int) -> dict[str, str]:
    """Fill the database in a process of its own; what it says: a token and ids."""
    command = [sys.executable, "-m", "bench.fill", str(items), str(waiting)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        timeout=FILL_TIMEOUT_S,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def measure_all(
    environment: Mapping[str, str], known: dict[str, str], server: str, options: argparse.Namespace
) -> None:
    batch, calls = f"/api/video/batches/{known['batch']}", "/api/video/batches"
    plan = {
        "profile": PROFILE,
        "poll, 304": f"304 {batch}",
        "poll of 50 items": batch,
        "list of 50 batches of 20, 304": f"304 {calls}",
        "list of 50 batches of 20": calls,
        "the same, without items": f"{calls}?summary=true",
        "poll of a waiting batch": f"{calls}/{known['waiting']}" if "waiting" in known else "",
        "ledger": "/api/user/credits",
        "all batches, 50": "/api/admin/batches",
        "all batches, 1,000 without items": "/api/admin/batches?limit=1000&summary=true",
        "users, 50": "/api/admin/users?limit=50",
        "users, part of a name": "/api/admin/users?limit=50&search=99",
        "usage, 30 days": "/api/admin/usage?days=30",
        "usage, 365 days": "/api/admin/usage?days=365",
    }
    anew = {"poll of 50 items": batch, "list of 50 batches of 20": calls}
    print("| call | answers/s | of profile | median ms |\n|---|---|---|---|")
    with serving(environment, server, options.threads) as origin:
        print_rows(origin, known["token"], plan, options)
    with serving({**environment, "ANSWER_CACHE_MB": "0"}, server, options.threads) as origin:
        print_rows(origin, known["token"], {f"{k}, {MADE_ANEW}": v for k, v in anew.items()}, options)


def print_rows(origin: str, token: str, plan: Mapping[str, str], options: argparse.Namespace) -> None:
    """Each call in turns with `profile`, so that a machine that others use at times is fair to both."""
    for name, path in plan.items():
        if path:
            turns = [
                (measure(origin, token, PROFILE, options)[0], *measure(origin, token, path, options))
                for _ in range(options.rounds)
            ]
            base, rate, median_ms = max(turns, key=lambda turn: turn[1])
            print(f"| {name} | {rate:.0f} | {rate / base:.2f} | {median_ms:.1f} |", flush=True)


def measure(origin: str, token: str, path: str, options: argparse.Namespace) -> tuple[float, float]:
    """Answers a second and the median in ms; every answer has to be the wanted one."""
    wanted, _, path = path.rpartition(" ")
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
    with urllib.request.urlopen(urllib.request.Request(origin + path, headers=headers), timeout=60) as answer:
        if wanted == "304":
            headers["If-None-Match"] = answer.headers["ETag"]
    arguments = [argument for name, value in headers.items() for argument in ("-H", f"{name}: {value}")]
    command = [
        "wrk",
        "-t1",
        f"-c{options.connections}",
        f"-d{options.seconds}s",
        "--latency",
        "--timeout",
        "30s",
    ]
    done = subprocess.run(
        [*command, *arguments, origin + path],
        capture_output=True,
        text=True,
        check=True,
        timeout=options.seconds + 60,
    )
    if problem := re.search(r"(Non-2xx|Socket errors).*", done.stdout):
        raise RuntimeError(f"{path}: {problem.group(0)}")
    median = re.search(r"50%\s+([\d.]+)(us|ms|s)", done.stdout)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert median, done.stdout
    assert rate, done.stdout
    return float(rate.group(1)), float(median.group(1)) * {"us": 0.001, "ms": 1, "s": 1000}[median.group(2)]


@contextlib.contextmanager
def serving(environment: Mapping[str, str], server: str, threads: int) -> Iterator[str]:
    """One web process, from ready until the block ends."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    program, *arguments = SERVERS[server].format(port=port, threads=threads).split()
    command = [str(Path(sys.executable).parent / program), *arguments]

    def ready() -> bool:
        with contextlib.suppress(OSError):
            return bool(urllib.request.urlopen(f"{origin}/healthz", timeout=5).status == 200)
        return False

    with (
        tempfile.TemporaryDirectory() as folder,
        running(
            command,
            ready=ready,
            log=Path(folder, "log"),
            environment={**environment, "PYTHONPATH": str(ROOT)},
            timeout_s=START_TIMEOUT_S,
        ),
    ):
        yield origin


if __name__ == "__main__":
    main()
