"""Getting results out: the names and addresses of finished videos, and a ZIP of all or some of them."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import current_user
from videos.api import serializers as shapes
from videos.models import Batch
from videos.services import archive as export
from videos.services import selectors
from videos.services.retention import FilesRemovedError
from videos.store.urls import is_valid, media_path, media_url
from zhiying.kernel.api.links import origin_of
from zhiying.kernel.api.methods import only_reads
from zhiying.kernel.api.paging import validated_query
from zhiying.kernel.api.slots import slow_answers
from zhiying.kernel.responses import disposition, error_response

MAX_CHOSEN = 1000
"""Ids that one call may name."""


class ExportQuery(serializers.Serializer[Any]):
    items = serializers.CharField(
        required=False,
        max_length=37 * MAX_CHOSEN,
        help_text="Ids of videos, separated by commas: only these. Without it, all.",
    )

    def validate_items(self, text: str) -> frozenset[UUID]:
        """The ids as such."""
        try:
            return ids_in(text)
        except ValueError:
            raise serializers.ValidationError(_("Name videos by their ids, separated by commas.")) from None


def ids_in(text: str) -> frozenset[UUID]:
    """Raises:
    ValueError: something of it is not an id.
    """
    return frozenset(UUID(part) for part in text.split(","))


class ExportView(APIView):
    @extend_schema(parameters=[ExportQuery], responses=shapes.ExportOutput)
    def get(self, request: Request, batch_id: UUID) -> Response:
        """The finished videos with the names they should get, and a ZIP of them."""
        chosen = validated_query(request, ExportQuery).get("items")
        batch = selectors.batch_for(current_user(request), batch_id)
        origin = origin_of(request._request)
        files = [_file_body(file, origin) for file in export.exported_files(batch, chosen)]
        # Ids and commas need no escaping.
        query = f"?items={','.join(sorted(map(str, chosen)))}" if chosen else ""
        return Response(
            {
                "batch_id": str(batch.pk),
                "batch_name": batch.name,
                "files": files,
                "total": len(files),
                "zip_url": origin + media_path(_archive_key(batch.pk)) + query,
            }
        )


@only_reads
@slow_answers
def archive(request: HttpRequest, token: str, batch_id: UUID) -> HttpResponseBase:
    """The ZIP behind `zip_url`: permitted by its signature, so that a plain link can fetch it.

    The signature is for the batch; `items` only leaves something out.
    """
    if not is_valid(token, _archive_key(batch_id)):
        return error_response(
            403, "media_link_expired", _("This link has expired or is not valid. Reload the page.")
        )
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is None:
        return error_response(404, "not_found", _("There is no such batch."))
    if batch.files_removed:
        gone = FilesRemovedError()
        return error_response(410, gone.code, gone.detail)
    try:
        chosen = ids_in(text) if (text := request.GET.get("items")) else None
    except ValueError:
        return error_response(400, "invalid", _("Name videos by their ids, separated by commas."))
    stream = export.stream_archive(batch, chosen)
    response = StreamingHttpResponse(stream, content_type="application/zip")
    response["Content-Length"] = str(len(stream))
    response["Content-Disposition"] = disposition(export.archive_name(batch))
    response["Cache-Control"] = "private, no-store"
    return response


def _archive_key(batch_id: UUID) -> str:
    return f"archive/{batch_id}"


def _file_body(file: export.ExportedFile, origin: str) -> dict[str, Any]:
    url = f"{media_url(origin, file.item.video)}?{urlencode({'download': file.name})}"
    return {"id": str(file.item.pk), "name": file.name, "url": url}
