"""A server that is killed or stopped in the middle of work goes on where it was."""

import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.support.films import watch
from tests.support.gated_engine import Gate
from tests.support.live import Api, serving
from tests.support.media import short_speech, small_portrait

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("restarts")]

SETTINGS = {"SWEEP_INTERVAL_S": "1", "RENDER_RETRY_DELAY_S": "0.1", "HEARTBEAT_S": "0.2"}
STOP_TIMEOUT_S = 120


def submit(api: Api, images: int) -> str:
    return api.submit({f"{index}.jpg": small_portrait() for index in range(images)}, short_speech())


def ledger(data_dir: Path) -> dict[str, int]:
    """Number of entries by kind, read from the database file itself."""
    with sqlite3.connect(data_dir / "zhiying.sqlite3") as connection:
        return dict(connection.execute("SELECT kind, COUNT(*) FROM credit_entries GROUP BY kind"))


def attempts(data_dir: Path) -> list[int]:
    with sqlite3.connect(data_dir / "zhiying.sqlite3") as connection:
        return [row[0] for row in connection.execute("SELECT attempt FROM video_items ORDER BY attempt")]


def half_done(batch: Any) -> bool:
    """Something is finished, something is being rendered, something waits."""
    progress = batch["progress"]
    return bool(progress["completed"] and progress["processing"] and progress["pending"])


def test_a_server_killed_in_the_middle_of_six_items_finishes_all_of_them(tmp_path: Path) -> None:
    data_dir, gate = tmp_path / "data", Gate(tmp_path / "gate")
    gate.close(after=1)
    with serving(data_dir, **SETTINGS, **gate.variables) as platform:
        api = platform.login()
        batch_id = submit(api, 6)
        api.wait_for(batch_id, half_done)
        os.killpg(platform.process.pid, signal.SIGKILL)
        platform.process.wait()
    gate.open()
    with serving(data_dir, **SETTINGS, **gate.variables) as platform:
        api = platform.login()
        batch = api.wait(batch_id)
        assert batch["status"] == "completed", batch
        for item in batch["items"]:
            assert len(watch(api.call("GET", item["videoUrl"]).content).frames) == 30
        assert api.get("/api/user/profile")["credits"] == 94
    assert ledger(data_dir) == {"grant": 1, "charge": 6}
    assert max(attempts(data_dir)) == 2, "the server was killed while nothing rendered"


def test_a_server_stopped_by_control_c_gives_its_items_back_and_goes_on_later(tmp_path: Path) -> None:
    data_dir, gate = tmp_path / "data", Gate(tmp_path / "gate")
    gate.close(after=1)
    with serving(data_dir, **SETTINGS, **gate.variables) as platform:
        api = platform.login()
        batch_id = submit(api, 4)
        api.wait_for(batch_id, half_done)
        platform.process.send_signal(signal.SIGINT)
        assert platform.process.wait(STOP_TIMEOUT_S) == 0
        assert "Stopped." in platform.output
        assert "Traceback" not in platform.output
    with sqlite3.connect(data_dir / "zhiying.sqlite3") as connection:
        rows = list(connection.execute("SELECT status, tries, lease_until FROM video_items"))
    assert {status for status, *_ in rows} == {"completed", "pending"}
    assert all(row == ("pending", 0, None) for row in rows if row[0] == "pending"), "a stop is no try"
    gate.open()
    with serving(data_dir, **SETTINGS, **gate.variables) as platform:
        api = platform.login()
        assert api.wait(batch_id)["status"] == "completed"
    assert ledger(data_dir) == {"grant": 1, "charge": 4}


def test_an_idle_server_stops_when_asked(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as platform:
        platform.process.terminate()
        assert platform.process.wait(STOP_TIMEOUT_S) == 0
