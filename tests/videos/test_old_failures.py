"""Failures and remarks of before, kept as English sentences, are told by code after the migration."""

import importlib
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.utils import translation

from accounts.models import User
from tests.support.rows import make_batch
from videos import catalogue
from videos.models import ItemStatus, VideoItem

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

migration = importlib.import_module("videos.migrations.0041_sentences_become_codes")


def migrated(item: VideoItem, **fields: object) -> VideoItem:
    """The item after the migration, having been kept with `fields` before."""
    VideoItem.objects.filter(pk=item.pk).update(**fields)
    migration.to_codes(apps, SimpleNamespace(connection=connection))
    item.refresh_from_db()
    return item


@pytest.fixture
def item(user: User) -> VideoItem:
    return make_batch(user).items.get()


def failed(code: str, sentence: str) -> dict[str, object]:
    return {"status": ItemStatus.FAILED, "error_code": code, "error_msg": sentence}


@pytest.mark.parametrize(
    ("code", "sentence", "wanted", "params", "final"),
    [
        ("no_face", "No face was found in the portrait.", "no_face", {}, True),
        (
            "unusable_portrait",
            "The face is only 31 pixels wide; at least 48 are needed. Use a closer or larger picture.",
            "face_too_narrow",
            {"width": 31, "limit": 48},
            True,
        ),
        (
            "unusable_audio",
            "The recording lasts 0.2 s; between 0.5 s and 300 s can be used.",
            "recording_length",
            {"length": 0.2, "min": 0.5, "max": 300},
            True,
        ),
        (
            "render_crashed",
            "The render process ended unexpectedly (exit -9).",
            "render_crashed",
            {"code": -9},
            False,
        ),
        ("acme", "Acme is tired.", "acme", {}, False),
    ],
)
def test_a_failure_is_told_by_code(
    item: VideoItem, code: str, sentence: str, wanted: str, params: object, final: bool
) -> None:
    kept = migrated(item, **failed(code, sentence))
    assert (kept.error_code, kept.error_params, kept.error_final) == (wanted, params, final)
    with translation.override("en"):
        assert catalogue.failure(kept.error_code, kept.error_params, kept.error_msg) == sentence


def test_remarks_are_told_by_code_and_others_kept_as_they_are(item: VideoItem) -> None:
    notes = ["3 faces were found; the largest, most central one talks.", "Scripted."]
    kept = migrated(item, notes=notes)
    assert [note["code"] for note in kept.notes] == ["several_faces", ""]
    with translation.override("en"):
        assert [catalogue.note(note) for note in kept.notes] == notes


def test_a_second_run_changes_nothing(item: VideoItem) -> None:
    notes = ["Scripted."]
    once = migrated(item, notes=notes, **failed("no_face", "No face was found in the portrait."))
    first = (once.error_code, once.error_params, once.notes)
    twice = migrated(once)
    assert (twice.error_code, twice.error_params, twice.notes) == first


def test_every_old_sentence_is_known_by_its_present_code() -> None:
    for code, template in migration.FAILURES.items():
        assert catalogue.FAILURES[code] == template
