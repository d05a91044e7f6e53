"""Signed addresses of stored media in templates."""

from django import template

from videos import catalogue
from videos.models import VideoItem
from videos.store.urls import media_path

register = template.Library()


@register.filter
def signed(key: str) -> str:
    """The path under which a stored file can be read for some hours; empty for no key."""
    return media_path(key) if key else ""


@register.filter
def failure(item: VideoItem) -> str:
    """Why an item failed, in the language of the page."""
    return catalogue.failure(item.error_code, item.error_params, item.error_msg)
