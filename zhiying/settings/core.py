"""Where things are, and what kind of installation this is."""

import re
from collections.abc import Sequence
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parents[2]


class _FileAwareMapping(environ.FileAwareMapping):  # type: ignore[misc]  # the package has no types
    """`NAME_FILE` names a file that holds the value of NAME, as container secrets do.

    What is empty is not there: `PRODUCTION=` says as little as no line at all, and must not say "false".
    """

    def __getitem__(self, key: str) -> str:
        value = str(super().__getitem__(key))
        if self.env.get(f"{key}_FILE"):
            value = value.rstrip("\r\n")
        if not value:
            raise KeyError(key)
        return value


class _Environment(environ.FileAwareEnv):  # type: ignore[misc]  # the package has no types
    ENVIRON = _FileAwareMapping()

    def names(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """A list, separated by commas or, as suits a file, by lines; the default where it is empty."""
        values = re.split(r"[,\r\n]", self.str(name, default=""))
        return [value.strip() for value in values if value.strip()] or list(default)


env = _Environment()
"""Every variable may be given as a file: what is not in the environment cannot be read out of it."""

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).expanduser().resolve()
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
WEB_THREADS = env.int("WEB_THREADS", default=16)
"""Threads of a web process. Half of them at most are given to requests that bring or decode files."""
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
"""The origin clients use, such as https://video.example.com; empty: taken from each request."""

DATABASE_URL = env.str("DATABASE_URL", default="")
BROKER_URL = env.str("BROKER_URL", default="memory://")
NUM_PROXIES = env.int("NUM_PROXIES", default=0)
"""How many reverse proxies of ours stand in front and append to X-Forwarded-For."""

EMBEDDED = not DATABASE_URL and BROKER_URL == "memory://"
"""One process is everything: nobody else needs its secrets or its files."""
PRODUCTION = env.bool(
    "PRODUCTION", default=not EMBEDDED or PUBLIC_URL.startswith("https://") or NUM_PROXIES > 0
)
"""False only on somebody's own machine; True makes unsafe settings an error at start."""
DEBUG = env.bool("DEBUG", default=False)
