"""The plan of every query behind the hot reads: `python -m bench.explain_reads [--items N] [--waiting N]`.

Makes a database of its own on PostgreSQL, fills it by SQL, makes each call in one process and prints, for
each of its queries, how the rows were found and how long that took. Everything it started ends with it.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CALLS = {
    "profile": "/api/user/profile",
    "poll of a batch": "/api/video/batches/{batch}",
    "poll of a waiting batch": "/api/video/batches/{waiting}",
    "list of 50 batches": "/api/video/batches",
    "list, part of a name": "/api/video/batches?search=99",
    "ledger": "/api/user/credits",
    "all batches": "/api/admin/batches",
    "users, part of a name": "/api/admin/users?limit=50&search=99",
    "usage of 30 days": "/api/admin/usage?days=30",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--waiting", type=int, default=100_000)
    options = parser.parse_args()

    from bench.api_reads import database, fill

    with database("postgresql") as environment:
        known = fill(environment, options.items, options.waiting)
        words = [f"{name}={value}" for name, value in known.items()]
        command = [sys.executable, "-m", "bench.explain_reads", "--asked", *words]
        subprocess.run(command, cwd=ROOT, env={**environment, "ANSWER_CACHE_MB": "0"}, check=True)


def ask(known: dict[str, str]) -> None:
    """Print the plans; in a process whose environment names the database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhiying.settings")
    import django

    django.setup()
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from rest_framework.test import APIClient

    client = APIClient(HTTP_HOST="localhost")
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {known['token']}")
    for name, path in CALLS.items():
        address = path.format(**known)
        client.get(address)  # compiles and fills what is kept for good
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
        assert answer.status_code == 200, answer.content
        print(f"\n{name}")
        for query in captured.captured_queries:
            if query["sql"].startswith(("SELECT", "WITH")):
                with connection.cursor() as cursor:
                    cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {query['sql']}")
                    print(summary([line for (line,) in cursor.fetchall()]))


def summary(plan: list[str]) -> str:
    """Where the rows come from, in order, and how long the query took."""
    scans = [line.strip(" ->") for line in plan if " Scan" in line]
    took = plan[-1].removeprefix("Execution Time: ")
    return "\n".join(f"    {scan}" for scan in scans) + f"\n    = {took}"


if __name__ == "__main__":
    if "--asked" in sys.argv:
        ask(dict(word.split("=", 1) for word in sys.argv[2:]))
    else:
        main()
