"""Each test of this folder on disk and on a real S3 server, where it asks for `store`."""

from tests.api.stores import store

__all__ = ["store"]
