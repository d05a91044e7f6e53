"""Administrators' view of every batch."""

from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import current_user
from adminpanel.api import serializers as shapes
from adminpanel.api.permissions import IsAdministrator
from videos.api.batch_shapes import BatchListOutput
from videos.api.serializers import CountOutput
from videos.api.views import batch_page_response
from videos.services import batches, selectors
from zhiying.kernel.api.paging import validated_query
from zhiying.kernel.api.schema import IF_NONE_MATCH


class AllBatchesView(APIView):
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(
        operation_id="admin_batches_list",
        parameters=[shapes.AllBatchesQuery, IF_NONE_MATCH],
        responses={200: BatchListOutput, 304: OpenApiResponse(description="Unchanged.")},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Every batch in the system."""
        return batch_page_response(request, validated_query(request, shapes.AllBatchesQuery))


class BatchFirstView(APIView):
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(request=None, responses=CountOutput)
    def post(self, request: Request, batch_id: UUID) -> Response:
        """Let what waits of a batch be rendered before everybody else's; `count` says how many videos."""
        user = current_user(request)
        count = batches.batch_first(batch=selectors.batch_for(user, batch_id), acting_user=user)
        return Response({"success": True, "count": count})
