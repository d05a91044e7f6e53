"""Rules that say which engine makes a batch, on the admin site."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import AuditEntry, User
from tests.adminpanel.pages import page
from videos.models import EngineRule

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _engines(settings: LazySettings) -> None:
    settings.GENERATION_ENGINES = ["lightx2v", "comfyui"]


def save(browser: Client, rule: EngineRule | None = None, **fields: Any) -> Any:
    given = {"position": "10", "enabled": "on", "engine": "lightx2v", "fallbacks": "", "prompt": "any"}
    address = page(EngineRule, "change", rule.pk) if rule else page(EngineRule, "add")
    return browser.post(address, {**given, **fields}, follow=True)


def test_a_rule_is_made_changed_and_deleted_and_each_is_recorded(browser: Client, admin: User) -> None:
    save(browser, fallbacks=" comfyui , portrait,comfyui", offered="on", min_audio_s="3")
    rule = EngineRule.objects.get()
    assert (rule.engine, rule.fallbacks, rule.offered, rule.min_audio_s) == (
        "lightx2v",
        "comfyui,portrait",
        True,
        3.0,
    )
    save(browser, rule, engine="comfyui", fallbacks="portrait", offered="on", min_audio_s="3")
    browser.post(page(EngineRule, "delete", rule.pk), {"post": "yes"})
    assert not EngineRule.objects.exists()
    entries = AuditEntry.objects.filter(action__startswith="rule.").order_by("number")
    assert [entry.action for entry in entries] == ["rule.create", "rule.change", "rule.delete"]
    assert {entry.actor for entry in entries} == {admin}
    assert entries[1].details == {
        "engine": "comfyui",
        "engine_before": "lightx2v",
        "fallbacks": "portrait",
        "fallbacks_before": "comfyui,portrait",
    }


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"engine": "dashscope"}, "Select a valid choice"),
        ({"fallbacks": "portrait,typo"}, "typo: no such engine here. There are: portrait, lightx2v, comfyui"),
        ({"min_audio_s": "9", "max_audio_s": "3"}, "The shortest recording is longer than the longest."),
        ({"min_audio_s": "-1"}, "greater than or equal to 0"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_a_reason(
    browser: Client, fields: dict[str, Any], words: str
) -> None:
    assert words in save(browser, **fields).content.decode()
    assert not EngineRule.objects.exists()


def test_the_list_shows_what_rules_say(browser: Client) -> None:
    EngineRule.objects.create(engine="lightx2v", fallbacks="portrait", max_audio_s=20)
    html = browser.get(page(EngineRule, "changelist")).content.decode()
    assert "lightx2v" in html
    assert "20.0" in html
