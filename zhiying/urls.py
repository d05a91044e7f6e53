"""Every path of the project."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from adminpanel.admin.site import site as admin_site
from videos.api.exports import archive
from videos.api.media import media
from videos.api.uploads import upload_part
from videos.shared import shared
from zhiying import frontend, unhandled
from zhiying.schema import SchemaView

_PUBLIC = {"permission_classes": [AllowAny], "authentication_classes": []}

urlpatterns = [
    path("api/", include("accounts.api.urls")),
    path("api/", include("videos.api.urls")),
    path("api/", include("adminpanel.api.urls")),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema", **_PUBLIC), name="docs"),
    re_path(r"^api(/|$)", unhandled.no_such_call),
    path("media/<str:token>/archive/<uuid:batch_id>", archive),
    path("media/<str:token>/upload/<uuid:key>/<int:number>", upload_part),
    path("media/<str:token>/<path:key>", media),
    path("s/<str:token>", shared, name="shared"),
    path("admin/", admin_site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    re_path(r"^(?!static/|media/).*$", frontend.index),
]

handler400 = "zhiying.unhandled.bad_request"
handler403 = "zhiying.unhandled.forbidden"
handler404 = "zhiying.unhandled.not_found"
handler500 = "zhiying.unhandled.server_error"
