"""Machines whose clocks are an hour fast and an hour slow: what counts is the database's."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit
from uuid import uuid4

import pyotp
import pytest
import requests

from tests.faults.conftest import Servers
from tests.faults.site import LEASE_S, Person, Site, login, new_site, open_the_way, until, worker_of
from tests.plugins.environment import ROOT
from tests.servers.process import scratch_folder
from tests.support.live import ADMIN_PASSWORD, Api
from tests.support.media import image_bytes, wav_bytes

pytestmark = [pytest.mark.faults]

HOUR_S = 3600
LIFETIME_S = 900
"""Of access tokens: shorter than the clocks are apart."""
FAILURES = 2
RETENTION_DAYS = 2
MOMENT_S = 600
"""Less than a clock is wrong, and more than a busy machine takes for a call."""


def clock(ahead_s: int) -> dict[str, str]:
    """The environment of a process whose clock is wrong by so much."""
    shifting = ROOT / "tests" / "support" / "wrong_clock"
    return {"WRONG_CLOCK_S": str(ahead_s), "PYTHONPATH": os.pathsep.join(map(str, (ROOT, shifting)))}


@dataclass(frozen=True)
class Apart:
    """An installation with two web processes and two workers; `fast` is the other one's origin."""

    site: Site
    fast: str

    @property
    def there_and_back(self) -> list[tuple[str, str]]:
        """Who does something, and who is asked about it afterwards."""
        return [(self.site.origin, self.fast), (self.fast, self.site.origin)]

    def seconds_from_now(self, query: LiteralString, *values: Any) -> float:
        """How far the only time that a query gives is ahead of the database's clock."""
        [row] = self.site.rows(query, *values)
        [time] = row.values()
        [now] = self.site.rows("SELECT now() AS now")
        return float((time - now["now"]).total_seconds())


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
                LOGIN_FAILURE_LIMIT=str(FAILURES),
                ADMIN_TOTP="optional",
                RETENTION_DAYS=str(RETENTION_DAYS),
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
    for home, away in apart.there_and_back:
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
    told = {"username": user.name, "password": ADMIN_PASSWORD}
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


def tried(origin: str, name: str, password: str, **more: str) -> requests.Response:
    told = {"username": name, "password": password, **more}
    return requests.post(f"{origin}/api/auth/login", json=told, timeout=60)


def test_whoever_is_locked_out_at_one_web_process_is_so_at_another_and_for_as_long(apart: Apart) -> None:
    counted_until = "SELECT expires_at FROM login_counters WHERE user_id = %s AND kind = 'place'"
    for home, away in apart.there_and_back:
        user = apart.site.person()
        answers = [tried(home, user.name, f"wrong-{number}-{uuid4().hex}") for number in range(FAILURES)]
        assert [answer.status_code for answer in answers] == [401, 429]
        assert 0 < apart.seconds_from_now(counted_until, user.id) <= LIFETIME_S
        locked = tried(away, user.name, ADMIN_PASSWORD)
        assert (locked.status_code, locked.json()["code"]) == (429, "too_many_attempts")
        assert int(locked.headers["Retry-After"]) <= LIFETIME_S
        apart.site.write(
            "UPDATE login_counters SET expires_at = now() - interval '1 s' WHERE user_id = %s", user.id
        )
        assert tried(away, user.name, ADMIN_PASSWORD).status_code == 200


def test_a_code_of_the_second_factor_is_good_once_at_whichever_web_process(apart: Apart) -> None:
    for home, away in apart.there_and_back:
        admin = apart.site.person(is_admin=True)
        begun = admin.call("POST", f"{home}/api/user/totp", json={"password": ADMIN_PASSWORD})
        codes = pyotp.TOTP(begun.json()["secret"])
        confirmed = admin.call("POST", f"{home}/api/user/totp/confirm", json={"code": codes.now()})
        assert confirmed.status_code == 200, confirmed.text
        next_one = codes.at(datetime.now(UTC) + timedelta(seconds=30))  # a clock may be wrong by one step
        assert tried(away, admin.name, ADMIN_PASSWORD, otp=next_one).status_code == 200
        again = tried(home, admin.name, ADMIN_PASSWORD, otp=next_one)
        assert (again.status_code, again.json()["code"]) == (401, "otp_invalid")


