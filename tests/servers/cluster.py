"""`make cluster`: the whole of docker-compose.yml as private processes, to look at and to break.

PostgreSQL, a broker, an S3 store, two web processes, two workers and nginx, on free ports and below temporary
folders. What dies is started again. `--once` does the main job and ends.
"""

import argparse
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from types import FrameType

from tests.servers.nginx import Nginx
from tests.servers.postgres import run_postgresql
from tests.servers.process import ServerError, scratch_folder
from tests.servers.rabbitmq import run_rabbitmq
from tests.servers.redis import run_redis
from tests.servers.s3 import S3Server, run_s3
from tests.servers.supervisor import Supervisor
from tests.servers.topology import Topology
from tests.support.main_job import ProxiedApi, do_main_job

BROKERS = {"rabbitmq": run_rabbitmq, "redis": run_redis}
HOST_NAME = "localhost"
WEB, WORKERS = 2, 2


def main() -> int:
    """Run until stopped; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    parser.add_argument("--broker", choices=BROKERS, default=os.environ.get("BROKER") or "rabbitmq")
    parser.add_argument("--once", action="store_true", help="do the main job, stop, and end with 0")
    told = parser.parse_args()
    stop_when_told()
    try:
        with running_cluster(told.broker, Supervisor(say)) as (topology, nginx, store):
            began = time.monotonic()
            _, films = do_main_job(ProxiedApi(nginx).login(topology.admin_password))
            say(f"The main job: {len(films)} portraits became videos in {time.monotonic() - began:.1f} s.")
            if not told.once:
                say(_where_to_look(topology, store))
                threading.Event().wait()
    except KeyboardInterrupt:
        pass
    except ServerError as error:
        say(str(error))
        return 1
    say("Stopped; nothing is left.")
    return 0


@contextlib.contextmanager
def running_cluster(
    broker: str,
    supervisor: Supervisor,
    *,
    variables: Mapping[str, str] | None = None,
    database_settings: Mapping[str, str] | None = None,
) -> Iterator[tuple[Topology, Nginx, S3Server]]:
    """All parts, from the moment that all are healthy.

    `variables` are further lines of .env, `database_settings` further ones of postgresql.conf.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(scratch_folder("cluster"))
        folder.chmod(0o755)  # nginx's workers are another user when root runs this
        say("Starting PostgreSQL, the broker and the store …")
        database_url = stack.enter_context(run_postgresql(run=supervisor.run, settings=database_settings))
        broker_url = stack.enter_context(BROKERS[broker](run=supervisor.run))
        store = stack.enter_context(run_s3(run=supervisor.run))
        topology = Topology(
            folder,
            database_url,
            broker_url,
            extra={
                "S3_BUCKET": store.bucket,
                "S3_ENDPOINT_URL": store.endpoint_url,
                "S3_ACCESS_KEY_ID": store.access_key,
                "S3_SECRET_ACCESS_KEY": store.secret_key,
                "S3_REGION": store.region,
                **(variables or {}),
            },
            host_name=HOST_NAME,
            run_server=supervisor.run,
        )
        say(f"Starting {WEB} web processes, {WORKERS} workers and nginx …")
        nginx = stack.enter_context(topology.up(web=WEB, workers=WORKERS))
        yield topology, nginx, store
        say("Stopping …")


def _where_to_look(topology: Topology, store: S3Server) -> str:
    lines = {
        "web application": f"{topology.public_url}/  (its certificate is its own: accept it)",
        "log in as": f"admin  {topology.admin_password}",
        "web processes": "  ".join(f"http://127.0.0.1:{port}/readyz" for port in topology.web_ports),
        "database": topology.database_url,
        "broker": topology.broker_url.partition("?")[0],
        "store": f"{store.endpoint_url}/{store.bucket}  (keys {store.access_key}, {store.secret_key})",
        "logs": f"{topology.folder}/*.log",
        "stop it": f"Ctrl-C, or: kill {os.getpid()}",
    }
    return "\n".join(["", *(f"  {name:<16} {text}" for name, text in lines.items()), ""])


def stop_when_told() -> None:
    """Ctrl-C and SIGTERM end the program in its own way, once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    """End once, and in peace: whoever asks again while parts are stopped changes nothing."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
