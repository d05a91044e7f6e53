"""One key per user name: looked up, unique, and given to users of the release before."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.models.user_names import username_key
from accounts.services.users import user_create
from tests.support.rows import PASSWORD, make_user
from zhiying.kernel.errors import ConflictError, InvalidError

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

SPELLINGS = [
    ("Ärger", "ärger"),
    ("Ärger", "A\u0308RGER"),
    ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ("Straße", "STRASSE"),
    ("ﬁnn", "FINN"),
    ("Ａｄｍｉｎ", "admin"),
    ("王小明", "王小明"),
    ("admin\u3164", "admin"),
]


@pytest.mark.parametrize(("stored", "typed"), SPELLINGS)
def test_a_name_is_found_in_any_spelling_and_has_no_twin(stored: str, typed: str) -> None:
    make_user(stored)
    login = APIClient().post("/api/auth/login", {"username": f" {typed} ", "password": PASSWORD})
    assert login.status_code == 200
    with pytest.raises(ConflictError):
        make_user(typed)
    assert User.objects.count() == 1


@pytest.mark.parametrize("name", ["аdmin", "αdmin", "admіn", "\u3164", "ﷺ" * 20])  # Cyrillic а and і
def test_a_name_that_could_be_taken_for_another_is_refused(name: str) -> None:
    with pytest.raises(InvalidError):
        user_create(username=name, password=PASSWORD, acting_user=None)


@pytest.mark.parametrize("name", ["анна", "Ελένη", "张.san", "ünal+1", "李雷_2"])
def test_names_of_any_one_alphabet_are_fine(name: str) -> None:
    assert make_user(name).username == name


def test_the_database_refuses_a_twin_too() -> None:
    make_user("Ärger")
    with pytest.raises(IntegrityError):
        User.objects.create(username="ärger")


def test_the_admin_site_says_that_a_name_is_taken(admin: User) -> None:
    make_user("Ärger")
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(admin, "django.contrib.auth.backends.ModelBackend")
    answer = browser.post(reverse("admin:accounts_user_add"), {"username": "ärger", "first_credits": 0})
    assert "already exists" in answer.content.decode()


def test_a_login_never_scans_the_table() -> None:
    User.objects.bulk_create([User(username=f"user {number}") for number in range(3000)], batch_size=500)
    query = User.objects.filter(username_key=username_key("USER 77"))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE users")
    plan = query.explain()
    assert "Index" in plan or "USING INDEX" in plan, plan
    assert "Seq Scan" not in plan
    assert "SCAN" not in plan


@pytest.fixture
def release_before(transactional_db: None) -> Iterator[Any]:
    """The database as the release before left it; brought up to date again afterwards."""
    executor = MigrationExecutor(connection)
    leaves = executor.loader.graph.leaf_nodes()
    executor.migrate([("accounts", "0010_login_limits")])
    yield executor.loader.project_state([("accounts", "0010_login_limits")]).apps
    MigrationExecutor(connection).migrate(leaves)


def test_users_of_the_release_before_get_keys_and_nobody_is_lost(
    release_before: Any, caplog: pytest.LogCaptureFixture
) -> None:
    old = release_before.get_model("accounts", "User")
    begun = timezone.now()
    names = ["Straße", "STRASSE", "strasse-2", "ſtrasse", "ﷺ" * 20]
    for number, name in enumerate(names):
        old.objects.create(username=name, created_at=begun + timedelta(seconds=number))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE axes_accessattempt (post_data text)")
        cursor.execute("INSERT INTO axes_accessattempt VALUES ('password=Typed-Secret-1')")
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())

    users = list(User.objects.order_by("created_at"))
    assert [user.username for user in users[:4]] == ["Straße", "STRASSE-3", "strasse-2", "ſtrasse-4"]
    assert len({user.username_key for user in users}) == len(names)
    for user in users:
        assert user.username_key == username_key(user.username)
        assert User.objects.named(user.username) == user
    assert "is now called 'STRASSE-3'" in caplog.text
    assert "axes_accessattempt" not in connection.introspection.table_names()
