"""A private RabbitMQ."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pika
import pika.exceptions

from tests.servers.process import (
    LOOPBACK,
    Command,
    Runner,
    accepts_connections,
    find_program,
    free_port,
    run_command,
    scratch_folder,
)

START_TIMEOUT_S = 300.0
"""Seconds; 8 to 15 on an idle two-core machine, and it starts while everything else runs."""

CONNECTION_OPTIONS = "heartbeat=60&connection_attempts=1&blocked_connection_timeout=30"


@dataclass(frozen=True)
class RabbitNode:
    """A node's address, and the environment in which `rabbitmqctl` finds it."""

    url: str
    environment: Mapping[str, str]


@contextlib.contextmanager
def run_rabbitmq(*settings: str, run: Runner = run_command) -> Iterator[str]:
    """Start a RabbitMQ node of its own and give its URL, `amqp://guest:guest@host:port/%2F?…`."""
    with run_rabbitmq_node(*settings, run=run) as node:
        yield node.url


@contextlib.contextmanager
def run_rabbitmq_node(*settings: str, run: Runner = run_command) -> Iterator[RabbitNode]:
    """The same, for whoever administers it.

    The node shares nothing with one that already runs: its name, ports, folders, cookie and its
    port mapper (epmd) are its own. `settings` are further lines of its configuration.
    """
    server = find_program("rabbitmq-server", prefer_extra=True)
    epmd = find_program("epmd")
    epmd_port, amqp_port, distribution_port = free_port(), free_port(), free_port()
    with scratch_folder("amqp") as folder:
        environment = _environment(folder, epmd_port, amqp_port, distribution_port, settings)
        url = f"amqp://guest:guest@{LOOPBACK}:{amqp_port}/%2F?{CONNECTION_OPTIONS}"
        mapper = run(
            Command([epmd, "-port", str(epmd_port), "-address", LOOPBACK], folder / "epmd.log"),
            ready=lambda: accepts_connections(epmd_port),
        )
        node = run(
            Command([server], folder / "server.log", environment),
            ready=lambda: accepts_connections(amqp_port) and _answers(url),
            timeout_s=START_TIMEOUT_S,
        )
        with mapper, node:
            yield RabbitNode(url, environment)


def _environment(
    folder: Path, epmd_port: int, amqp_port: int, distribution_port: int, settings: Sequence[str]
) -> dict[str, str]:
    configuration = folder / "rabbitmq.conf"
    configuration.write_text(
        f"listeners.tcp.1 = {LOOPBACK}:{amqp_port}\n"
        "log.console = true\n"
        "disk_free_limit.absolute = 50MB\n"  # a full test machine must not block publishers
        + "".join(f"{line}\n" for line in settings)
    )
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("RABBITMQ_")},
        "HOME": str(folder),  # where Erlang keeps the cookie
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "RABBITMQ_NODENAME": f"zhiying-{amqp_port}@localhost",
        "RABBITMQ_NODE_PORT": str(amqp_port),
        "RABBITMQ_DIST_PORT": str(distribution_port),
        "RABBITMQ_CONFIG_FILE": str(configuration),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
    }


def _answers(url: str) -> bool:
    """Whether a client can log in: the port opens a little before the node can serve."""
    with contextlib.suppress(pika.exceptions.AMQPError, OSError):
        pika.BlockingConnection(pika.URLParameters(url)).close()
        return True
    return False
