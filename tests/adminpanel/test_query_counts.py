"""Lists cost as many queries with thirty rows as with one."""

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, UserGroup
from accounts.services.login_limits import begin_attempt
from adminpanel.admin.site import site
from tests.adminpanel.pages import page
from tests.support.rows import claim, make_batch, make_user, make_worker
from videos.models import Batch, DeletionReason, EngineCredential, EngineRule
from videos.services import attempts
from videos.services.attempts import Verdict
from videos.store import deletions

MODELS = [pytest.param(model, id=model.__name__) for model in site._registry]


def grow(rows: int) -> None:
    """Add rows of every kind, each of a user of its own."""
    for number in range(rows):
        make_batch(make_user(), 2)
        attempts.fail(claim(), Verdict("no_face", "No face was found in the portrait."))
        group = UserGroup.objects.create(name=f"group {UserGroup.objects.count()}")
        EngineRule.objects.create(engine="portrait", group=group)
        deletions.intend(["uploads/1/"], DeletionReason.UPLOAD)
        make_worker()
        EngineCredential.objects.create(
            engine=f"engine {EngineCredential.objects.count()}", secret="x", set_at=timezone.now()
        )
        person = make_user()
        begin_attempt(user=person, username="x", password=f"{person.pk}", address=f"10.0.{number}.9")


def queries(client: Client, address: str) -> int:
    client.get(address)  # what is cached for good, such as content types, is not the list's cost
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_the_same_however_long_it_is(browser: Client, model: type[Model]) -> None:
    grow(1)
    address = page(model, "changelist")
    few = queries(browser, address)
    grow(29)
    assert model._default_manager.count() >= 30
    assert queries(browser, address) == few


def test_the_first_page_costs_the_same_however_much_there_is(browser: Client) -> None:
    grow(1)
    few = queries(browser, reverse("admin:index"))
    grow(10)
    assert queries(browser, reverse("admin:index")) == few


def test_a_batch_costs_the_same_however_many_videos_it_has(browser: Client, user: User) -> None:
    small, large = make_batch(user, 1), make_batch(user, 12)
    assert queries(browser, page(Batch, "change", large.pk)) == queries(
        browser, page(Batch, "change", small.pk)
    )
