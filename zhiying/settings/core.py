"""Where things are, and what kind of installation this is."""

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).expanduser().resolve()
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
WEB_THREADS = env.int("WEB_THREADS", default=16)
"""Threads of a web process. Half of them at most are given to requests that bring or decode files."""
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
"""The origin clients use, such as https://video.example.com; empty: taken from each request."""

DATABASE_URL = env.str("DATABASE_URL", default="")
BROKER_URL = env.str("BROKER_URL", default="memory://")
PRODUCTION = env.bool("PRODUCTION", default=bool(DATABASE_URL) or BROKER_URL != "memory://")
"""False only for the embedded default; True makes unsafe settings an error at start."""
DEBUG = env.bool("DEBUG", default=False)
