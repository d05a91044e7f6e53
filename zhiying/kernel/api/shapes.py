"""Answer shapes: each field of an answer is written once.

A shape is a serializer, from which the OpenAPI schema is made. Beside its type, every field says where
its value comes from, and `body` makes the answer from that directly, without REST framework's walk over
field objects, which costs more than everything else in a large answer. Two names for the same value
share one definition: `user_id = userId = shown(...)`.
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, ClassVar, TypeVar

from rest_framework import serializers

Field = TypeVar("Field", bound="serializers.Field[Any, Any, Any, Any]")
Getter = Callable[[Any], Any]

_GETTER = "value_shown"


def shown(field: Field, getter: Getter) -> Field:
    """A field of a shape whose value is `getter` of what is shown."""
    setattr(field, _GETTER, getter)
    return field


class Shape(serializers.Serializer[Any]):
    """An answer that is an object."""

    _getters: ClassVar[tuple[tuple[str, Getter], ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._getters = tuple((name, getattr(field, _GETTER)) for name, field in cls._declared_fields.items())
        # A field that has two names would be in the schema under one of them only.
        fields = {name: deepcopy(field) for name, field in cls._declared_fields.items()}
        cls._declared_fields = {name: shown(fields[name], getter) for name, getter in cls._getters}

    @classmethod
    def body(cls, source: Any) -> dict[str, Any]:
        """The answer for one source."""
        return {name: getter(source) for name, getter in cls._getters}

    @classmethod
    def bodies(cls, sources: Iterable[Any]) -> list[dict[str, Any]]:
        """The answer for several."""
        getters = cls._getters
        return [{name: getter(source) for name, getter in getters} for source in sources]
