"""What hundreds of jobs at a remote engine's server cost: `python -m bench.remote_jobs`.

An embedded installation carries them against a stand-in server that takes jobs and tells how far they are;
nothing ends while it is measured. Says the processor and the resident memory of the whole process, the web
server in it included.
"""

import argparse
import tempfile
import time
from pathlib import Path

import psutil

from tests.servers.process import wait_until
from tests.standins.lightx2v_cloud import LightX2VCloudServer
from tests.support.live import serving
from tests.support.media import image_bytes, wav_bytes

BATCH = 50
TIMEOUT_S = 600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    with LightX2VCloudServer().serving() as server, tempfile.TemporaryDirectory() as folder:
        settings = {
            "GENERATION_ENGINE": "lightx2v-cloud",
            "LIGHTX2V_CLOUD_URL": server.url,
            "LIGHTX2V_CLOUD_ACTIVE": str(options.jobs),
            "LIGHTX2V_CLOUD_A_DAY": "100000",
            "ENGINE_CREDENTIAL": server.access,
            "SIGNUP_CREDITS": "100000",
        }
        server.active = server.daily = 100_000
        with serving(Path(folder) / "data", **settings) as platform:
            api, began = platform.login(), time.monotonic()
            admin = api.get("/api/user/profile")["id"]
            api.call("POST", "/api/admin/credits", json={"user_id": admin, "credits": 100_000})
            images = {f"{number}.jpg": image_bytes(512) for number in range(BATCH)}
            for _ in range(options.jobs // BATCH):
                api.submit(images, wav_bytes(2.0))
            wait_until(
                lambda: len(server.jobs) >= options.jobs, timeout_s=TIMEOUT_S, what=f"{options.jobs} jobs"
            )
            print(f"{options.jobs} jobs sent in {time.monotonic() - began:.0f} s")
            measure(psutil.Process(platform.process.pid), server, options.seconds)


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
