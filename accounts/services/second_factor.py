"""The second factor of administrators: one-time codes by time (TOTP, RFC 6238), and recovery codes."""

import base64
import hashlib
import io
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp
import segno
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import AuditAction, RecoveryCode, TotpDevice, User
from accounts.services import audit_log, sessions
from zhiying.kernel import encryption
from zhiying.kernel.clock import as_told, database_now
from zhiying.kernel.encryption import UnreadableSecretError, decrypted, encrypted
from zhiying.kernel.errors import ConflictError, InvalidError

OFF, OPTIONAL, REQUIRED = "off", "optional", "required"
STEP_S = 30
STEPS_ASIDE = 1
"""How many steps a clock may be wrong, in either direction."""
RECOVERY_CODES = 10
RECOVERY_CODE_CHARS = 16  # 80 bits: a plain hash is safe
ISSUER = "ZhiYing"
PURPOSE = "totp"


@dataclass(frozen=True)
class Enrolment:
    """What the authenticator app has to be told; shown once."""

    secret: str
    uri: str
    qr_svg: str


@dataclass(frozen=True)
class Status:
    """How a user stands to the second factor."""

    policy: str
    enabled: bool
    recovery_codes_left: int


def is_asked_for(user: User) -> bool:
    """Whether the user has to give a code at login."""
    return _applies(user) and _confirmed(user).exists()


def is_missing(user: User) -> bool:
    """Whether the user must set up a second factor before they may administer anything."""
    return settings.ADMIN_TOTP == REQUIRED and user.is_admin and not _confirmed(user).exists()


def may_administer(user: User) -> bool:
    """Whether the user has an administrator's rights now."""
    return user.is_admin and not is_missing(user)


def status(user: User) -> Status:
    """The policy, and what the user has set up."""
    return Status(
        settings.ADMIN_TOTP,
        _confirmed(user).exists(),
        RecoveryCode.objects.filter(user=user).count(),
    )


@transaction.atomic
def enrol_begin(*, user: User) -> Enrolment:
    """Draw a secret; it counts for nothing until `enrol_confirm`. The password was confirmed before.

    Raises:
        ConflictError: there is a second factor already, or this installation has none.
    """
    if not _applies(user):
        raise ConflictError(_("A second factor is for administrators, where it is switched on."))
    User.objects.select_for_update().get(pk=user.pk)
    if _confirmed(user).exists():
        raise ConflictError(_("Remove the present second factor first."), code="totp_enabled")
    secret = pyotp.random_base32()
    TotpDevice.objects.update_or_create(
        user=user, defaults={"secret": encrypted(secret, PURPOSE), "last_step": 0, "confirmed_at": None}
    )
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=ISSUER)
    return Enrolment(secret, uri, _qr_svg(uri))


@transaction.atomic
def enrol_confirm(*, user: User, code: str, keep_session: UUID | None) -> list[str]:
    """Switch the second factor on; every other session ends. Returns the recovery codes, shown once.

    Raises:
        InvalidError: the code is not the authenticator's. ConflictError: nothing was begun.
    """
    begun = TotpDevice.objects.select_for_update().filter(user=user, confirmed_at=None)
    device = begun.annotate(told=database_now()).first()
    if device is None:
        raise ConflictError(_("Begin with setting up the second factor."), code="totp_not_begun")
    if not _accepts_totp(device, code, as_told(device.told)):
        raise InvalidError(
            _("The code is wrong or was used before. Wait for the next one."), code="otp_invalid"
        )
    TotpDevice.objects.filter(pk=device.pk).update(confirmed_at=database_now())
    codes = [_new_recovery_code() for _number in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        [RecoveryCode(user=user, code_hash=_recovery_hash(user, one)) for one in codes]
    )
    sessions.revoke_all(user_id=user.pk, keep=keep_session)
    _record(AuditAction.USER_TOTP_ON, user, user)
    return codes


def accepts(user: User, code: str) -> bool:
    """Use up a code of the authenticator or a recovery code; False when it is not good."""
    device = _confirmed(user).annotate(told=database_now()).first()
    if device is None:
        return False
    if _accepts_totp(device, code, as_told(device.told)):
        return True
    used = RecoveryCode.objects.filter(user=user, code_hash=_recovery_hash(user, code)).delete()[0]
    return bool(used)


@transaction.atomic
def remove(*, user: User, acting_user: User | None) -> bool:
    """Take the second factor away, however it was proven that this may be done; False if there was none."""
    RecoveryCode.objects.filter(user=user).delete()
    removed = bool(TotpDevice.objects.filter(user=user).delete()[0])
    if removed:
        _record(AuditAction.USER_TOTP_OFF, user, acting_user)
    return removed


def reencrypt_all() -> tuple[int, int]:
    """Bring every secret under the first key; returns how many, and how many no key reads any more."""
    return encryption.reencrypt_all(TotpDevice.objects.all(), PURPOSE)


def _applies(user: User) -> bool:
    return settings.ADMIN_TOTP in {OPTIONAL, REQUIRED} and user.is_admin


def _confirmed(user: User) -> "QuerySet[TotpDevice]":
    return TotpDevice.objects.filter(user=user, confirmed_at__isnull=False)


def _accepts_totp(device: TotpDevice, code: str, now: datetime) -> bool:
    """Whether a code is the authenticator's now, by the database's clock, so that all web processes agree.

    The step it belongs to is used up by one UPDATE.
    """
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdigit()):
        return False
    totp = pyotp.TOTP(_decrypted(device.secret))
    present = int(now.timestamp()) // STEP_S
    matching = [
        step
        for step in range(present - STEPS_ASIDE, present + STEPS_ASIDE + 1)
        if secrets.compare_digest(totp.generate_otp(step), digits)
    ]
    if not matching:
        return False
    fresh = TotpDevice.objects.filter(pk=device.pk, secret=device.secret, last_step__lt=matching[-1])
    return bool(fresh.update(last_step=matching[-1]))


def _decrypted(stored: str) -> str:
    try:
        return decrypted(stored, PURPOSE)
    except UnreadableSecretError as error:
        raise ConflictError(
            _("The second factor cannot be read any more (SECRET_KEY changed). An operator can reset it."),
            code="totp_unreadable",
        ) from error


def _qr_svg(uri: str) -> str:
    picture = io.BytesIO()
    segno.make(uri, micro=False).save(picture, kind="svg", scale=4, border=2, xmldecl=False, nl=False)
    return picture.getvalue().decode()


def _new_recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(RECOVERY_CODE_CHARS * 5 // 8)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, RECOVERY_CODE_CHARS, 4))


def _recovery_hash(user: User, code: str) -> str:
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(f"{user.pk}:{plain}".encode()).hexdigest()


def _record(action: AuditAction, user: User, acting_user: User | None) -> None:
    audit_log.record(action, acting_user=acting_user, target=user, owner=user, name=user.username)
