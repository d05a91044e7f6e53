"""A text that a client sends is refused before it is longer than its column: PostgreSQL would not take it."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.db.models import Field, Model
from rest_framework import serializers

from accounts.models import CreditEntry, MailAddress, User
from tests.architecture.test_rooms import APPLICATIONS, ROOT
from videos.models import Batch, EngineCredential, Upload

KEPT_IN: dict[tuple[str, str], tuple[type[Model], str]] = {
    ("MailInput", "address"): (MailAddress, "address"),
    ("UserCreateInput", "username"): (User, "username"),
    ("CreditsChangeInput", "reason"): (CreditEntry, "note"),
    ("BatchInput", "name"): (Batch, "name"),
    ("BatchInput", "prompt"): (Batch, "prompt"),
    ("BatchInput", "engine"): (Batch, "engine"),
    ("RenameInput", "name"): (Batch, "name"),
    ("AnnouncedFile", "content_type"): (Upload, "content_type"),
    ("CredentialQuery", "engine"): (EngineCredential, "engine"),
    ("CredentialInput", "new_token"): (EngineCredential, "secret"),
}
NOT_KEPT = {
    "password": "its hash is",
    "old_password": "compared",
    "new_password": "its hash is",
    "otp": "compared",
    "code": "compared",
    "refresh": "a token of ours, which is checked",
    "token": "of ours, which is checked",
    "LoginInput.username": "looked up",
    "AnnouncedFile.name": "shortened to what the column takes",
    "BatchFromUploads.images": "keys, which are looked up",
    "BatchFromUploads.audio": "a key, which is looked up",
    "ImageFromUpload.image": "a key, which is looked up",
}
"""Fields, by name or of one form, whose text is in no column, and why."""
ANSWERS_AND_QUERIES = ("Output", "Query")


def texts() -> Iterator[tuple[str, str, Any]]:
    """Every text field of a body: a form that has it, its name, and the field."""
    for application in APPLICATIONS:
        for path in sorted((ROOT / application / "api").glob("*.py")):
            module = import_module(f"{application}.api.{path.stem}")
            for name, form in sorted(vars(module).items()):
                if not isinstance(form, type) or not issubclass(form, serializers.Serializer):
                    continue
                if form.__module__ == module.__name__ and not name.endswith(ANSWERS_AND_QUERIES):
                    yield from texts_of(form)


def texts_of(form: type[Any]) -> Iterator[tuple[str, str, Any]]:
    """Under the name of the form that declared the field first, from which others have it."""
    for name, declared in form._declared_fields.items():
        field = getattr(declared, "child", declared)
        if isinstance(field, serializers.CharField) and not declared.read_only:
            owner = next(c for c in reversed(form.__mro__) if name in getattr(c, "_declared_fields", {}))
            yield owner.__name__, name, field


@pytest.mark.parametrize(("form", "name", "field"), [pytest.param(*t, id=f"{t[0]}.{t[1]}") for t in texts()])
def test_no_body_takes_a_text_that_is_longer_than_its_column(form: str, name: str, field: Any) -> None:
    if name in NOT_KEPT or f"{form}.{name}" in NOT_KEPT:
        return
    assert (form, name) in KEPT_IN, "say which column it is kept in, or why in none"
    model, column = KEPT_IN[form, name]
    allowed = column_of(model, column).max_length
    assert allowed is None or (field.max_length is not None and field.max_length <= allowed)


def test_the_lists_name_fields_that_exist() -> None:
    found = {(form, name) for form, name, _field in texts()}
    assert set(KEPT_IN) <= found
    named = {name for _form, name in found} | {f"{form}.{name}" for form, name in found}
    assert set(NOT_KEPT) <= named


def column_of(model: type[Model], name: str) -> "Field[Any, Any]":
    field = model._meta.get_field(name)
    assert isinstance(field, Field)
    return field
