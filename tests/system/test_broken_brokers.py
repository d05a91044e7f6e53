"""A broker that hangs, or refuses messages for want of memory, holds up neither submissions nor renders."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from tests.plugins.servers import needing_servers
from tests.servers import S3Server, run_rabbitmq, run_redis
from tests.support import scripted_engine
from tests.support.live import Api
from tests.support.media import image_bytes, wav_bytes
from tests.system.test_many_machines import installed

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.xdist_group("broken brokers")]

QUICK = {"EXTRA_ENGINES": scripted_engine.VARIABLE, "GENERATION_ENGINE": scripted_engine.NAME}
"""The engine of these installations: what is made is not looked at, only that it is."""
SUBMISSIONS = 20
ANSWERED_WITHIN_S = 5
"""Generous for a busy machine; a hint that is waited for takes a connection's time-out, tens of seconds."""


@contextlib.contextmanager
def stopped(url: str) -> Iterator[None]:
    """The process that listens at the URL's port is frozen: connections stay, and nothing answers."""
    port = urlsplit(url).port
    [pid] = {
        listener.pid
        for listener in psutil.net_connections("tcp4")
        if listener.status == psutil.CONN_LISTEN and tuple(listener.laddr)[1:] == (port,) and listener.pid
    }
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def in_alarm() -> AbstractContextManager[str]:
    return run_rabbitmq("vm_memory_high_watermark.absolute = 1MB")


def nothing(url: str) -> AbstractContextManager[None]:
    return contextlib.nullcontext()


@pytest.mark.parametrize(
    ("start", "troubles"),
    [
        pytest.param(run_redis, [stopped], id="redis stopped"),
        pytest.param(in_alarm, [nothing, stopped], id="rabbitmq in alarm, then stopped"),
    ],
)
def test_everything_is_accepted_at_once_and_rendered(
    start: Callable[[], AbstractContextManager[str]],
    troubles: Sequence[Callable[[str], AbstractContextManager[None]]],
    postgres_url: str,
    s3_server: S3Server,
    tmp_path: Path,
) -> None:
    with contextlib.ExitStack() as stack:
        with needing_servers():
            url = stack.enter_context(start())
        site = installed(postgres_url, url, s3_server, tmp_path, admin=True, **QUICK)
        installation = stack.enter_context(site)
        api = stack.enter_context(installation.web()).login()
        stack.enter_context(installation.worker("worker"))
        api.wait(api.submit({"warm.jpg": image_bytes()}, wav_bytes()))  # connections are there
        for trouble in troubles:
            with trouble(url):
                batches = [submitted(api) for _ in range(SUBMISSIONS)]
                assert {api.wait(batch_id)["status"] for batch_id in batches} == {"completed"}
        assert api.get("/api/user/profile")["credits"] == 100 - 1 - SUBMISSIONS * len(troubles)


def submitted(api: Api) -> str:
    """A batch of one image, accepted in time, while probes are answered, too."""
    files = [("images", ("a.jpg", image_bytes())), ("audio", ("speech.wav", wav_bytes()))]
    answer = api.session.post(f"{api.origin}/api/video/batch", files=files, timeout=ANSWERED_WITHIN_S)
    assert answer.status_code == 201, answer.text
    assert requests.get(f"{api.origin}/healthz", timeout=ANSWERED_WITHIN_S).ok
    return str(answer.json()["batch_id"])
