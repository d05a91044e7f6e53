"""One spelling per user name: what makes two names the same."""

import unicodedata
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _CharField = models.CharField[str, str]
else:
    _CharField = models.CharField

MAX_KEY_LENGTH = 150
_INVISIBLE = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0"))
"""Letters that show nothing (fillers of Hangul); what else is invisible is no letter and refused in names."""
_ALPHABETS = ("LATIN", "GREEK", "CYRILLIC")
"""Alphabets that share the shapes of many letters."""


def username_key(username: str) -> str:
    """The key under which a name is stored and looked up.

    Unicode's compatibility caseless match (NFKC with full case folding): names that differ in case, in
    width or in how accents are encoded have the same key on every database.
    """
    text = unicodedata.normalize("NFD", username.strip()).translate(_INVISIBLE)
    for _ in range(2):  # folding may leave what normalises further, and the other way round
        text = unicodedata.normalize("NFKC", text).casefold()
    # PostgreSQL takes no NUL, not even in a question; no name has this letter, so nobody is found by it.
    return unicodedata.normalize("NFKC", text).replace("\0", "\N{REPLACEMENT CHARACTER}")


def mixes_alphabets(username: str) -> bool:
    """Whether letters of alphabets that look alike stand side by side, as in "аdmin" with a Cyrillic а."""
    found = {
        alphabet
        for letter in username_key(username)
        for alphabet in _ALPHABETS
        if unicodedata.name(letter, "").startswith(alphabet)
    }
    return len(found) > 1


class UsernameKeyField(_CharField):
    """Holds the key of `username`, taken from it whenever the row is written."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        key = username_key(str(getattr(model_instance, "username", "")))
        setattr(model_instance, self.attname, key)
        return key

    def deconstruct(self) -> Any:
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.CharField", arguments, options
