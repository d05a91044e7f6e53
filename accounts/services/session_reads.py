"""The read that every authenticated call makes: a session with its user, by one indexed query."""

from uuid import UUID

from accounts.models import Session, User
from accounts.services.sessions import is_live
from zhiying.kernel.compiled import CompiledQuery

_SESSION_FIELDS = [field.attname for field in Session._meta.concrete_fields]
_USER_FIELDS = [field.attname for field in User._meta.concrete_fields]
_READ = CompiledQuery(
    lambda session_id: Session.objects.filter(pk=session_id).values_list(
        *_SESSION_FIELDS, *(f"user__{name}" for name in _USER_FIELDS)
    )
)


def live_session(session_id: UUID) -> Session | None:
    """The session with its user, both as they are now, while it is good; else None."""
    row = _READ.first(session_id)
    if row is None:
        return None
    session = Session.from_db("default", _SESSION_FIELDS, row[: len(_SESSION_FIELDS)])
    session.user = User.from_db("default", _USER_FIELDS, row[len(_SESSION_FIELDS) :])
    return session if is_live(session) else None
