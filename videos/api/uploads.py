"""Direct uploads: announced here, sent to the store in parts, named by key in a batch."""

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import current_user
from videos.models import Upload, UploadStatus
from videos.services import uploads
from videos.store.direct_uploads import upload_store
from videos.store.direct_uploads.disk import PartRefusedError, is_signed_part, receive_part
from zhiying.kernel.api.links import origin_of
from zhiying.kernel.api.methods import only_methods
from zhiying.kernel.api.schema import SuccessSerializer
from zhiying.kernel.api.slots import slow_request_slot, too_many_slow_requests
from zhiying.kernel.body_limits import DEFAULT_BODY_BYTES, takes_body
from zhiying.kernel.responses import error_response


class AnnouncedFile(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=1000)
    size = serializers.IntegerField(min_value=0, max_value=10**15, help_text="Bytes.")
    content_type = serializers.CharField(
        max_length=100, help_text="image/jpeg, image/png, image/webp, audio/mpeg or audio/wav."
    )


class UploadsInput(serializers.Serializer[Any]):
    files = serializers.ListField(child=AnnouncedFile(), min_length=1, max_length=200)


class PartOutput(serializers.Serializer[Any]):
    number = serializers.IntegerField(help_text="From 1.")
    offset = serializers.IntegerField(help_text="Where the part begins in the file, bytes.")
    size = serializers.IntegerField(help_text="Bytes.")
    url = serializers.CharField(help_text="PUT exactly these bytes there; again if the connection broke.")
    received = serializers.BooleanField(help_text="Whether it is there.")


class UploadOutput(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="Names the file in a batch, once.")
    name = serializers.CharField()
    size = serializers.IntegerField()
    content_type = serializers.CharField()
    status = serializers.ChoiceField(choices=UploadStatus.choices)
    method = serializers.CharField()
    url = serializers.CharField(help_text="Of the first part, which is often the only one.")
    headers = serializers.DictField(child=serializers.CharField(), help_text="To send with every part.")
    expires_at = serializers.DateTimeField(help_text="Until then the URLs work; ask again for new ones.")
    part_size = serializers.IntegerField()
    parts = PartOutput(many=True)


class UploadsOutput(serializers.Serializer[Any]):
    uploads = UploadOutput(many=True)


class UploadsView(APIView):
    """Uploads that come ahead of a batch."""

    @extend_schema(request=UploadsInput, responses={201: UploadsOutput})
    def post(self, request: Request) -> Response:
        """Announce files; the answer says where to PUT their parts."""
        data = UploadsInput(data=request.data)
        data.is_valid(raise_exception=True)
        files = [uploads.Announced(**file) for file in data.validated_data["files"]]
        made = uploads.uploads_begin(user=current_user(request), files=files)
        bodies = [_body(request, upload, received=set()) for upload in made]
        return Response({"uploads": bodies}, status=201)


class UploadView(APIView):
    """One upload."""

    @extend_schema(responses=UploadOutput)
    def get(self, request: Request, key: UUID) -> Response:
        """Which parts are there, and fresh URLs: for going on after a broken connection."""
        upload = uploads.upload_for(current_user(request), key)
        return Response(_body(request, upload, received=uploads.received_parts(upload)))

    @extend_schema(request=None, responses={200: SuccessSerializer})
    def delete(self, request: Request, key: UUID) -> Response:
        """Forget an upload that no batch has taken."""
        uploads.upload_discard(upload=uploads.upload_for(current_user(request), key))
        return Response({"success": True})


def _body(request: Request, upload: Upload, *, received: set[int]) -> dict[str, Any]:
    store = upload_store()
    urls = store.part_urls(upload, origin_of(request._request))
    return {
        "key": str(upload.pk),
        "name": upload.name,
        "size": upload.size,
        "content_type": upload.content_type,
        "status": upload.status,
        "method": "PUT",
        "url": urls[0],
        "headers": {"Content-Type": upload.content_type},
        "expires_at": store.urls_expire_at(upload),
        "part_size": upload.part_size,
        "parts": [
            {
                "number": number,
                "offset": (number - 1) * upload.part_size,
                "size": upload.part_bytes(number),
                "url": url,
                "received": number in received,
            }
            for number, url in enumerate(urls, start=1)
        ],
    }


@takes_body(settings.UPLOAD_PART_BYTES + DEFAULT_BODY_BYTES)
@csrf_exempt
@only_methods("PUT")
def upload_part(request: HttpRequest, token: str, key: UUID, number: int) -> HttpResponseBase:
    """Take one part to the disk: permitted by the URL's signature, as S3 does."""
    with slow_request_slot() as taken:
        return _take_part(request, token, key, number) if taken else too_many_slow_requests(request)


def _take_part(request: HttpRequest, token: str, key: UUID, number: int) -> HttpResponseBase:
    # The signature is looked at with the row, whose size says which parts there are.
    upload = uploads.open_upload(key)
    if upload is None:
        return error_response(409, "upload_closed", _("This upload takes no parts any more."))
    if not is_signed_part(token, upload, number):
        return error_response(
            403, "upload_link_expired", _("This upload link has expired or is not valid. Ask for a new one.")
        )
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal() or len(length) > len(str(settings.REQUEST_MAX_BYTES)):
        return error_response(411, "length_required", _("Say by Content-Length how long the part is."))
    try:
        receive_part(upload, number, cast("Any", request), int(length))
    except PartRefusedError as refusal:
        status, detail = _refusals()[refusal.code]
        return error_response(status, refusal.code, detail)
    return HttpResponse(status=200)


def _refusals() -> dict[str, tuple[int, str]]:
    return {
        "part_size": (400, _("The part does not have the size that was announced for it.")),
        "part_incomplete": (400, _("The part ended too early. Send it again.")),
        "part_too_slow": (408, _("The part took too long to arrive. Send it again.")),
        "upload_closed": (409, _("This upload takes no parts any more.")),
    }
