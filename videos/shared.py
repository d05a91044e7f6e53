"""The page that a link to videos opens. It needs no account and no script, and says nothing of either."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from rest_framework.throttling import AnonRateThrottle

from videos.services import shares
from videos.store.urls import Links
from zhiying.kernel.api.links import origin_of
from zhiying.kernel.api.methods import only_reads
from zhiying.kernel.errors import NotFoundError


class SharedThrottle(AnonRateThrottle):
    """By client address, in each process: tokens cannot be guessed, this bounds the load."""

    scope = "shared"
    rate = "60/min"


@only_reads
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """The videos of a link, to be played in the browser."""
    throttle = SharedThrottle()
    if not throttle.allow_request(request, None):  # type: ignore[arg-type]
        answer = _page(request, 429, problem=_("Too many requests. Please wait a minute."))
        answer["Retry-After"] = str(int(throttle.wait() or 60))
        return answer
    try:
        share = shares.shared_by(token)
    except NotFoundError as error:
        return _page(request, 404, problem=error.detail)
    links = Links.beginning_with(origin_of(request))
    videos = [
        {
            "name": item.original_name.rpartition(".")[0] or item.original_name,
            "url": links.url(item.video),
            "poster": links.url(item.poster or item.thumbnail),
        }
        for item in shares.shown_videos(share)
    ]
    return _page(request, 200, title=share.batch.name, videos=videos, expires_at=share.expires_at)


def _page(request: HttpRequest, status: int, **context: object) -> HttpResponse:
    answer = render(request, "videos/shared.html", context, status=status)
    answer["Cache-Control"] = "no-store"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    answer["Referrer-Policy"] = "no-referrer"  # the address is the key
    return answer
