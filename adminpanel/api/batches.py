"""Administrators' view of every batch."""

from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from adminpanel.api import serializers as shapes
from adminpanel.api.permissions import IsAdministrator
from videos.api.batch_shapes import BatchListOutput
from videos.api.views import batch_page_response
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
