"""A batch over two engines, one of which dies half-way while workers are killed: nothing is made twice."""

import os
import random
import signal
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.conftest import Servers
from tests.faults.site import CREDITS, new_site, until
from tests.standins.openai_videos import OpenAIVideosServer
from tests.standins.server import Fault
from tests.support import scripted_engine

pytestmark = [pytest.mark.faults]

REMOTE = "openai-videos"
IMAGES = 50
FOR_EVER = 10**9
KILLED_AFTER = 4
"""So many videos end between two deaths: how fast the machine is decides nothing."""
JOBS_END_AFTER_S = 45
"""What a dead server has is given up then."""
TIMEOUT_S = 420.0


def test_a_batch_over_two_engines_one_of_which_dies(servers: Servers, tmp_path: Path) -> None:
    dice = random.Random(7)
    with ExitStack() as stack:
        server = stack.enter_context(OpenAIVideosServer().serving())
        settings = {
            "GENERATION_ENGINES": REMOTE,
            "OPENAI_VIDEOS_URL": server.url,
            "OPENAI_VIDEOS_SECURED": "yes",
            "OPENAI_VIDEOS_CONCURRENT": "8",
            "FALLBACK_AFTER_S": "3",
            "REMOTE_TIME_LIMIT_S": str(JOBS_END_AFTER_S),
        }
        site = stack.enter_context(new_site(tmp_path, servers.postgres_url, servers.redis_url, **settings))
        (tmp_path / "key").write_text(server.key)
        site.manage("engine_credential", REMOTE, "--file", str(tmp_path / "key"))
        site.started(
            stack,
            site.web(),
            site.worker("remote-1", WORKER_ENGINES=REMOTE),
            site.worker("remote-2", WORKER_ENGINES=REMOTE),
            site.worker("local", WORKER_ENGINES=scripted_engine.NAME),
        )
        site.write(
            "INSERT INTO engine_rules (position, enabled, engine, fallbacks, offered, prompt)"
            " VALUES (1, true, %s, %s, false, 'any')",
            REMOTE,
            scripted_engine.NAME,
        )
        user = site.person()
        server.autorun = True
        batch_id = user.batch_of("succeed", images=IMAGES)
        killed_at = [0]

        def go_on() -> Counter[str]:
            """Kill somebody whenever a few more have ended; gives the items by state."""
            states = Counter(item["status"] for item in site.items(batch_id))
            ended = states["completed"] + states["failed"]
            victims = sorted(site.workers())
            if victims and ended - killed_at[-1] >= KILLED_AFTER:
                os.kill(dice.choice(victims), signal.SIGKILL)
                killed_at.append(ended)
            return states

        until(go_on, lambda states: states["completed"] >= IMAGES // 4, timeout_s=TIMEOUT_S)
        server.autorun = False
        server.faults.append(Fault("dropped", times=FOR_EVER))
        until(go_on, lambda states: not states["pending"] + states["processing"], timeout_s=TIMEOUT_S)
        items = site.items(batch_id)
        assert {item["status"] for item in items} <= {"completed", "failed"}
        by_engine = [item["made_by"] for item in items if item["status"] == "completed"]
        assert {REMOTE, scripted_engine.NAME} <= set(by_engine)
        # What the server was given is made there or by nobody.
        assert len(server.jobs) + by_engine.count(scripted_engine.NAME) <= IMAGES
        failed = [item for item in items if item["status"] == "failed"]
        entries = site.entries(user)
        assert entries["charge"] == IMAGES
        assert entries.get("refund", 0) == len(failed)
        assert user.credits == CREDITS - IMAGES + len(failed)
        assert len(killed_at) > 3, "nobody was killed"
