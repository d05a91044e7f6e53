"""The front end's single page, served for every path that is not the API's."""

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase

from zhiying.kernel.api.methods import only_reads

_NOT_BUILT = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>ZhiYing</title>"
    "<p>The server runs. The front end has not been built; <a href=/api/docs>the API is documented here</a>"
    " and <a href=/admin/>the admin site is here</a>.</p></html>"
)


@only_reads
def index(request: HttpRequest) -> HttpResponseBase:
    """The page whose script routes by path; never cached, because it names the hashed files."""
    page = settings.FRONTEND_DIST / "index.html"
    if not page.is_file():
        return HttpResponse(_NOT_BUILT)
    response = FileResponse(page.open("rb"), content_type="text/html; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response
