"""Fixtures of the application's tests."""

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from rest_framework.test import APIClient

from accounts.models import User
from tests.support.rows import client_for, make_user


@pytest.fixture(scope="session", autouse=True)
def _cheap_password_hashes() -> None:
    """The real algorithm at its lowest cost; hundreds of users are made here."""
    Argon2PasswordHasher.time_cost = 1
    Argon2PasswordHasher.memory_cost = 8
    Argon2PasswordHasher.parallelism = 1


@pytest.fixture
def user(db: None) -> User:
    """Somebody with 100 credits."""
    return make_user()


@pytest.fixture
def admin(db: None) -> User:
    return make_user(is_admin=True)


@pytest.fixture
def client_of_user(user: User) -> APIClient:
    """Logged in as `user`."""
    return client_for(user)


@pytest.fixture
def client_of_admin(admin: User) -> APIClient:
    return client_for(admin)
