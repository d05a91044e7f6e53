"""How gunicorn serves. `deploy/web` starts it with these settings."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

wsgi_app = "zhiying.wsgi:application"
_host = os.environ.get("HOST") or "127.0.0.1"
bind = f"{f'[{_host}]' if ':' in _host else _host}:{os.environ.get('PORT') or '8000'}"
chdir = str(Path(__file__).resolve().parent.parent)

worker_class = "zhiying.web_worker.HospitableWorker"
workers = int(os.environ.get("WEB_PROCESSES") or 2)
threads = int(os.environ.get("WEB_THREADS") or 16)
"""Held by whole requests only: nginx takes in slow ones (deploy/nginx.conf)."""

keepalive = 75
"""Seconds. Longer than nginx keeps idle connections to us, so that it never writes into one that closes."""
timeout = 120
"""Seconds without a sign of life of a whole process; slow requests are no sign of death with threads."""
graceful_timeout = 30
max_requests = 20_000
max_requests_jitter = 2_000
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  (gunicorn's heartbeat; no disk)
control_socket_disable = True
forwarded_allow_ips = "*"
"""Who may reach this port is the network's business; NUM_PROXIES decides what is believed."""

accesslog = "-"
access_log_format = '%({x-forwarded-for}i)s "%(m)s %(U)s" %(s)s %(B)s %(L)ss'
"""The path alone: queries may carry permissions. Behind nginx all connections come from one address."""
logger_class = "zhiying.web_log.QuietLogger"

if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:  # a reload reads this file again
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="zhiying-metrics-")
"""Where the processes keep their counters, so that each can tell the sums (zhiying/metrics.py)."""


def on_starting(server: Any) -> None:
    """Refuse what would accept work that nobody ever does."""
    if not os.environ.get("BROKER_URL_FILE") and (os.environ.get("BROKER_URL") or "memory://") == "memory://":
        sys.exit("BROKER_URL is not set: these processes would have no workers. One machine: `make run`.")
    from engines.sandbox import hide_from_children

    hide_from_children()


def pre_fork(server: Any, worker: Any) -> None:
    """Give a process the lowest number that no living one has.

    A successor takes its predecessor's counters over instead of beginning anew: they never go backwards,
    and there are no more files than processes.
    """
    taken = {other.number for other in server.WORKERS.values()}
    worker.number = next(number for number in range(len(taken) + 1) if number not in taken)


def post_fork(server: Any, worker: Any) -> None:
    """Before the application, and with it any metric, exists in the new process."""
    from prometheus_client import values

    values.ValueClass = values.MultiProcessValue(lambda: worker.number)


def on_exit(server: Any) -> None:
    """The counters end with the server."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
