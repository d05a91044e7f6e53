"""Fixtures of the administrators' tests."""

import pytest
from django.test import Client

from accounts.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def browser(admin: User) -> Client:
    """A browser logged in to the admin site as `admin`, in English."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(admin, backend=BACKEND)
    return client
