"""What a claim costs, however much waits and whatever was ever made.

    python -m bench.queue_claims [--database postgresql|sqlite] [--finished 1000000] [--waiting 1000000]
                                 [--users 10000] [--seconds 5] [--processes 1 2 4] [--explain]

Makes a database of its own, fills it by SQL, and has 1, 2 and 4 processes claim from it. Then one process
takes items through the whole queue (claim, start, lease and progress, finish) without rendering anything,
and, in an empty database, through the whole worker with an engine that only copies a file. `--explain`
prints the plan of a claim. Everything it started ends with it.
"""

import argparse
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROCESS_TIMEOUT_S = 300
COPIED_ITEMS = 100
READY = "ready"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--finished", type=int, default=1_000_000)
    parser.add_argument("--waiting", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--explain", action="store_true")
    options = parser.parse_args()

    from bench.api_reads import database, fill

    print(f"{options.database}, {options.users:,} users")
    print(f"{options.finished:,} items finished, {options.waiting:,} waiting")
    with database(options.database) as environment:
        environment["BENCH_USERS"] = str(options.users)
        fill(environment, options.finished, options.waiting)
        if options.explain:
            print(run_all(environment, ["explain"])[0])
        print("\n| | processes | a second | median ms | 99 % below ms |\n|---|---|---|---|---|")
        for name in ("claims", "items through the queue"):
            for number in options.processes if name == "claims" else [1]:
                measured = run_all(environment, [name, str(options.seconds)], number)
                print(row(name, number, options.seconds, measured), flush=True)
    with database(options.database) as environment:
        fill(environment, 0, 0)
        measured = run_all(environment | copying_engine(), ["items through a worker", "0"])
        print(row("items through a worker", 1, None, measured))


def row(name: str, processes: int, seconds: float | None, measured: Sequence[str]) -> str:
    took = sorted(float(line) for one in measured for line in one.split())
    seconds = seconds or sum(took) / 1000
    return (
        f"| {name} | {processes} | {len(took) / seconds:.0f} | {statistics.median(took):.1f}"
        f" | {took[int(len(took) * 0.99)]:.1f} |"
    )


def run_all(environment: Mapping[str, str], words: Sequence[str], number: int = 1) -> list[str]:
    """Run processes that begin at the same moment; what each printed."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.queue_claims_process", *words],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(number)
    ]
    try:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline().strip() == READY
        for process in processes:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        return [process.communicate(timeout=PROCESS_TIMEOUT_S)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()


def copying_engine() -> Mapping[str, str]:
    return {"EXTRA_ENGINES": "copy=bench.copying_engine:CopyingEngine", "GENERATION_ENGINE": "copy"}


if __name__ == "__main__":
    main()
