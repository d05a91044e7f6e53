"""Several engines: which makes a batch, by its user's choice and the rules, and at which price."""

from dataclasses import asdict
from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from accounts.models import User, UserGroup
from engines.registry import get_engine
from tests.api.forms import CREATE, form, submit
from tests.support.books import assert_all_is_settled
from tests.support.rows import client_for, make_user, make_worker
from videos.api import answers
from videos.api.views import _said
from videos.models import Batch, EngineRule, QueueLane, Worker
from videos.services import batches
from zhiying.kernel.api.body_cache import BodyCache

pytestmark = pytest.mark.django_db

STATUS = "/api/engine/status"
SHORT, LONG = 0.5, 0.7
"""Seconds less and more than the recording of `form` has."""


@pytest.fixture(autouse=True)
def _three_engines(settings: LazySettings) -> None:
    """The portrait engine and two others, all with a worker that declares what they take."""
    settings.GENERATION_ENGINE = "portrait"
    settings.GENERATION_ENGINES = ["lightx2v", "comfyui"]
    declare()


def declare(**declared: dict[str, Any]) -> None:
    Worker.objects.all().delete()
    ours = asdict(get_engine("portrait").capabilities())
    facts = {"ready": True, "code": "", "params": {}, "detail": "", "trouble": ""}
    make_worker(
        engines={
            name: {**facts, "capabilities": {**ours, "label": name.upper(), **declared.get(name, {})}}
            for name in ("portrait", "lightx2v", "comfyui")
        }
    )


def rule(engine: str = "lightx2v", **says: Any) -> EngineRule:
    return EngineRule.objects.create(engine=engine, **says)


def made(client: APIClient, **fields: Any) -> Batch:
    """The batch of a submission, of which the dry run said where it would go."""
    dry = submit(client, form(**fields), f"{CREATE}?dry_run=true")
    answer = submit(client, form(**fields))
    assert answer.status_code == 201, answer.content
    assert answer.json()["engine"] == dry.json()["engine"]
    batch = Batch.objects.get(pk=answer.json()["batch_id"])
    shown = client.get(f"/api/video/batches/{batch.pk}").json()
    assert (shown["engine"], shown["engine_label"]) == tuple(answer.json()["engine"].values())
    assert shown["price_per_image"] == answer.json()["price_per_image"] == dry.json()["price_per_image"]
    return batch


def goes_to(client: APIClient, **fields: Any) -> str:
    """The name of the lane in which its items wait."""
    batch = made(client, **fields)
    lanes = QueueLane.objects.filter(pk__in=batch.items.values("lane"))
    assert lanes.get().engine == batch.engine
    return batch.engine


def test_without_a_rule_the_own_engine_makes_it(client_of_user: APIClient) -> None:
    assert goes_to(client_of_user) == ""
    assert Batch.objects.get().route == ""


@pytest.mark.parametrize(
    ("says", "fields", "fits"),
    [
        ({}, {}, True),
        ({"enabled": False}, {}, False),
        ({"min_audio_s": SHORT, "max_audio_s": LONG}, {}, True),
        ({"min_audio_s": LONG}, {}, False),
        ({"max_audio_s": SHORT}, {}, False),
        ({"prompt": "with"}, {"prompt": "Smile."}, True),
        ({"prompt": "with"}, {"prompt": "  "}, False),
        ({"prompt": "without"}, {}, True),
        ({"prompt": "without"}, {"prompt": "Smile."}, False),
        ({"offered": True}, {}, False),
    ],
)
def test_the_first_rule_that_fits_decides(
    client_of_user: APIClient, says: dict[str, Any], fields: dict[str, Any], fits: bool
) -> None:
    rule("comfyui", position=20)
    rule("lightx2v", position=10, **says)
    assert goes_to(client_of_user, **fields) == ("lightx2v" if fits else "comfyui")


def test_a_rule_for_a_group_fits_its_users_alone(client_of_user: APIClient, user: User) -> None:
    group = UserGroup.objects.create(name="Studio")
    rule("lightx2v", group=group)
    assert goes_to(client_of_user) == ""
    User.objects.filter(pk=user.pk).update(group=group)
    assert goes_to(client_of_user) == "lightx2v"


