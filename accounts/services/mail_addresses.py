"""A user's address for letters: given, confirmed by a link sent there, taken back."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import MailAddress, User
from accounts.services import mail_tokens, mails
from zhiying.kernel.clock import database_now
from zhiying.kernel.errors import ConflictError, DomainError, InvalidError

ASKING_PAUSE = timedelta(minutes=2)
"""Between two letters that ask one user for a confirmation: they go to addresses that nobody has proven."""
_TEMPLATE = "accounts/mail/confirm.txt"


class AskedLatelyError(DomainError):
    """A letter went out a moment ago."""

    code = "too_many_requests"
    status = 429


def mail_address_of(user: User) -> MailAddress | None:
    return MailAddress.objects.filter(user=user).first()


@transaction.atomic
def mail_address_set(*, user: User, address: str, when_done: bool) -> MailAddress | None:
    """Where and when to write; an empty address removes it. A new one is asked to confirm itself.

    Raises:
        ConflictError: this installation sends no letters.
        AskedLatelyError: another address was asked a moment ago.
    """
    if not mails.are_sent():
        raise ConflictError(_("This installation sends no e-mail."), code="no_mail")
    known = MailAddress.objects.select_for_update().filter(user=user).first()
    if not address:
        if known:
            known.delete()
        return None
    if known and known.address == address:
        known.when_done, known.language = when_done, get_language() or settings.LANGUAGE_CODE
        known.save(update_fields=["when_done", "language"])
        if known.confirmed_at is None and _may_ask(known):
            _ask(user, known)
        return known
    if known and not _may_ask(known):
        pause_s = int(ASKING_PAUSE.total_seconds())
        raise AskedLatelyError(
            _("A letter was sent a moment ago. Try again in two minutes."),
            headers={"Retry-After": str(pause_s)},
        )
    return _ask(
        user,
        MailAddress(
            user=user,
            address=address,
            language=get_language() or settings.LANGUAGE_CODE,
            when_done=when_done,
        ),
    )


def mail_address_confirm(*, user: User, token: str) -> MailAddress:
    """The link that was sent to the address has been followed.

    Raises:
        InvalidError: it is too old, or was made for another user or address.
    """
    found = MailAddress.objects.filter(user=user, address=mail_tokens.address_in(token, user.pk))
    if not found.update(confirmed_at=database_now()):
        raise InvalidError(
            _(
                "This link is too old, or was made for another account. Log in as its owner, or ask for a "
                "new one."
            ),
            code="confirmation_not_valid",
        )
    return found.get()


def _may_ask(known: MailAddress) -> bool:
    return MailAddress.objects.filter(pk=known.pk, asked_at__lte=database_now(-ASKING_PAUSE)).exists()


def _ask(user: User, address: MailAddress) -> MailAddress:
    address.asked_at, address.confirmed_at = database_now(), None
    address.save()
    mails.write(user.pk, _TEMPLATE)
    address.refresh_from_db()
    return address
