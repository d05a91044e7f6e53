"""A hundred slow uploads to the embedded server hold no thread that answers."""

import time
from pathlib import Path

import pytest

from tests.support.live import serving
from tests.support.slow_uploads import SlowUploads

pytestmark = [pytest.mark.slow]

UPLOADS = 120
CALM_S = 0.5


def test_polls_and_probes_answer_beside_a_hundred_slow_uploads(tmp_path: Path) -> None:
    with serving(tmp_path / "data", WEB_THREADS="4") as platform:
        api = platform.login()
        port = int(platform.origin.rpartition(":")[2])
        durations = []
        with SlowUploads(UPLOADS, port, str(api.session.headers["Authorization"])) as uploads:
            for _ in range(10):
                uploads.trickle()
                for path in ("/api/user/profile", "/healthz", "/readyz"):
                    began = time.monotonic()
                    # A connection of its own: whoever comes new must be let in.
                    answer = api.call("GET", path, headers={"Connection": "close"})
                    assert answer.status_code == 200
                    durations.append(time.monotonic() - began)
    durations.sort()
    # A busy machine delays single answers; a thread that is held delays every one, and for seconds.
    assert durations[len(durations) // 2] < CALM_S, durations
    assert durations[-2] < CALM_S * 4, durations
