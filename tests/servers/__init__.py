"""Private, real servers for tests: each a context manager on free loopback ports, gone when it closes.

Usable from a script (`with postgresql() as url: …`) and through the session fixtures of
`tests.plugins.servers`. Nothing here depends on, or touches, a server that already runs.
"""

from tests.servers.postgres import postgresql
from tests.servers.process import MissingServerError, ServerError
from tests.servers.rabbitmq import rabbitmq
from tests.servers.redis import redis
from tests.servers.s3 import S3Server, s3

__all__ = ["MissingServerError", "S3Server", "ServerError", "postgresql", "rabbitmq", "redis", "s3"]
