"""A private S3-compatible store (SeaweedFS) that enforces signatures, expiry and POST policies."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import botocore.exceptions
from botocore.config import Config

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

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

GRPC_OFFSET = 10_000
"""SeaweedFS derives each server's gRPC port from its HTTP port by this much."""

DOMAIN = "store.localhost"
"""Below which the store answers as bucket.store.localhost, beside /bucket at any other name."""


@dataclass(frozen=True)
class S3Server:
    """Where the store is and how to sign for it."""

    endpoint_url: str
    access_key: str
    secret_key: str
    bucket: str
    region: str = "us-east-1"

    def client(self) -> "S3Client":
        """A boto3 client that talks to it (path-style addresses, SigV4)."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                retries={"max_attempts": 1},
            ),
        )


@contextlib.contextmanager
def run_s3(bucket: str = "media", *, run: Runner = run_command) -> Iterator[S3Server]:
    """Start the store with one empty bucket that takes objects at once."""
    program = find_program("weed")
    ports = {name: free_port(companion_offset=GRPC_OFFSET) for name in ("master", "volume", "filer", "s3")}
    server = S3Server(
        endpoint_url=f"http://{LOOPBACK}:{ports['s3']}", access_key="k", secret_key="s", bucket=bucket
    )
    with scratch_folder("s3") as folder:
        configuration = folder / "s3.json"
        configuration.write_text(json.dumps(_identities(server)))
        (folder / "data").mkdir()
        options = {
            "dir": folder / "data",
            "ip": LOOPBACK,
            "ip.bind": LOOPBACK,
            **{f"{name}.port": port for name, port in ports.items()},
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.domainName": DOMAIN,
            "s3.config": configuration,
            "s3.allowedOrigins": "http://none.invalid",  # the default `*` would hide a missing CORS rule
            "webdav": "false",
            "admin.ui": "false",
            "master.telemetry": "false",
            "bucket": bucket,
        }
        arguments = [f"-{name}={value}" for name, value in options.items()]
        with run(
            Command([program, "-logtostderr", "mini", *arguments], folder / "log"),
            ready=lambda: accepts_connections(ports["s3"]) and _takes_objects(server),
            timeout_s=300.0,
        ):
            yield server


def _identities(server: S3Server) -> dict[str, object]:
    return {
        "identities": [
            {
                "name": "app",
                "credentials": [{"accessKey": server.access_key, "secretKey": server.secret_key}],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"],
            }
        ]
    }


def _takes_objects(server: S3Server) -> bool:
    """Whether a write succeeds: the port opens before the first volume exists."""
    with contextlib.suppress(botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
        client = server.client()
        client.put_object(Bucket=server.bucket, Key="ready", Body=b"")
        client.delete_object(Bucket=server.bucket, Key="ready")
        return True
    return False
