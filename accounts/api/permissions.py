"""Who may use the calls of administrators."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import User


class MayAdminister(BasePermission):
    """Users with `is_admin`, whether or not they still have to set up what else they need."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, User) and request.user.is_admin
