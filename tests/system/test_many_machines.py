"""The parts of a large installation as processes of their own: database, broker, store, web, workers."""

import contextlib
import io
import os
import secrets
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import run
from uuid import uuid4

import psutil
import psycopg
import pytest
import requests

from tests.plugins.environment import ROOT
from tests.servers import S3Server
from tests.servers.process import LOOPBACK, free_port, running
from tests.support.films import watch
from tests.support.gated_engine import Gate
from tests.support.live import (
    ADMIN_PASSWORD,
    START_TIMEOUT_S,
    Platform,
    answers,
    clean_environment,
    manage,
)
from tests.support.media import short_speech, small_portrait
from tests.support.migrated import migrated_template
from tests.system.test_restarts import half_done

pytestmark = [pytest.mark.slow]

GATE = "gate"
ENDS_WITHIN_S = 20


@dataclass(frozen=True)
class Installation:
    """What every process of it is told."""

    origin: str
    environment: Mapping[str, str]
    folder: Path

    @property
    def gate(self) -> Gate:
        return Gate(self.folder / GATE)

    @contextlib.contextmanager
    def web(self) -> Iterator[Platform]:
        bind = self.origin.removeprefix("http://")
        command = [sys.executable, "-m", "gunicorn", "zhiying.wsgi", "--bind", bind, "--chdir", str(ROOT)]
        log = self.folder / "web.log"
        with running(
            [*command, "--worker-class", "gthread", "--threads", "4"],
            ready=lambda: answers(self.origin),
            log=log,
            environment=self.environment,
            timeout_s=START_TIMEOUT_S,
        ) as process:
            yield Platform(self.origin, process, log)

    @contextlib.contextmanager
    def worker(self, name: str) -> Iterator[int]:
        """A worker process with one thread; gives the id of its process group."""
        log = self.folder / f"{name}.log"
        with running(
            manage("rundramatiq", "--processes", "1", "--threads", "1"),
            ready=lambda: "booting up" in log.read_text(),
            log=log,
            environment={
                **self.environment,
                "DATA_DIR": str(self.folder / name),
                "PYTHONPATH": str(ROOT),  # dramatiq imports from where it is started
            },
            timeout_s=START_TIMEOUT_S,
        ) as process:
            yield process.pid

    def manage(self, *words: str) -> None:
        result = run(manage(*words), env=self.environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr


@contextlib.contextmanager
def fresh_database(url: str, *, migrated: bool = True) -> Iterator[str]:
    """A database of its own on a server that other tests use too."""
    name = f"zhiying_{uuid4().hex}"
    template = migrated_template(url) if migrated else "template1"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield f"{url.rpartition('/')[0]}/{name}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextlib.contextmanager
def installed(
    database_url: str, broker_url: str, s3: S3Server, folder: Path, *, admin: bool = True, **variables: str
) -> Iterator[Installation]:
    """Migrated, with an administrator unless there shall be none; production settings throughout."""
    origin = f"http://{LOOPBACK}:{free_port()}"
    with fresh_database(database_url) as database:
        told = {"SECRET_KEY": secrets.token_urlsafe(64), **variables}
        environment = clean_environment(
            **{**Gate(folder / GATE).variables, **told},
            PRODUCTION="true",
            ALLOWED_HOSTS=LOOPBACK,
            PUBLIC_URL=origin,
            DATABASE_URL=database,
            BROKER_URL=broker_url,
            S3_BUCKET=s3.bucket,
            S3_ENDPOINT_URL=s3.endpoint_url,
            S3_ACCESS_KEY_ID=s3.access_key,
            S3_SECRET_ACCESS_KEY=s3.secret_key,
            S3_REGION=s3.region,
            DATA_DIR=str(folder / "web"),
            ADMIN_PASSWORD=ADMIN_PASSWORD,
            LEASE_S="3",
            HEARTBEAT_S="0.5",
            SWEEP_INTERVAL_S="1",
            RENDER_RETRY_DELAY_S="0.1",
        )
        installation = Installation(origin, environment, folder)
        if admin:
            installation.manage("create_admin", "admin")
        yield installation


def work_survives_a_worker(installation: Installation) -> None:
    """A worker is killed while it renders; another finishes its item and the rest, once each."""
    installation.gate.close(after=1)
    with installation.web() as platform:
        api = platform.login()
        batch_id = api.submit({f"{n}.jpg": small_portrait() for n in range(4)}, short_speech())
        with installation.worker("first") as group:
            api.wait_for(batch_id, half_done)
            os.killpg(group, signal.SIGKILL)
        unfinished = api.batch(batch_id)
        assert unfinished["status"] == "processing"
        installation.gate.open()
        with installation.worker("second"):
            batch = api.wait(batch_id)
        assert batch["status"] == "completed", batch["items"]
        assert api.get("/api/user/profile")["credits"] == 96
        kinds = [entry["kind"] for entry in api.get("/api/user/credits")["entries"]]
        assert kinds == ["charge"] * 4 + ["grant"]
        assert_plays_from_the_store(batch["items"][0]["videoUrl"], installation)
        archive = requests.get(api.get(f"/api/video/batches/{batch_id}/export")["zip_url"], timeout=60)
        assert io.BytesIO(archive.content).read(2) == b"PK"


def assert_plays_from_the_store(url: str, installation: Installation) -> None:
    """The link redirects to the store, which answers ranges under the type we gave."""
    first = requests.get(url, allow_redirects=False, timeout=60)
    assert first.status_code == 302
    assert first.headers["Location"].startswith(installation.environment["S3_ENDPOINT_URL"])
    whole = requests.get(url, timeout=60)
    assert whole.headers["Content-Type"] == "video/mp4"
    assert len(watch(whole.content).frames) == 30
    part = requests.get(url, headers={"Range": "bytes=10-19"}, timeout=60)
    assert (part.status_code, part.content) == (206, whole.content[10:20])


@pytest.mark.faults
def test_rabbitmq_postgresql_and_s3(
    postgres_url: str, amqp_url: str, s3_server: S3Server, tmp_path: Path
) -> None:
    with installed(postgres_url, amqp_url, s3_server, tmp_path) as installation:
        work_survives_a_worker(installation)


@pytest.mark.faults
def test_redis_postgresql_and_s3(
    postgres_url: str, redis_url: str, s3_server: S3Server, tmp_path: Path
) -> None:
    with installed(postgres_url, redis_url, s3_server, tmp_path) as installation:
        work_survives_a_worker(installation)


@pytest.mark.faults
def test_workers_end_with_their_master(
    postgres_url: str, redis_url: str, s3_server: S3Server, tmp_path: Path
) -> None:
    """However it dies: its successor's workers must not find themselves beside its orphans."""
    with installed(postgres_url, redis_url, s3_server, tmp_path) as installation:
        installation.gate.close()
        with installation.web() as platform, installation.worker("first") as master:
            api = platform.login()
            batch_id = api.submit({"a.jpg": small_portrait()}, short_speech())
            api.wait_for(batch_id, lambda batch: batch["progress"]["processing"])
            family = psutil.Process(master).children(recursive=True)
            assert len(family) >= 2, "a worker and its render process"
            os.kill(master, signal.SIGKILL)
            gone, alive = psutil.wait_procs(family, timeout=ENDS_WITHIN_S)
            assert not alive, alive
            assert len(gone) == len(family)
