"""One sign-in for both administrations: a web session opens the administration site.

The web application asks for a code in its session's name and posts it to the site, which opens a session of
its own. Whoever has a web session has given whatever proofs were asked for, a second factor included, so
nothing is asked for again; and what was opened so ends with the session it came from.
"""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import AuditAction, Handover, Session, User
from accounts.services import audit_log, second_factor
from accounts.services.session_reads import live_session
from accounts.services.sessions import is_live
from zhiying.kernel.clock import database_now, database_time
from zhiying.kernel.errors import DomainError

LIFETIME = timedelta(seconds=60)
_CODE_BYTES = 32


class HandoverError(DomainError):
    """The code was used before, is too old, or whoever it was made for may not enter any more."""

    code = "handover_not_valid"
    status = 403


def handover_begin(*, session_id: UUID) -> str:
    """A code that opens the site once, within `LIFETIME`, for the user of a session."""
    code = secrets.token_urlsafe(_CODE_BYTES)
    Handover.objects.create(code_hash=_digest(code), session_id=session_id, expires_at=database_now(LIFETIME))
    return code


@transaction.atomic
def handover_use(*, code: str) -> Session:
    """Use a code up: the live session, with its user, that may enter by it.

    Raises:
        HandoverError
    """
    good = Handover.objects.filter(code_hash=_digest(code), expires_at__gt=database_now())
    found = good.select_related("session__user").first()
    # One DELETE decides which of several parallel tries wins.
    if found is None or not Handover.objects.filter(pk=found.pk).delete()[0]:
        raise _refusal()
    session = found.session
    user: User = session.user
    if not is_live(session, database_time()) or not second_factor.may_administer(user):
        raise _refusal()
    audit_log.record(
        AuditAction.USER_SITE_ENTER, acting_user=user, target=user, owner=user, name=user.username
    )
    return session


def still_open(session_id: str) -> bool:
    """Whether the web session that a site session came from still lives."""
    return live_session(UUID(session_id)) is not None


def delete_expired() -> int:
    """Remove codes that nobody used in time; returns how many."""
    return Handover.objects.filter(expires_at__lt=database_now()).delete()[0]


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _refusal() -> HandoverError:
    return HandoverError(_("The way in was used before or is too old. Log in, or try again."))