def test_engines_that_take_no_such_recording_are_passed_by(client_of_user: APIClient) -> None:
    declare(lightx2v={"max_audio_s": SHORT})
    rule("lightx2v", fallbacks="comfyui,portrait")
    batch = made(client_of_user)
    assert (batch.engine, batch.route, batch.fallbacks) == ("comfyui", "comfyui,portrait", "portrait")


def test_a_recording_a_little_too_long_is_too_long_for_the_rule_as_well(client_of_user: APIClient) -> None:
    declare(lightx2v={"max_audio_s": 0.598})
    rule("lightx2v", fallbacks="comfyui")
    assert goes_to(client_of_user) == "comfyui"


def test_a_chosen_engine_falls_back_to_those_that_take_the_recording(client_of_user: APIClient) -> None:
    declare(comfyui={"max_audio_s": SHORT})
    rule("lightx2v", offered=True, fallbacks="comfyui,portrait")
    batch = made(client_of_user, engine="lightx2v")
    assert (batch.route, batch.fallbacks) == ("lightx2v,portrait", "portrait")


def test_a_request_without_a_choice_is_what_it_was_before_there_was_one() -> None:
    """A key that was used before an upgrade stands for the same request after it."""
    assert _said({"name": "a", "prompt": "", "engine": ""}) == {"name": "a", "prompt": ""}
    assert _said({"name": "a", "engine": "comfyui"}) == {"name": "a", "engine": "comfyui"}


def test_limits_are_known_however_many_workers_have_other_engines(client_of_user: APIClient) -> None:
    declare(lightx2v={"min_side_px": 161})
    rule("lightx2v")
    ready = {"ready": True, "capabilities": {}}
    for number in range(25):
        make_worker(name=f"local:{number}", engines={"portrait": ready})
    answer = submit(client_of_user, form())
    assert [one["code"] for one in answer.json()["errors"]["images"]] == ["image_too_small"]


def test_an_engine_that_the_installation_has_no_longer_is_passed_by(
    client_of_user: APIClient, settings: LazySettings
) -> None:
    rule("lightx2v", fallbacks="comfyui")
    settings.GENERATION_ENGINES = ["comfyui"]
    assert goes_to(client_of_user) == ""


# --- What users may choose ------------------------------------------------------------------------


def test_users_see_what_they_may_choose(user: User, client_of_user: APIClient, admin: User) -> None:
    group = UserGroup.objects.create(name="Studio")
    rule("comfyui", offered=True, group=group)
    rule("lightx2v", offered=True)
    User.objects.filter(pk=user.pk).update(group=group)
    assert [one["engine"] for one in shown(client_of_user)] == ["portrait", "comfyui", "lightx2v"]
    assert [one["engine"] for one in shown(client_for(make_user()))] == ["portrait", "lightx2v"]
    assert [one["is_default"] for one in shown(client_of_user)] == [True, False, False]
    assert {one["label"] for one in shown(client_of_user)} == {"PORTRAIT", "COMFYUI", "LIGHTX2V"}


def shown(client: APIClient) -> list[dict[str, Any]]:
    engines: list[dict[str, Any]] = client.get(STATUS).json()["engines"]
    return engines


def test_each_engine_is_told_with_its_own_limits_and_price(
    client_of_user: APIClient, settings: LazySettings
) -> None:
    settings.CREDITS_PER_STARTED_S = {"": 0, "lightx2v": 30}
    declare(lightx2v={"max_audio_s": 20.0, "understands_prompt": False})
    rule("lightx2v", offered=True)
    own, other = (one["limits"] for one in shown(client_of_user))
    assert (own["credits_per_started_s"], other["credits_per_started_s"]) == (0, 30)
    assert other["audio_max_s"] == 20.0 < own["audio_max_s"]
    assert (own["understands_prompt"], other["understands_prompt"]) == (True, False)


