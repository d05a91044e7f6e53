"""Signed addresses of stored media in templates."""

from django import template

from videos.store.urls import media_path
from zhiying.kernel.translatable import translated

register = template.Library()


@register.filter
def signed(key: str) -> str:
    """The path under which a stored file can be read for some hours; empty for no key."""
    return media_path(key) if key else ""


@register.filter(name="translated")
def translated_filter(sentence: str) -> str:
    """An engine's sentence in the language of the page."""
    return translated(sentence)
