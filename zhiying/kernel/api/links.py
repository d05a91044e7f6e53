"""Addresses in answers: absolute, as clients see them."""

from django.conf import settings
from django.http import HttpRequest


def origin_of(request: HttpRequest) -> str:
    """Scheme and host that clients use."""
    return settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
