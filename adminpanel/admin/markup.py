"""Small pieces of HTML of the lists and pages. Everything from users is escaped."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Model
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from videos.models import ItemStatus, VideoItem
from videos.store.urls import media_path


def link(model: type[Model], key: object, text: object) -> SafeString:
    """A link to the page of one row."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[key])
    return format_html('<a href="{}">{}</a>', url, text)


def list_link(model: type[Model], query: str, text: object) -> SafeString:
    """A link to a filtered list."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', url, query, text)


def badge(kind: str, text: object) -> SafeString:
    """A status as a coloured word; `kind` chooses the colour in admin.css."""
    return format_html('<span class="zy-badge zy-{}">{}</span>', kind, text)


def thumbnail(key: str, name: str) -> SafeString:
    """A stored picture at the size of a list row; loaded when it comes into view. `name` is what it is of."""
    if not key:
        return SafeString("")
    return format_html('<img class="zy-thumbnail" src="{}" alt="{}" loading="lazy">', media_path(key), name)


def amount(value: int) -> SafeString:
    """A signed number of credits."""
    sign = "plus" if value > 0 else "minus" if value < 0 else "zero"
    return format_html('<span class="zy-amount zy-{}">{}</span>', sign, f"{value:+,d}".replace("-", "−"))


def lines(texts: Iterable[object]) -> SafeString:
    """Short texts under each other."""
    return format_html_join("", "<div>{}</div>", ((text,) for text in texts))


def line(*parts: object) -> SafeString:
    """Short texts beside each other; times in the platform's zone."""
    shown = (moment(part) if isinstance(part, datetime) else part for part in parts)
    return format_html_join(" ", '<span class="zy-part">{}</span>', ((part,) for part in shown if part))


def moment(time: datetime | None) -> str:
    """Day and time of day in the platform's zone; empty for never."""
    return date_format(localtime(time), "Y-m-d H:i") if time else ""


def error(code: str, text: str) -> SafeString:
    """Why a video failed: the sentence, and the code that programs know it by."""
    return format_html('<span class="zy-error">{}</span> <code>{}</code>', text, code)


def recording(key: str, caption: str) -> SafeString:
    """A player for a batch's recording."""
    return format_html(
        '<audio class="zy-audio" controls preload="none" src="{}"></audio><div class="zy-quiet">{}</div>',
        media_path(key),
        caption,
    )


def player(item: VideoItem) -> SafeString:
    """The finished video with its poster, or the source image while there is none."""
    if item.status != ItemStatus.COMPLETED:
        return format_html('<img class="zy-player" src="{}" alt="">', media_path(item.source_image))
    return format_html(
        '<video class="zy-player" controls preload="none" playsinline poster="{}" src="{}"></video>',
        media_path(item.poster or item.thumbnail),
        media_path(item.video),
    )
