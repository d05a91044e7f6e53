"""What the link in a letter carries to confirm an address: signed, made when it is sent, kept in no table."""

from datetime import timedelta
from uuid import UUID

from django.core import signing

from accounts.models import MailAddress

LIFETIME = timedelta(days=1)
_SALT = "accounts.mail_address"


def token_for(address: MailAddress) -> str:
    return signing.dumps([str(address.user_id), address.address], salt=_SALT)


def address_in(token: str, user_id: UUID) -> str:
    """The address that the token confirms for this user; "" if it confirms none, or not any more."""
    try:
        owner, address = signing.loads(token, salt=_SALT, max_age=LIFETIME)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(address) if owner == str(user_id) else ""
