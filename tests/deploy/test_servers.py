"""The private servers that other tests stand on are real, empty and theirs alone."""

import os
import subprocess
import sys
from pathlib import Path

import dramatiq
import psycopg
import pytest
import redis
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from tests.servers import MissingServerError, S3Server, process

ROOT = Path(__file__).resolve().parents[2]


def test_postgresql_answers_queries(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        row = connection.execute("SELECT current_setting('server_version_num')::int >= 140000").fetchone()
    assert row == (True,)


def test_postgresql_refuses_a_wrong_password(postgres_url: str) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(psycopg.conninfo.make_conninfo(postgres_url, password="wrong")).close()


def test_redis_keeps_and_gives_a_value(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("deploy-test", "1", ex=60)
        assert client.get("deploy-test") == b"1"


def test_rabbitmq_carries_a_message_to_a_worker(amqp_url: str) -> None:
    broker = RabbitmqBroker(url=amqp_url)
    received = []

    @dramatiq.actor(broker=broker, queue_name="deploy-test")
    def receive(value: int) -> None:
        received.append(value)

    worker = dramatiq.Worker(broker, worker_timeout=100, worker_threads=1)
    worker.start()
    try:
        receive.send(7)
        process.wait_until(lambda: received == [7], timeout_s=120, what="the message")
    finally:
        worker.stop()
        broker.close()


def test_s3_refuses_a_forged_signature(s3_server: S3Server) -> None:
    forged = S3Server(s3_server.endpoint_url, s3_server.access_key, "wrong", s3_server.bucket).client()
    s3_server.client().put_object(Bucket=s3_server.bucket, Key="deploy-test", Body=b"x")
    with pytest.raises(forged.exceptions.ClientError) as refused:
        forged.get_object(Bucket=s3_server.bucket, Key="deploy-test")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(MissingServerError, match="no-such-server is not installed"):
        process.find_program("no-such-server")


def test_a_server_that_dies_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with (
        pytest.raises(process.ServerError, match="out of luck"),
        process.running(
            [sys.executable, "-c", "raise SystemExit('out of luck')"],
            ready=lambda: False,
            log=tmp_path / "log",
        ),
    ):
        pytest.fail("it never was ready")


def test_a_closed_port_accepts_nothing() -> None:
    assert not process.accepts_connections(process.free_port())


PROBE = """
import pytest
pytest_plugins = ["tests.plugins.servers"]

def test_needs_it(amqp_url):
    raise AssertionError("there is no server")
"""


@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped"), ("true", "1 error")])
def test_a_missing_server_skips_locally_and_fails_in_ci(tmp_path: Path, ci: str, outcome: str) -> None:
    """A run of its own, where no server's program can be found."""
    (tmp_path / "conftest.py").write_text(
        "import tests.servers.process as process\n"
        "process.EXTRA_PROGRAM_FOLDERS = ()\n"
        "process.shutil.which = lambda name: None\n"
    )
    (tmp_path / "test_probe.py").write_text(PROBE)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:django", "-p", "no:cacheprovider", "-rs", "test_probe.py"],
        cwd=tmp_path,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert outcome in result.stdout
    assert "rabbitmq-server is not installed" in result.stdout
