"""Machines whose clocks are an hour fast and an hour slow: what counts is the database's."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.faults.conftest import Servers
from tests.faults.site import LEASE_S, Person, Site, login, new_site, open_the_way, until, worker_of
from tests.plugins.environment import ROOT
from tests.servers.process import scratch_folder
from tests.support.live import Api

pytestmark = [pytest.mark.faults]

HOUR_S = 3600
LIFETIME_S = 900
"""Of access tokens: shorter than the clocks are apart."""


def clock(ahead_s: int) -> dict[str, str]:
    """The environment of a process whose clock is wrong by so much."""
    shifting = ROOT / "tests" / "support" / "wrong_clock"
    return {"WRONG_CLOCK_S": str(ahead_s), "PYTHONPATH": os.pathsep.join(map(str, (ROOT, shifting)))}


@dataclass(frozen=True)
class Apart:
    """An installation with two web processes and two workers; `fast` is the other one's origin."""

    site: Site
    fast: str


@pytest.fixture(scope="module")
def apart(servers: Servers) -> Iterator[Apart]:
    fast, slow = clock(HOUR_S), clock(-HOUR_S)
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder("faults"))
        site = stack.enter_context(
            new_site(
                folder,
                servers.postgres_url,
                servers.redis_url,
                ACCESS_TOKEN_LIFETIME_S=str(LIFETIME_S),
                RENDER_RETRY_DELAY_S=str(LEASE_S),
            )
        )
        workers = [site.worker("worker-slow", **slow), site.worker("worker-fast", **fast)]
        _, other, *_ = site.started(stack, site.web(**slow), site.web("web-fast", **fast), *workers)
        yield Apart(site, other)


def test_nobody_takes_what_another_renders(apart: Apart, tmp_path: Path) -> None:
    """Two items, one for each worker, for longer than two leases."""
    user = apart.site.person()
    batch_id = user.batch_of("climb", folder=tmp_path, images=2)
    items = until(lambda: apart.site.items(batch_id), in_the_works)
    assert len({worker_of(item) for item in items}) == 2
    began = max(item["started_at"] for item in items)
    long_ago = "SELECT now() > %s + make_interval(secs => %s) AS so"
    until(lambda: apart.site.rows(long_ago, began, LEASE_S * 2), lambda rows: bool(rows[0]["so"]))
    assert [item["attempt"] for item in apart.site.items(batch_id)] == [1, 1]
    open_the_way(tmp_path)
    assert user.wait(batch_id)["status"] == "completed"
    assert [item["attempt"] for item in apart.site.items(batch_id)] == [1, 1]


def in_the_works(items: list[dict[str, Any]]) -> bool:
    return all(item["status"] == "processing" for item in items)


def test_no_try_begins_before_its_pause_is_over_and_none_waits_for_long(apart: Apart, tmp_path: Path) -> None:
    for origin in (apart.site.origin, apart.fast):
        user = apart.site.person()
        user.origin = origin
        login(user, user.name)
        batch_id = user.batch_of("crash", "succeed", folder=tmp_path)
        done = apart.site.until_item(batch_id, "completed")
        assert done["attempt"] == 2
        waited_s = (done["started_at"] - done["queued_at"]).total_seconds()
        assert waited_s >= LEASE_S, "as long as the pause"
        assert done["started_at"] >= done["not_before"]


def test_tokens_are_good_at_every_web_process_for_as_long_as_they_say(apart: Apart) -> None:
    user = apart.site.person()
    for home, away in ((apart.site.origin, apart.fast), (apart.fast, apart.site.origin)):
        visitor = Api(home)
        login(visitor, user.name)
        for origin in (home, away):
            assert visitor.call("GET", f"{origin}/api/user/profile").status_code == 200
        assert refreshed_at(away, home, user) == 200
    expire(apart.site, user)
    for origin in (apart.site.origin, apart.fast):
        assert user.call("GET", f"{origin}/api/user/profile").status_code == 401


def refreshed_at(away: str, home: str, user: Person) -> int:
    """What a web process answers to a refresh token of another's."""
    told = {"username": user.name, "password": "Correct-Horse-7"}
    tokens = requests.post(f"{home}/api/auth/login", json=told, timeout=60).json()
    answer = requests.post(f"{away}/api/auth/refresh", json={"refresh": tokens["refresh"]}, timeout=60)
    return answer.status_code


def expire(site: Site, user: Person) -> None:
    """The session's time is over by the database's clock, by a second."""
    site.write("UPDATE sessions SET expires_at = now() - interval '1 s' WHERE user_id = %s", user.id)


def test_a_link_of_one_web_process_is_good_at_another(apart: Apart) -> None:
    user = apart.site.person()
    batch = user.wait(user.batch_of("succeed"))
    link = batch["items"][0]["videoUrl"].replace(apart.site.origin, apart.fast)
    assert requests.get(link, timeout=60).status_code == 200
