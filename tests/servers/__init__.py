"""Private, real servers for tests: each a context manager on free loopback ports, gone when it closes.

Usable from a script (`with run_postgresql() as url: …`) and through the session fixtures of
`tests.plugins.servers`. Nothing here depends on, or touches, a server that already runs.
"""

from tests.servers.postgres import run_postgresql
from tests.servers.process import MissingServerError, ServerError
from tests.servers.rabbitmq import run_rabbitmq
from tests.servers.redis import run_redis
from tests.servers.s3 import S3Server, run_s3

__all__ = [
    "MissingServerError",
    "S3Server",
    "ServerError",
    "run_postgresql",
    "run_rabbitmq",
    "run_redis",
    "run_s3",
]
