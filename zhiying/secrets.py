"""Secrets of an installation: made once, kept readable for the owner alone, derived per purpose."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path


def stored_secret(path: Path) -> str:
    """Return the secret kept in `path`, making it on first use.

    Two processes starting at once agree on one value: the file appears whole, under its final name,
    by a hard link that only the first can make.
    """
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(64))
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text().strip()


def derived_key(secret: str, purpose: str) -> str:
    """A key of its own for `purpose` (64 hex digits), so that one leaking does not open the others."""
    return hmac.new(secret.encode(), f"zhiying:{purpose}".encode(), hashlib.sha256).hexdigest()
