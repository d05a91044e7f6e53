"""What can be done to batches and items that exist: cancel, retry, replace, delete."""

from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import current_user
from videos.api import serializers as shapes
from videos.api.submissions import Submission, form_submission, key_submission, names_keys
from videos.models import Batch, ItemStatus, VideoItem
from videos.pricing import price_of_video
from videos.services import batches, routing, selectors
from videos.services.check_budget import checking
from videos.services.intake import prepared_portrait
from videos.services.item_deletion import item_delete
from videos.services.retention import FilesRemovedError
from videos.store.urls import media_url
from zhiying.kernel.api.links import origin_of
from zhiying.kernel.api.schema import SuccessSerializer, error
from zhiying.kernel.api.slots import SlowRequests
from zhiying.kernel.body_limits import DEFAULT_BODY_BYTES
from zhiying.kernel.errors import InvalidError, NotFoundError

_CREDITS_SHORT = error("Not enough credits; the answer has `required` and `available`.")


class ItemView(APIView):
    @extend_schema(request=None, responses=SuccessSerializer)
    def delete(self, request: Request, batch_id: UUID, item_id: UUID) -> Response:
        """Delete one finished, failed or cancelled video and its files; nothing is refunded.

        A batch's only video goes with its batch.
        """
        user = current_user(request)
        item_delete(item=selectors.item_for(user, batch_id, item_id), acting_user=user)
        return Response({"success": True})


class ItemCancelView(APIView):
    @extend_schema(request=None, responses=SuccessSerializer)
    def post(self, request: Request, batch_id: UUID, item_id: UUID) -> Response:
        """Cancel a waiting or running item; its credit is refunded."""
        user = current_user(request)
        batches.item_cancel(item=selectors.item_for(user, batch_id, item_id), acting_user=user)
        return Response({"success": True})


class ItemRetryView(APIView):
    @extend_schema(request=None, responses={200: SuccessSerializer, 402: _CREDITS_SHORT})
    def post(self, request: Request, batch_id: UUID, item_id: UUID) -> Response:
        """Retry a failed or cancelled item, at today's price."""
        user = current_user(request)
        batches.item_retry(item=selectors.item_for(user, batch_id, item_id), acting_user=user)
        return Response({"success": True})


class ItemReplaceView(SlowRequests, APIView):
    accepts_files = True
    max_body_bytes = settings.IMAGE_MAX_BYTES + DEFAULT_BODY_BYTES

    @extend_schema(
        request={"multipart/form-data": shapes.ImageUpload, "application/json": shapes.ImageFromUpload},
        responses={200: SuccessSerializer, 402: _CREDITS_SHORT},
    )
    def post(self, request: Request, batch_id: UUID, item_id: UUID) -> Response:
        """Give a failed or cancelled item another image and retry it, at today's price."""
        user = current_user(request)
        item = selectors.item_for(user, batch_id, item_id)
        submission = _new_image(request)
        engine = routing.first_engine_of(item.batch)
        batches.require_credits(item.batch.user, price_of_video(item.batch.audio_duration_s, engine))
        with (
            checking(acting_user=user, images=1) as paid,
            submission.files() as (images, _audio),
            prepared_portrait(images[0], engine=engine) as portrait,
        ):
            batches.item_replace(item=item, portrait=portrait, acting_user=user, on_replaced=submission.take)
            paid()
        return Response({"success": True})


def _new_image(request: Request) -> Submission:
    if names_keys(request):
        fields = shapes.ImageFromUpload(data=request.data)
        fields.is_valid(raise_exception=True)
        return key_submission(request, [fields.validated_data["image"]], "", 1)
    submission = form_submission(request, "image")
    if not submission.images:
        raise InvalidError(_("Send the new portrait as the file `image`."), code="no_images")
    return submission


class ItemResultUrlView(APIView):
    @extend_schema(responses=shapes.UrlOutput)
    def get(self, request: Request, batch_id: UUID, item_id: UUID) -> Response:
        """The address of the finished video, which works without a header; 404 until there is one."""
        item = selectors.item_for(current_user(request), batch_id, item_id)
        if item.status != ItemStatus.COMPLETED:
            raise NotFoundError(_("There is no video yet."))
        _require_files(item)
        return Response({"url": media_url(origin_of(request._request), item.video)})


class ItemInputUrlView(APIView):
    @extend_schema(responses=shapes.UrlOutput)
    def get(self, request: Request, batch_id: UUID, item_id: UUID) -> Response:
        """The address of the item's portrait, which works without a header."""
        item = selectors.item_for(current_user(request), batch_id, item_id)
        if not item.source_image:
            raise NotFoundError(_("The portrait is not stored any more."))
        _require_files(item)
        return Response({"url": media_url(origin_of(request._request), item.source_image)})


def _require_files(item: VideoItem) -> None:
    if item.batch.files_removed:
        gone = FilesRemovedError()
        raise NotFoundError(gone.detail, code=gone.code)


class BatchCancelView(APIView):
    @extend_schema(request=None, responses=shapes.CountOutput)
    def post(self, request: Request, batch_id: UUID) -> Response:
        """Cancel everything of the batch that waits or runs."""
        count = batches.batch_cancel(batch=_batch(request, batch_id), acting_user=current_user(request))
        return Response({"success": True, "count": count})


class RetryFailedView(APIView):
    @extend_schema(request=shapes.RetryInput, responses={200: shapes.CountOutput, 402: _CREDITS_SHORT})
    def post(self, request: Request, batch_id: UUID) -> Response:
        """Retry all failed and cancelled items, at today's price each."""
        data = shapes.RetryInput(data=request.data)
        data.is_valid(raise_exception=True)
        count = batches.batch_retry_failed(
            batch=_batch(request, batch_id), acting_user=current_user(request), **data.validated_data
        )
        return Response({"success": True, "count": count})


def _batch(request: Request, batch_id: UUID) -> Batch:
    return selectors.batch_for(current_user(request), batch_id)