def test_files_are_kept_for_as_long_as_the_rule_says(apart: Apart) -> None:
    """Whoever takes the batch, and whichever worker clears up."""
    user, batches = apart.site.person(), []
    for home, away in apart.there_and_back:
        user.origin = home
        batch_id = user.batch_of("succeed")
        apart.site.until_ended(batch_id)
        batches.append(batch_id)
        expiry = "SELECT expires_at FROM batches WHERE id = %s"
        assert in_time(apart.seconds_from_now(expiry, batch_id), RETENTION_DAYS * 24 * HOUR_S)
        assert user.call("GET", f"{away}/api/video/batches/{batch_id}").status_code == 200
    due, not_due = batches
    for batch_id, ahead_s in ((due, -1), (not_due, MOMENT_S)):
        apart.site.write(
            "UPDATE batches SET created_at = created_at - make_interval(days => %s), "
            "expires_at = now() + make_interval(secs => %s) WHERE id = %s",
            RETENTION_DAYS,
            ahead_s,
            batch_id,
        )
    gone = "SELECT id FROM batches WHERE files_removed_at IS NOT NULL AND user_id = %s"
    for _ in range(2):  # by one of the workers; once more, so that it has come to its end
        apart.site.write("UPDATE queue_state SET cleaned_at = NULL")
        until(lambda: apart.site.rows("SELECT 1 FROM queue_state WHERE cleaned_at IS NOT NULL"), bool)
    found = until(lambda: apart.site.rows(gone, user.id), bool)
    assert [str(row["id"]) for row in found] == [due]


def in_time(found_s: float, expected_s: float) -> bool:
    return expected_s - MOMENT_S < found_s <= expected_s


def test_an_answer_is_given_again_for_a_day_and_not_longer(apart: Apart) -> None:
    user = apart.site.person()
    day_s = 24 * HOUR_S
    aged = "UPDATE idempotency_records SET created_at = now() - make_interval(secs => %s) WHERE key = %s"
    for home, away in apart.there_and_back:
        key = uuid4().hex
        batch_id = submitted(home, user, key)
        apart.site.write(aged, day_s - MOMENT_S, key)
        assert submitted(away, user, key) == batch_id
        apart.site.write(aged, day_s + 1, key)
        assert submitted(away, user, key) != batch_id


def submitted(origin: str, user: Person, key: str) -> str:
    files = [("images", ("a.jpg", image_bytes())), ("audio", ("a.wav", wav_bytes()))]
    answer = user.call("POST", f"{origin}/api/video/batch", files=files, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["batch_id"])


def test_a_shared_link_and_an_upload_end_for_all_at_the_same_time(apart: Apart) -> None:
    user = apart.site.person()
    batch_id = user.batch_of("succeed")
    photo = {"name": "a.jpg", "size": 3, "content_type": "image/jpeg"}
    for home, away in apart.there_and_back:
        made = user.call("POST", f"{home}/api/video/batches/{batch_id}/shares", json={"days": 1}).json()
        page = away + urlsplit(made["url"]).path
        begun = user.call("POST", f"{home}/api/video/uploads", json={"files": [photo]}).json()
        upload = f"{away}/api/video/uploads/{begun['uploads'][0]['key']}"
        apart.site.write("UPDATE shares SET expires_at = now() + make_interval(secs => %s)", MOMENT_S)
        apart.site.write("UPDATE uploads SET expires_at = now() + make_interval(secs => %s)", MOMENT_S)
        assert statuses(user, page, upload) == {200}
        apart.site.write("UPDATE shares SET expires_at = now() - interval '1 s'")
        apart.site.write("UPDATE uploads SET expires_at = now() - interval '1 s'")
        assert statuses(user, page, upload) == {404}


def statuses(user: Person, *addresses: str) -> set[int]:
    return {user.call("GET", address).status_code for address in addresses}


def test_what_is_written_down_has_the_time_of_the_database(apart: Apart) -> None:
    """Entries of the ledger and of the audit log, batches, uploads, and the hour of a budget of checks."""
    times: list[tuple[LiteralString, float]] = [
        ("SELECT created_at FROM batches WHERE user_id = %s", 0),
        ("SELECT created_at FROM credit_entries WHERE user_id = %s AND kind = 'charge'", 0),
        ("SELECT created_at FROM audit_entries WHERE owner_id = %s AND action = 'user.create'", 0),
        ("SELECT expires_at FROM uploads WHERE user_id = %s", 24 * HOUR_S),
        ("SELECT hour + interval '1 h' FROM check_budgets WHERE user_id = %s AND used = 1", HOUR_S),
    ]
    for home, away in apart.there_and_back:
        user = apart.site.person()
        user.origin = home
        user.batch_of("succeed")
        photo = {"name": "a.jpg", "size": 3, "content_type": "image/jpeg"}
        assert user.call("POST", "/api/video/uploads", json={"files": [photo]}).status_code == 201
        files = [("images", ("a.jpg", image_bytes())), ("audio", ("a.wav", wav_bytes()))]
        checked = user.call("POST", f"{away}/api/video/batch?dry_run=true", files=files)
        assert checked.status_code == 200, checked.text
        for query, expected_s in times:
            allowed_s = HOUR_S if "hour" in query else MOMENT_S
            ahead_s = apart.seconds_from_now(query, user.id)
            assert expected_s - allowed_s < ahead_s <= expected_s, query
