"""Users as administrators list them."""

from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from accounts.models.user_names import username_key
from zhiying.kernel.windows import newest


def users_listed(filters: dict[str, Any]) -> "QuerySet[User]":
    """Users by `is_active`, `is_admin` and `search`, a part of the name, in any case.

    A search looks at the newest users (`zhiying.kernel.windows`), so that its cost has a bound, and finds
    whoever has exactly that name, however old.
    """
    users = User.objects.all()
    for flag in ("is_active", "is_admin"):
        if filters.get(flag) is not None:
            users = users.filter(**{flag: filters[flag]})
    if search := filters.get("search"):
        key = username_key(search)
        among_newest = newest(users).filter(username_key__contains=key).order_by().values("pk")
        exactly = users.filter(username_key=key).order_by().values("pk")
        users = users.filter(pk__in=among_newest.union(exactly))
    return users
