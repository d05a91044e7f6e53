"""What hundreds of jobs at a remote engine's server cost: `python -m bench.remote_jobs [--embedded]`.

A worker process on PostgreSQL and Redis (or an embedded installation, which is web server and worker in one
process) carries them against a stand-in server that takes jobs and tells how far they are; nothing ends while
it is measured. Says the processor and the resident memory of that process.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from tests.faults.site import new_site
from tests.servers import run_postgresql, run_redis
from tests.servers.process import wait_until
from tests.standins.lightx2v_cloud import LightX2VCloudServer
from tests.support.live import Api, serving
from tests.support.media import image_bytes, wav_bytes

BATCH = 50
CREDITS = 100_000
TIMEOUT_S = 600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--embedded", action="store_true", help="web server and worker in one process")
    options = parser.parse_args()
    with LightX2VCloudServer().serving() as server, tempfile.TemporaryDirectory() as folder:
        settings = {
            "GENERATION_ENGINE": "lightx2v-cloud",
            "LIGHTX2V_CLOUD_URL": server.url,
            "LIGHTX2V_CLOUD_ACTIVE": str(options.jobs),
            "LIGHTX2V_CLOUD_A_DAY": "100000",
            "ENGINE_CREDENTIAL": server.access,
        }
        server.active = server.daily = 100_000
        installation = embedded if options.embedded else worker_alone
        with installation(Path(folder), settings) as (api, process):
            began = time.monotonic()
            images = {f"{number}.jpg": image_bytes(512) for number in range(BATCH)}
            for _ in range(options.jobs // BATCH):
                api.submit(images, wav_bytes(2.0))
            wait_until(
                lambda: len(server.jobs) >= options.jobs, timeout_s=TIMEOUT_S, what=f"{options.jobs} jobs"
            )
            print(f"{options.jobs} jobs sent in {time.monotonic() - began:.0f} s")
            measure(process, server, options.seconds)


@contextmanager
def embedded(folder: Path, settings: dict[str, str]) -> Iterator[tuple[Api, psutil.Process]]:
    with serving(folder / "data", **settings) as platform:
        api = platform.login()
        admin = api.get("/api/user/profile")["id"]
        api.call("POST", "/api/admin/credits", json={"user_id": admin, "credits": CREDITS})
        yield api, psutil.Process(platform.process.pid)


@contextmanager
def worker_alone(folder: Path, settings: dict[str, str]) -> Iterator[tuple[Api, psutil.Process]]:
    """With leases as they are by default; the site's are those of a test."""
    defaults = {"LEASE_S": "20", "HEARTBEAT_S": "2", "SWEEP_INTERVAL_S": "5", "IDLE_LOOK_S": "2"}
    with ExitStack() as stack:
        database, broker = stack.enter_context(run_postgresql()), stack.enter_context(run_redis())
        site = stack.enter_context(new_site(folder, database, broker, **defaults, **settings))
        site.started(stack, site.web(), site.worker("worker"))
        [worker] = site.workers()
        yield site.person(), psutil.Process(worker)


def measure(process: psutil.Process, server: LightX2VCloudServer, seconds: float) -> None:
    asked = len(server.requests)
    used, began = sum(process.cpu_times()[:2]), time.monotonic()
    time.sleep(seconds)
    used, took = sum(process.cpu_times()[:2]) - used, time.monotonic() - began
    print(f"processor: {100 * used / took:.1f} % of a core over {took:.0f} s")
    print(f"requests to the server: {(len(server.requests) - asked) / took:.1f} a second")
    print(f"resident memory: {process.memory_info().rss / 1e6:.0f} MB, {process.num_threads()} threads")


if __name__ == "__main__":
    main()
