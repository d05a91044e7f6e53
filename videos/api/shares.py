"""Links to finished videos: made, listed and revoked by whoever sees the batch."""

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import current_user
from videos.services import selectors, shares
from zhiying.kernel.api.links import origin_of
from zhiying.kernel.api.schema import SuccessSerializer
from zhiying.kernel.api.shapes import Shape, shown
from zhiying.kernel.errors import NotFoundError


class ShareInput(serializers.Serializer[Any]):
    days = serializers.IntegerField(min_value=1, max_value=shares.MAX_DAYS, default=7)
    item_id = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Only this video; without it the batch."
    )


class ShareOutput(Shape):
    id = shown(serializers.UUIDField(), lambda share: share.pk)
    item_id = shown(serializers.UUIDField(allow_null=True), lambda share: share.item_id)
    item_name = shown(
        serializers.CharField(allow_null=True),
        lambda share: share.item.original_name if share.item else None,
    )
    created_at = shown(serializers.DateTimeField(), lambda share: share.created_at)
    expires_at = shown(serializers.DateTimeField(), lambda share: share.expires_at)


class SharesOutput(serializers.Serializer[Any]):
    shares = ShareOutput(many=True)


class ShareMadeOutput(serializers.Serializer[Any]):
    share = ShareOutput()
    url = serializers.CharField(help_text="The link. It is told now and never again.")


class SharesView(APIView):
    @extend_schema(operation_id="video_batches_shares_list", responses=SharesOutput)
    def get(self, request: Request, batch_id: UUID) -> Response:
        """The links that open something of this batch, newest first."""
        batch = selectors.batch_for(current_user(request), batch_id)
        return Response({"shares": ShareOutput.bodies(shares.live_shares(batch))})

    @extend_schema(request=ShareInput, responses={201: ShareMadeOutput})
    def post(self, request: Request, batch_id: UUID) -> Response:
        """A link by which anybody watches the finished videos, until it expires or is revoked."""
        data = ShareInput(data=request.data)
        data.is_valid(raise_exception=True)
        user, item_id = current_user(request), data.validated_data["item_id"]
        batch = selectors.batch_for(user, batch_id)
        item = selectors.item_for(user, batch_id, item_id) if item_id else None
        made = shares.share_create(batch=batch, item=item, days=data.validated_data["days"], acting_user=user)
        page = reverse("shared", args=[made.token])
        body = {"share": ShareOutput.body(made.share), "url": f"{origin_of(request._request)}{page}"}
        place = f"/api/video/batches/{batch.pk}/shares/{made.share.pk}"
        return Response(body, status=201, headers={"Location": place, "Cache-Control": "no-store"})


class ShareView(APIView):
    @extend_schema(request=None, responses={200: SuccessSerializer})
    def delete(self, request: Request, batch_id: UUID, share_id: UUID) -> Response:
        """Revoke a link."""
        user = current_user(request)
        batch = selectors.batch_for(user, batch_id)
        share = shares.live_shares(batch).filter(pk=share_id).first()
        if share is None:
            raise NotFoundError(_("There is no such link."))
        shares.share_revoke(share=share, acting_user=user)
        return Response({"success": True})
