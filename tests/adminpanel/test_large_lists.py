"""Lists of the admin site over tables that are larger than a page should know."""

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import CreditEntry, User
from adminpanel.admin import base
from tests.adminpanel.pages import page
from tests.support.rows import make_batch, make_user
from videos.models import Batch, VideoItem
from zhiying.kernel import windows

pytestmark = pytest.mark.postgresql

LISTS = [pytest.param(model, id=model.__name__) for model in (Batch, VideoItem, User, CreditEntry)]


@pytest.mark.parametrize("model", LISTS)
def test_rows_are_counted_up_to_a_limit(
    browser: Client, model: type[Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "COUNTED", 5)
    for _ in range(4):
        make_batch(make_user(), 2)
    with CaptureQueriesContext(connection) as captured:
        shown = browser.get(page(model, "changelist")).context["cl"]
    assert shown.result_count <= 5
    counting = [query["sql"] for query in captured if "COUNT(*)" in query["sql"]]
    assert counting
    assert all("LIMIT 6" in sql for sql in counting if model._meta.db_table in sql)


@pytest.mark.parametrize("model", LISTS)
def test_only_orders_with_an_index_are_offered(browser: Client, model: type[Model]) -> None:
    first = {index.fields[0].removeprefix("-") for index in model._meta.indexes if index.condition is None}
    unique = {field.name for field in model._meta.concrete_fields if field.unique}
    changelist = browser.get(page(model, "changelist")).context["cl"]
    for name in changelist.sortable_by:
        order = changelist.get_ordering_field(name)
        assert order is None or str(order).removeprefix("-") in first | unique, name


@pytest.mark.parametrize("model", LISTS)
def test_a_search_looks_at_the_newest_rows(
    browser: Client, model: type[Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = make_user("olduser"), make_user("newuser")
    for user in (old, new):
        make_batch(user, 1, name=user.username)
    monkeypatch.setattr(windows, "WINDOW_ROWS", 1)
    shown = browser.get(page(model, "changelist"), {"q": "user"}).context["cl"]
    assert shown.result_count == 1


def test_a_row_is_found_by_its_id_however_old_it_is(
    browser: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(user, 2)
    make_batch(make_user(), 1)
    monkeypatch.setattr(windows, "WINDOW_ROWS", 1)
    for model, key, count in (
        (Batch, batch.pk, 1),
        (User, user.pk, 1),
        (VideoItem, batch.pk, 2),
        (VideoItem, batch.items.first().pk, 1),  # type: ignore[union-attr]
        (CreditEntry, batch.pk, 2),
    ):
        shown = browser.get(page(model, "changelist"), {"q": f" {key} "}).context["cl"]
        assert shown.result_count == count
