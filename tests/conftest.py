"""Fixtures of the application's tests, and how Hypothesis runs in all of them."""

import os
import time
from collections.abc import Callable, Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from botocore.loaders import JSONFileLoader
from django.conf import LazySettings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils import timezone, translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from rest_framework.test import APIClient
from whitenoise.middleware import WhiteNoiseMiddleware

from accounts.models import User
from tests.support.rows import client_for, make_user
from videos.api import answers
from videos.scheduling import forecast
from videos.scheduling.forecast import forget_snapshot
from videos.services import credentials
from videos.store import urls as media_urls

# How fast a machine is decides nothing, and neither does luck, unless somebody asks for a longer search.
hypothesis_settings.register_profile(
    "steady",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    derandomize=True,
    database=None,
)
hypothesis_settings.register_profile(
    "searching", hypothesis_settings.get_profile("steady"), derandomize=False
)
hypothesis_settings.load_profile("searching" if "FUZZ_EXAMPLES" in os.environ else "steady")


@pytest.fixture(scope="session", autouse=True)
def _cheap_password_hashes() -> None:
    """The real algorithm at its lowest cost; hundreds of users are made here."""
    Argon2PasswordHasher.time_cost = 1
    Argon2PasswordHasher.memory_cost = 8
    Argon2PasswordHasher.parallelism = 1


@pytest.fixture(scope="session", autouse=True)
def _static_files_found_once() -> Iterator[None]:
    """Each client makes all middleware anew; a look through all files takes ten times as long as a call."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("add_files_from_finders", "update_files_dictionary"):
            patch.setattr(WhiteNoiseMiddleware, name, _remembering(getattr(WhiteNoiseMiddleware, name)))
        yield


@pytest.fixture(scope="session", autouse=True)
def _s3_described_once() -> Iterator[None]:
    """Each test's store makes a session of boto3, which reads megabytes of JSON; nothing changes them."""
    with pytest.MonkeyPatch.context() as patch:
        loader = JSONFileLoader()
        load_file = cache(loader.load_file)
        patch.setattr(JSONFileLoader, "load_file", lambda self, path: load_file(path))
        yield


def _remembering(find: Callable[..., None]) -> Callable[..., None]:
    """What a search adds to the files, without searching again."""
    known: dict[tuple[object, ...], dict[str, object]] = {}

    def found(middleware: Any, *where: object) -> None:
        if where not in known:
            before = dict(middleware.files)
            find(middleware, *where)
            known[where] = {
                url: file for url, file in middleware.files.items() if before.get(url) is not file
            }
        middleware.files.update(known[where])

    return found


@pytest.fixture(autouse=True)
def _fresh_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is read anew for every answer, so that a test sees what it has just done."""
    monkeypatch.setattr(forecast, "SNAPSHOT_S", 0.0)


@pytest.fixture(autouse=True)
def _no_language_of_another_test() -> None:
    """A request leaves its language behind, until the next."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def _no_snapshot_of_another_test() -> None:
    """What the queue looked like a moment ago was another database."""
    forget_snapshot()


@pytest.fixture(autouse=True)
def _no_credential_of_another_test() -> None:
    """What this process read lately came from another database."""
    credentials.forget_cached()


@pytest.fixture(autouse=True)
def _media_of_its_own(settings: LazySettings, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The store belongs to the database, and each test has a database of its own."""
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("media", numbered=True)
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": {"location": str(settings.MEDIA_ROOT)}},
    }


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


@pytest.fixture
def noon() -> Iterator[None]:
    """Every clock of the process goes on from noon, so that the day does not end during the test."""
    with time_machine.travel(timezone.localtime().replace(hour=12, minute=0)):
        yield


@pytest.fixture
def same_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed links, which change with every full hour, and estimates do not do so during the test."""
    moment = time.time()
    for module in (media_urls, answers):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: moment))
