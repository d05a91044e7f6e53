"""The read that every authenticated call makes: a session with its user, by one indexed query."""

from datetime import datetime
from uuid import UUID

from django.db.models.functions import Now

from accounts.models import Session, User
from accounts.services.sessions import is_live
from zhiying.kernel.clock import as_told
from zhiying.kernel.compiled import CompiledQuery

_SESSION_FIELDS = [field.attname for field in Session._meta.concrete_fields]
_USER_FIELDS = [field.attname for field in User._meta.concrete_fields]
_READ = CompiledQuery(
    lambda session_id: Session.objects.filter(pk=session_id).values_list(
        *_SESSION_FIELDS, *(f"user__{name}" for name in _USER_FIELDS), Now()
    )
)


def live_session(session_id: UUID) -> tuple[Session, datetime] | None:
    """The session with its user, as both are now, and the database's time; None unless it is good."""
    row = _READ.first(session_id)
    if row is None:
        return None
    session = Session.from_db("default", _SESSION_FIELDS, row[: len(_SESSION_FIELDS)])
    session.user = User.from_db("default", _USER_FIELDS, row[len(_SESSION_FIELDS) : -1])
    now = as_told(row[-1])
    return (session, now) if is_live(session, now) else None
