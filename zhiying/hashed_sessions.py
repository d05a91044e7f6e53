"""Sessions of the admin site, whose keys the database knows only as a hash, and which end by its clock.

Django's own store keeps the cookie's value as it is: whoever reads the table, or a backup of it, could enter
as everybody who is logged in.
"""

import hashlib
from datetime import timedelta
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session

from zhiying.kernel.clock import database_now


def stored_key(session_key: str) -> str:
    """What the table holds for a cookie: 40 characters, as its column takes."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:40]


class SessionStore(db.SessionStore):
    """Django's database sessions under hashed keys."""

    @classmethod
    def clear_expired(cls) -> None:
        Session.objects.filter(expire_date__lt=database_now()).delete()

    def _get_session_from_db(self) -> Session | None:
        key = stored_key(self.session_key or "")
        session = Session.objects.filter(session_key=key, expire_date__gt=database_now()).first()
        if session is None:
            self._session_key = None  # the cookie is forgotten, as Django does
        return session

    def exists(self, session_key: str) -> bool:
        return super().exists(stored_key(session_key))

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            super().delete(stored_key(key))

    def create_model_instance(self, data: Any) -> AbstractBaseSession:
        instance = super().create_model_instance(data)
        instance.session_key = stored_key(instance.session_key)
        instance.expire_date = database_now(timedelta(seconds=self.get_expiry_age()))
        return instance
