"""The S3 store trickles, is overloaded or away: nothing is lost, and all goes on by itself."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.faults.conftest import Servers
from tests.faults.site import LEASE_S, Person, Site, keys_of, new_site, open_the_way, until, worker_of
from tests.plugins.servers import needing_servers
from tests.servers import S3Server, run_s3
from tests.servers.process import LOOPBACK, scratch_folder
from tests.servers.switch import Switch
from tests.support.bad_way import Passage, Way
from tests.support.media import image_bytes, wav_bytes

pytestmark = [pytest.mark.faults]

AWAY = "SELECT 1 FROM workers WHERE trouble = 'store_away' AND state = 'paused'"


@dataclass(frozen=True)
class Remote:
    """An installation whose media lie in S3, with the way there in our hands."""

    site: Site
    passage: Passage
    weed: Switch
    s3: S3Server

    def stored(self, batch_id: str) -> set[str]:
        """Keys of what lies in the store as results of a batch."""
        prefix = f"batches/{batch_id}/result/"
        listed = self.s3.client().list_objects_v2(Bucket=self.s3.bucket, Prefix=prefix)
        return {entry["Key"] for entry in listed.get("Contents", [])}


@pytest.fixture(scope="module")
def remote(servers: Servers) -> Iterator[Remote]:
    weed = Switch()
    with ExitStack() as stack:
        with needing_servers():
            s3 = stack.enter_context(run_s3(run=weed.run))
        passage = stack.enter_context(Passage(urlsplit(s3.endpoint_url).port or 0).open())
        folder = stack.enter_context(scratch_folder("faults"))
        site = stack.enter_context(
            new_site(
                folder,
                servers.postgres_url,
                servers.redis_url,
                S3_BUCKET=s3.bucket,
                S3_ENDPOINT_URL=f"http://{LOOPBACK}:{passage.port}",
                S3_ACCESS_KEY_ID=s3.access_key,
                S3_SECRET_ACCESS_KEY=s3.secret_key,
                S3_REGION=s3.region,
            )
        )
        site.started(stack, site.web(), site.worker("worker"))
        yield Remote(site, passage, weed, s3)


@pytest.fixture(autouse=True)
def _good_again(remote: Remote) -> Iterator[None]:
    yield
    remote.passage.become(Way.GOOD)


def taken_while(way: Way, remote: Remote, user: Person, folder: Path) -> str:
    """A new batch of one item, accepted on a good way; its worker finds this one."""
    busy = remote.site.person()
    first = busy.batch_of("climb", folder=folder)
    until(lambda: list(folder.iterdir()), bool)  # it is fetched, and being rendered
    batch_id = user.batch_of("succeed")
    remote.passage.become(way)
    busy.call("POST", f"/api/video/batches/{first}/cancel")  # the worker is free, and has nothing to store
    return batch_id


def assert_shown_once(remote: Remote, user: Person, item: dict[str, Any]) -> None:
    assert remote.stored(str(item["batch_id"])) == keys_of(item)
    assert remote.site.entries(user) == {"charge": 1}
    intended = "SELECT 1 FROM file_deletions WHERE path LIKE %s"
    assert not remote.site.rows(intended, f"batches/{item['batch_id']}/%")


def test_a_store_that_trickles_for_longer_than_a_lease_costs_no_attempt(
    remote: Remote, tmp_path: Path
) -> None:
    user = remote.site.person()
    batch_id = taken_while(Way.TRICKLING, remote, user, tmp_path)
    done = remote.site.until_item(batch_id, "completed")
    began = remote.site.rows("SELECT started_at FROM video_items WHERE id = %s", done["id"])[0]["started_at"]
    assert (done["finished_at"] - began).total_seconds() > LEASE_S * 2
    assert (done["attempt"], done["tries"]) == (1, 1)
    assert_shown_once(remote, user, done)


def test_a_worker_killed_while_it_fetches_leaves_one_result(remote: Remote, tmp_path: Path) -> None:
    user = remote.site.person()
    batch_id = taken_while(Way.STUCK, remote, user, tmp_path)
    pid = worker_of(remote.site.until_item(batch_id, "processing"))
    until(lambda: remote.passage.is_asked() and remote.site.scratch_of(pid), bool)
    os.kill(pid, signal.SIGKILL)
    remote.passage.become(Way.GOOD)
    done = remote.site.until_item(batch_id, "completed", attempt=2)
    assert_shown_once(remote, user, done)
    until(lambda: remote.site.scratch_of(pid), lambda folders: not folders)


def test_an_overloaded_store_costs_nothing_and_everything_goes_on_by_itself(
    remote: Remote, tmp_path: Path
) -> None:
    user = remote.site.person()
    batch_id = taken_while(Way.BUSY, remote, user, tmp_path)
    until(lambda: remote.site.rows(AWAY), bool)
    assert remote.site.until_item(batch_id, "pending", attempt=1)["tries"] == 0
    assert_refused_for_a_while(user)
    remote.passage.become(Way.GOOD)
    done = remote.site.until_item(batch_id, "completed", attempt=2)
    assert done["tries"] == 1
    assert_shown_once(remote, user, done)


def test_a_store_that_ends_and_comes_back(remote: Remote, tmp_path: Path) -> None:
    user = remote.site.person()
    batch_id = user.batch_of("climb", "succeed", folder=tmp_path)
    remote.site.until_rendered(batch_id, tmp_path)
    with remote.weed.away(signal.SIGKILL):
        open_the_way(tmp_path)
        until(lambda: remote.site.rows(AWAY), bool)
        assert_refused_for_a_while(user)
    done = remote.site.until_item(batch_id, "completed", attempt=2)
    assert remote.stored(batch_id) >= keys_of(done)
    assert remote.site.entries(user) == {"charge": 1}


def assert_refused_for_a_while(user: Person) -> None:
    """Whoever submits now is told to come again, and pays nothing."""
    files = [("images", ("a.jpg", image_bytes())), ("audio", ("a.wav", wav_bytes()))]
    before = user.credits
    answer = user.call("POST", "/api/video/batch", files=files)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), answer.text
    assert answer.json()["part"] == "storage"
    assert int(answer.headers["Retry-After"]) > 0
    assert user.credits == before
