"""Messages are hints: whatever becomes of them and of their broker, what was accepted is rendered."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from tests.faults.conftest import WORKERS, Servers
from tests.faults.site import SOON_S, Person, Site, new_site, open_the_way, until
from tests.plugins.servers import needing_servers
from tests.servers import run_rabbitmq
from tests.servers.process import scratch_folder
from tests.servers.switch import Switch

pytestmark = [pytest.mark.faults]

QUEUED = 50


def submitted_in_turn(person: Person, *acts: str) -> list[str]:
    """Accepted at once. A busy machine delays single answers; a broker that is waited for delays all."""
    batches, durations = [], []
    for _ in range(3):
        began = time.monotonic()
        batches.append(person.batch_of(*acts))
        durations.append(time.monotonic() - began)
    assert min(durations) < SOON_S, durations
    return batches


def test_a_web_process_killed_between_commit_and_message_loses_nothing(site: Site, servers: Servers) -> None:
    """The broker is away, so no message has left when the answer comes; then there is nobody to send it."""
    user = site.person()
    with servers.redis.away():
        batch_id = submitted_in_turn(user, "succeed")[-1]
        site.kill_web()
        assert site.until_item(batch_id, "completed")["attempt"] == 1
    until(site.is_up, bool)
    assert user.batch(batch_id)["status"] == "completed"


def test_redis_forgets_everything_while_fifty_items_wait(
    site: Site, servers: Servers, tmp_path: Path
) -> None:
    user = site.person()
    queued = user.batch_of("climb", folder=tmp_path, images=QUEUED)
    user.wait_for(queued, lambda batch: batch["progress"]["processing"])
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushall()
    batches = [queued, *submitted_in_turn(user, "succeed")]
    open_the_way(tmp_path)
    assert site.until_ended(*batches) == {"completed"}
    assert site.entries(user) == {"charge": QUEUED + 3}


def goes_on_over_a_restart(site: Site, broker: Switch, folder: Path, workers: set[int]) -> None:
    """Before, during and after: all is accepted at once and rendered, by the workers that were there."""
    user = site.person()
    batches = [user.batch_of("climb", folder=folder, images=5)]
    user.wait_for(batches[0], lambda batch: batch["progress"]["processing"])
    with broker.away():
        batches += submitted_in_turn(user, "succeed")
        open_the_way(folder)
        site.until_ended(batches[-1])
    batches += submitted_in_turn(user, "succeed")
    assert site.until_ended(*batches) == {"completed"}
    assert site.entries(user) == {"charge": 11}
    assert site.until_all_work(len(workers)) == workers


def test_redis_restarted_in_the_middle_of_work(site: Site, servers: Servers, tmp_path: Path) -> None:
    goes_on_over_a_restart(site, servers.redis, tmp_path, site.until_all_work(WORKERS))


def test_rabbitmq_restarted_in_the_middle_of_work(servers: Servers, tmp_path: Path) -> None:
    rabbitmq = Switch()
    with ExitStack() as stack:
        with needing_servers():
            url = stack.enter_context(run_rabbitmq(run=rabbitmq.run))
        folder = stack.enter_context(scratch_folder("faults"))
        site = stack.enter_context(new_site(folder, servers.postgres_url, url))
        site.started(stack, site.web(), site.worker("worker"))
        goes_on_over_a_restart(site, rabbitmq, tmp_path, site.until_all_work(1))
