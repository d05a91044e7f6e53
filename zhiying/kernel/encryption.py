"""Secrets that have to be read again, encrypted with a key that is not in the database.

Each purpose has a key of its own, derived from SECRET_KEY. The first SECRET_KEY encrypts, all decrypt, so
that it can be changed; `manage.py reencrypt_secrets` then brings what is there under the new one.
"""

import base64
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac


class UnreadableSecretError(Exception):
    """None of the keys there are decrypts it."""


def encrypted(secret: str, purpose: str) -> str:
    return _cipher(purpose).encrypt(secret.encode()).decode()


def decrypted(stored: str, purpose: str) -> str:
    """Raises UnreadableSecretError."""
    try:
        return _cipher(purpose).decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise UnreadableSecretError from error


def reencrypt_all(rows: "QuerySet[Any]", purpose: str) -> tuple[int, int]:
    """Bring the `secret` of every row under the first key; returns how many, and how many no key reads any
    more."""
    cipher, done, unreadable = _cipher(purpose), 0, 0
    for pk, secret in rows.values_list("pk", "secret").iterator():
        try:
            fresh = cipher.rotate(secret.encode()).decode()
        except InvalidToken:
            unreadable += 1
            continue
        # One that was replaced meanwhile is under the first key already.
        done += rows.filter(pk=pk, secret=secret).update(secret=fresh)
    return done, unreadable


def _cipher(purpose: str) -> MultiFernet:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet(
        Fernet(
            base64.urlsafe_b64encode(salted_hmac(purpose, "secret", secret=key, algorithm="sha256").digest())
        )
        for key in keys
    )
