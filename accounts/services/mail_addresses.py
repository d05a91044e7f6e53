"""A user's address for letters: given, confirmed by a link sent there, taken back."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import MailAddress, User
from accounts.services import mail_tokens, mails
from accounts.services.credits import lock_user
from zhiying.kernel.clock import database_now
from zhiying.kernel.errors import ConflictError, DomainError, InvalidError

ASKING_PAUSE = timedelta(minutes=2)
"""Between two letters that ask one user for a confirmation: they go to addresses that nobody has proven."""


class AskedLatelyError(DomainError):
    """A letter went out a moment ago."""

    code = "too_many_requests"
    status = 429


def mail_address_of(user: User) -> MailAddress | None:
    return MailAddress.objects.filter(user=user).exclude(address="").first()


@transaction.atomic
def mail_address_set(*, user: User, address: str, when_done: bool) -> MailAddress | None:
    """Where and when to write; an empty address takes it back. A new one is asked to confirm itself.

    Raises:
        ConflictError: this installation sends no letters.
        AskedLatelyError: another address was asked a moment ago.
    """
    if not mails.are_sent():
        raise ConflictError(_("This installation sends no e-mail."), code="no_mail")
    lock_user(user.pk)
    known = MailAddress.objects.filter(user=user).first()
    if not address:
        MailAddress.objects.filter(user=user).update(address="", confirmed_at=None)
        return None
    is_new = known is None or known.address != address
    may_ask = known is None or _may_ask(known)
    if is_new and not may_ask:
        raise AskedLatelyError(
            _("A letter was sent a moment ago. Try again in two minutes."),
            headers={"Retry-After": str(int(ASKING_PAUSE.total_seconds()))},
        )
    now = known or MailAddress(user=user)
    now.address, now.when_done, now.language = address, when_done, get_language() or settings.LANGUAGE_CODE
    if is_new:
        now.confirmed_at = None
    asks = now.confirmed_at is None and may_ask
    if asks:
        now.asked_at = database_now()
        mails.write(user.pk, mails.CONFIRMATION)
    now.save()
    now.refresh_from_db()
    return now


def mail_address_confirm(*, user: User, token: str) -> MailAddress:
    """The link that was sent to the address has been followed.

    Raises:
        InvalidError: it is too old, or was made for another user or address.
    """
    address = mail_tokens.address_in(token, user.pk)
    found = MailAddress.objects.filter(user=user, address=address).exclude(address="")
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
