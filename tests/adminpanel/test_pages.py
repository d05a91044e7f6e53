"""Every page of the admin site opens for administrators and for nobody else."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, reverse

from accounts.models import CreditEntry, User, UserGroup
from accounts.services.login_limits import begin_attempt
from adminpanel.admin.base import parameters
from adminpanel.admin.site import site
from engines.base import Note
from tests.adminpanel.conftest import BACKEND
from tests.adminpanel.pages import page
from tests.support.rows import claim, make_batch, make_worker
from videos.models import DeletionReason, EngineCredential, EngineRule, Worker
from videos.services import attempts, credentials
from videos.services.attempts import StoredResult, Verdict
from videos.store import deletions

MODELS = [pytest.param(model, id=model.__name__) for model in site._registry]
OWN_PAGES = ["index", "password_change", "password_change_done", "jsi18n"]


@pytest.fixture
def rows(user: User) -> None:
    """At least one row of everything that is registered: a batch with a finished and a failed video."""
    batch = make_batch(user, 3, prompt="微笑")
    result = StoredResult(
        video=f"{batch.folder}/result/a-1.mp4", poster="", duration_s=0.6, notes=(Note.plain("Fine."),)
    )
    assert attempts.complete(claim(), result)
    assert attempts.fail(claim(), Verdict("no_face", "No face was found in the portrait."))
    group = UserGroup.objects.create(name="press")
    EngineRule.objects.create(engine="lightx2v", fallbacks="portrait", group=group)
    deletions.intend(["uploads/1/"], DeletionReason.UPLOAD)
    make_worker(trouble="store_away", state="paused")
    credentials.set_credential(engine="dashscope", new="sk-0123456789", acting_user=None)
    begin_attempt(user=user, username="mallory", password="x", address="10.0.0.9")


def all_of(model: type[Model]) -> list[Any]:
    """Every row, since ids are random and no row of a model looks like the other; there is at least one."""
    found = list(model._default_manager.all())
    assert found
    return found


def existing_pages() -> list[tuple[str, bool]]:
    """Name and whether a row is needed, of each page each model has."""
    found = []
    for options in site._registry.values():
        for pattern in options.get_urls():
            assert isinstance(pattern, URLPattern)
            if pattern.name:
                found.append((f"admin:{pattern.name}", "<" in str(pattern.pattern)))
    return found


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("model", MODELS)
def test_an_administrator_sees_list_row_and_history(
    browser: Client, model: type[Model], language: str
) -> None:
    pages: list[tuple[str, tuple[Any, ...]]] = [("changelist", ())]
    pages += [(name, (row.pk,)) for row in all_of(model) for name in ("change", "history")]
    for name, args in pages:
        answer = browser.get(page(model, name, *args), headers={"accept-language": language})
        assert answer.status_code == 200, name
        assert f'<html lang="{language}"' in answer.content.decode()


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("model", MODELS)
def test_a_list_is_narrowed_by_its_filters_alone(browser: Client, model: type[Model]) -> None:
    """Any other lookup would read every row, or ask the database what it cannot compare."""
    asked = {"pk__contains": "0", "nothing": "x"}
    for field in model._meta.concrete_fields:
        asked |= {f"{field.name}__{way}": "0001-01-01T00:00:00+14:00" for way in ("gte", "contains")}
    for name, value in asked.items():
        answer = browser.get(page(model, "changelist"), {name: value})
        assert answer.status_code == 400, name


NASTY = ["", "\0", "\ud800", "🙂", "x" * 500, "-1", "9" * 20, "0001-01-01T00:00:00+14:00", "9999-12-31"]


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("model", MODELS)
def test_a_filter_takes_whatever_an_address_says(browser: Client, model: type[Model]) -> None:
    for list_filter in site._registry[model].list_filter:
        for name in parameters(list_filter):
            for value in NASTY:
                query = urlencode({name: value}, errors="surrogatepass")
                answer = browser.get(f"{page(model, 'changelist')}?{query}")
                assert answer.status_code in {200, 302, 400}, (name, value)


@pytest.mark.parametrize("name", OWN_PAGES)
def test_an_administrator_sees_the_pages_of_the_site(browser: Client, name: str) -> None:
    assert browser.get(reverse(f"admin:{name}")).status_code == 200


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("model", MODELS)
def test_what_may_be_added_has_a_page_and_the_rest_refuses(browser: Client, model: type[Model]) -> None:
    answer = browser.get(page(model, "add"))
    assert answer.status_code == (200 if model in (User, UserGroup, EngineCredential, EngineRule) else 403)


@pytest.mark.usefixtures("rows")
def test_a_page_never_runs_a_script_of_its_own(browser: Client, user: User) -> None:
    """The content policy forbids inline scripts, so a page that needs one would be broken."""
    addresses = [page(model, "changelist") for model in site._registry]
    addresses += [page(model, "change", row.pk) for model in site._registry for row in all_of(model)]
    addresses += [reverse("admin:index"), reverse("admin:accounts_user_credits") + f"?users={user.pk}"]
    for address in addresses:
        answer = browser.get(address)
        policy = answer["Content-Security-Policy"].split("; ")
        assert "script-src 'self'" in policy
        html = answer.content.decode()
        for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", html, re.DOTALL):
            assert "src=" in attributes or "application/json" in attributes, (address, body)
            assert not body.strip() or "application/json" in attributes, (address, body)
        assert not re.search(r"\son[a-z]+=", html), address


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("who", ["nobody", "user", "deactivated", "demoted"])
def test_nobody_else_gets_in(user: User, admin: User, who: str) -> None:
    client = Client()
    if who == "user":
        client.force_login(user, backend=BACKEND)
    elif who != "nobody":
        client.force_login(admin, backend=BACKEND)
        assert client.get(reverse("admin:index")).status_code == 200
        field = "is_active" if who == "deactivated" else "is_admin"
        User.objects.filter(pk=admin.pk).update(**{field: False})
    pages = existing_pages()
    assert len(pages) > 20
    for name, needs_row in pages:
        for method in (client.get, client.post):
            answer = method(reverse(name, args=[user.pk] if needs_row else []))
            assert answer.status_code == 302, (name, answer.status_code)
            assert answer.headers["Location"].startswith(reverse("admin:login")), name


def test_the_site_shows_what_is_ours_and_nothing_else() -> None:
    names = {f"{model._meta.app_label}.{model._meta.model_name}" for model in site._registry}
    assert names == {
        "accounts.user",
        "accounts.usergroup",
        "accounts.creditentry",
        "accounts.auditentry",
        "videos.batch",
        "videos.videoitem",
        "accounts.logincounter",
        "videos.filedeletion",
        "videos.worker",
        "videos.enginecredential",
        "videos.enginerule",
    }


def test_the_language_can_be_switched(browser: Client) -> None:
    assert "Overview" in browser.get(reverse("admin:index")).content.decode()
    answer = browser.post(reverse("set_language"), {"language": "zh-hans", "next": reverse("admin:index")})
    assert answer.status_code == 302
    html = browser.get(reverse("admin:index")).content.decode()
    assert "概览" in html
    assert "智影 AI 管理后台" in html


@pytest.mark.parametrize("name", ["videos_batch_retry", "videos_batch_cancel", "accounts_user_active"])
def test_buttons_do_nothing_when_their_address_is_opened(browser: Client, user: User, name: str) -> None:
    row = user if "user" in name else make_batch(user)
    assert browser.get(reverse(f"admin:{name}", args=[row.pk])).status_code == 405


@pytest.mark.parametrize("day", ["yesterday", "1999-12-31", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_an_impossible_day_is_ignored_not_an_error(browser: Client, day: str) -> None:
    answer = browser.get(page(User, "changelist"), {"created_at_first": day}, follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain == [(f"{page(User, 'changelist')}?e=1", 302)]


@pytest.mark.parametrize("given", ["not-an-id", "0", "'"])
def test_an_impossible_user_is_ignored_not_an_error(browser: Client, given: str) -> None:
    assert browser.get(page(CreditEntry, "changelist"), {"user": given}, follow=True).status_code == 200
    address = reverse("admin:accounts_user_credits")
    assert browser.get(address, {"users": given}).status_code == 404


def test_a_worker_says_what_keeps_it_from_working(browser: Client) -> None:
    worker = make_worker(trouble="store_away", state="paused")
    worker.engines = {"portrait": {"ready": False, "code": "face_models_missing", "params": {}, "detail": ""}}
    worker.save()
    html = browser.get(page(Worker, "change", worker.pk)).content.decode()
    assert "The media store does not answer." in html
    assert "The face models are not installed" in html
    assert "takes no items" in html
