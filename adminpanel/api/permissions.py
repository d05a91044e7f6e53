"""Who may use the administrators' calls."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.api.authentication import current_user
from accounts.api.permissions import MayAdminister
from accounts.services import second_factor
from zhiying.kernel.errors import DomainError


class SecondFactorMissingError(DomainError):
    """This installation asks administrators for a second factor, and this one has none yet."""

    code = "totp_enrolment_required"
    status = 403


class IsAdministrator(MayAdminister):
    """Users with `is_admin` and, where it is required, a second factor."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if second_factor.is_missing(current_user(request)):
            raise SecondFactorMissingError(_("Set up a second factor under your account first."))
        return True
