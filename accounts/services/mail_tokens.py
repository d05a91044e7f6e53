"""What the link in a letter carries to confirm an address: signed, made when it is sent, kept in no table."""

from datetime import timedelta
from uuid import UUID

from django.core import signing

from accounts.models import MailAddress
from zhiying.kernel.clock import database_time

LIFETIME = timedelta(days=1)
_SALT = "accounts.mail_address"


def token_for(address: MailAddress) -> str:
    made_at = int(database_time().timestamp())
    return signing.dumps([str(address.user_id), address.address, made_at], salt=_SALT)


def address_in(token: str, user_id: UUID) -> str:
    """The address that the token confirms for this user; "" if it confirms none, or not any more."""
    try:
        owner, address, made_at = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    is_fresh = database_time().timestamp() <= made_at + LIFETIME.total_seconds()
    return str(address) if owner == str(user_id) and is_fresh else ""
