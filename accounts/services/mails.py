"""Letters: rows that are written with the change they tell of, and worked off by a worker afterwards.

A letter is sent at least once: whoever sends it takes it for a while first, and removes it when the server
has accepted it. A worker that dies in between leaves it to another.
"""

import logging
import smtplib
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import F
from django.template.loader import render_to_string
from django.utils.functional import SimpleLazyObject
from django.utils.translation import override

from accounts.models import Mail, MailAddress
from accounts.services import mail_tokens
from zhiying.kernel.clock import database_now

CONFIRMATION = "accounts/mail/confirm.txt"
"""The only letter that is sent to an address nobody has confirmed."""
MAX_TRIES = 10
"""Over about half a day."""
BUDGET_S = 30.0
_TAKEN_FOR = timedelta(minutes=5)
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=4)

logger = logging.getLogger(__name__)


def are_sent() -> bool:
    """Whether this installation sends letters."""
    return bool(settings.EMAIL_HOST)


def write(user_id: UUID, template: str, **params: str | int) -> None:
    """A letter to a user, in the caller's transaction."""
    Mail.objects.create(user_id=user_id, template=template, params=params, not_before=database_now())


def write_when_done(user_id: UUID, template: str, **params: str | int) -> None:
    """The same for users who want to be told when a batch has ended."""
    wants = MailAddress.objects.filter(user_id=user_id, when_done=True, confirmed_at__isnull=False)
    if are_sent() and wants.exists():
        write(user_id, template, **params)


def work_off() -> int:
    """Send what is due, for a while; returns how many were sent. The server being away ends the round."""
    if not are_sent():
        return 0
    ends_at, sent = time.monotonic() + BUDGET_S, 0
    with _Server() as server:
        while time.monotonic() < ends_at and not server.is_away and (mail := _take()):
            sent += _send(mail, server)
    return sent


class _Server:
    """One connection for a round of letters, made when the first of them goes out."""

    def __init__(self) -> None:
        self.is_away = False
        self._connection: BaseEmailBackend = get_connection()

    def __enter__(self) -> "_Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, subject: str, text: str, address: str) -> None:
        EmailMessage(subject, text, to=[address], connection=self._connection).send()


def _take() -> Mail | None:
    """The letter that is due longest; a compare-and-set on its time decides which worker sends it."""
    while mail := Mail.objects.filter(not_before__lte=database_now()).order_by("not_before", "pk").first():
        taken = Mail.objects.filter(pk=mail.pk, not_before=mail.not_before, tries=mail.tries)
        if taken.update(not_before=database_now(_TAKEN_FOR), tries=F("tries") + 1):
            mail.tries += 1
            return mail
    return None


def _send(mail: Mail, server: _Server) -> bool:
    address = MailAddress.objects.filter(user_id=mail.user_id).select_related("user").first()
    if address is None or not _may_be_sent(mail, address):
        mail.delete()
        return False
    try:
        server.send(*_text_of(mail, address), address.address)
    except smtplib.SMTPRecipientsRefused as error:
        # 5xx: this address will never do. The server's sentence may name it, which is nobody's business.
        codes = {code for code, _ in error.recipients.values()}
        _put_off(mail, gives_up=all(code >= 500 for code in codes), why=f"recipient refused {codes}")
    except (smtplib.SMTPException, OSError) as error:
        server.is_away = True
        _put_off(mail, why=type(error).__name__)
    except Exception as error:  # noqa: BLE001  (told; a letter that cannot be made holds up no other)
        _put_off(mail, why=type(error).__name__)
    else:
        mail.delete()
        return True
    return False


def _may_be_sent(mail: Mail, address: MailAddress) -> bool:
    """Not if the address was taken back, or another one was given since, which nobody has confirmed."""
    confirmed = address.confirmed_at is not None
    return bool(address.address) and (confirmed or mail.template == CONFIRMATION)


def _text_of(mail: Mail, address: MailAddress) -> tuple[str, str]:
    """Subject (the first line of the template) and text."""
    context: Mapping[str, Any] = {
        **mail.params,
        "username": address.user.username,
        "origin": settings.PUBLIC_URL,
        "confirmation": SimpleLazyObject(lambda: mail_tokens.token_for(address)),
    }
    with override(address.language):
        subject, _, text = render_to_string(mail.template, context).strip().partition("\n")
    return " ".join(subject.split()), text.strip() + "\n"


def _put_off(mail: Mail, *, why: str, gives_up: bool = False) -> None:
    if gives_up or mail.tries >= MAX_TRIES:
        logger.error("Letter %s is given up after %d tries: %s", mail.pk, mail.tries, why)
        mail.delete()
        return
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**mail.tries)
    Mail.objects.filter(pk=mail.pk).update(not_before=database_now(pause))
    logger.warning("Letter %s could not be sent (%s); it will be tried again", mail.pk, why)