def test_whether_the_price_depends_on_the_rules_is_told(
    client_of_user: APIClient, settings: LazySettings
) -> None:
    settings.CREDITS_PER_STARTED_S = {"": 0, "lightx2v": 30}

    def varies() -> bool:
        told = client_of_user.get(STATUS).json()
        assert not any(one["limits"]["price_varies"] for one in told["engines"])
        return bool(told["limits"]["price_varies"])

    assert not varies()
    rule("comfyui")
    rule("lightx2v", offered=True)  # whoever chooses it knows what it costs
    assert not varies()
    rule("lightx2v", max_audio_s=10)
    assert varies()


def test_what_is_chosen_makes_the_batch_at_its_own_price(
    user: User, client_of_user: APIClient, settings: LazySettings
) -> None:
    settings.CREDITS_PER_STARTED_S = {"": 0, "lightx2v": 0.25}
    rule("lightx2v", offered=True, fallbacks="portrait")
    batch = made(client_of_user, images=2, engine="lightx2v")
    assert (batch.engine, batch.fallbacks, batch.credits_used) == ("lightx2v", "portrait", 6)
    settings.CREDITS_PER_STARTED_S = {"": 0}
    batches.batch_cancel(batch=batch, acting_user=user)
    user.refresh_from_db()
    assert user.credits == 100
    assert_all_is_settled()


def test_the_own_engine_may_always_be_chosen(client_of_user: APIClient) -> None:
    rule("lightx2v")
    assert goes_to(client_of_user, engine="portrait") == ""


@pytest.mark.parametrize(
    ("says", "code"),
    [
        (None, "engine_not_offered"),
        ({"offered": False}, "engine_not_offered"),
        ({"offered": True, "enabled": False}, "engine_not_offered"),
        ({"offered": True, "min_audio_s": LONG}, "engine_takes_no_such_batch"),
        ({"offered": True, "prompt": "with"}, "engine_takes_no_such_batch"),
    ],
)
def test_a_choice_that_is_not_to_be_had_costs_nothing(
    user: User, client_of_user: APIClient, says: dict[str, Any] | None, code: str
) -> None:
    if says is not None:
        rule("lightx2v", **says)
    for path in (CREATE, f"{CREATE}?dry_run=true"):
        answer = submit(client_of_user, form(engine="lightx2v"), path)
        assert answer.status_code == 400
        assert answer.json()["errors"]["engine"]["code"] == code
    user.refresh_from_db()
    assert (user.credits, Batch.objects.count()) == (100, 0)


def test_limits_are_those_of_the_engine_that_makes_it(client_of_user: APIClient) -> None:
    declare(lightx2v={"min_side_px": 161})
    rule("lightx2v", offered=True)
    answer = submit(client_of_user, form(engine="lightx2v"))
    assert [one["code"] for one in answer.json()["errors"]["images"]] == ["image_too_small"]
    assert goes_to(client_of_user) == ""


# --- What a batch shows ---------------------------------------------------------------------------


def test_a_batch_says_why_it_waits(client_of_user: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_bodies", BodyCache(0))  # each answer is made anew, not every five seconds
    rule("lightx2v")
    batch = made(client_of_user)
    address = f"/api/video/batches/{batch.pk}"
    assert client_of_user.get(address).json()["waiting_reason"] == ""
    worker = Worker.objects.get()
    worker.engines["lightx2v"] |= {"trouble": "engine_unavailable"}
    worker.save()
    reason = client_of_user.get(address, HTTP_ACCEPT_LANGUAGE="en").json()["waiting_reason"]
    assert reason == "The engine cannot work now. Videos wait until it can."
    del worker.engines["lightx2v"]
    worker.save()
    reason = client_of_user.get(address, HTTP_ACCEPT_LANGUAGE="zh-hans").json()["waiting_reason"]
    assert reason == "目前没有工作进程使用此引擎，视频会等到有为止。"
    batches.batch_cancel(batch=batch, acting_user=batch.user)
    assert client_of_user.get(address).json()["waiting_reason"] == ""
