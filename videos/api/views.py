"""Batches and their items."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from itertools import accumulate
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import current_user
from accounts.models import User
from videos.api import answers
from videos.api import serializers as shapes
from videos.api.batch_shapes import BatchListOutput, BatchOutput
from videos.api.examples import EXAMPLE_OF_CREATED, EXAMPLE_OF_KEYS
from videos.api.submissions import Submission, form_submission, key_submission, names_keys
from videos.models import Batch
from videos.pricing import price_of_video
from videos.services import batches, selectors, stored_bytes
from videos.services.batch_rows import BatchRow, batch_row_for, newest_rows
from videos.services.check_budget import checking
from videos.services.intake import PreparedFiles, prepared_files
from zhiying.kernel.api.conditional import conditional_response
from zhiying.kernel.api.paging import Order, page_facts, page_of, validated_query
from zhiying.kernel.api.schema import IDEMPOTENCY_KEY, IF_NONE_MATCH, SuccessSerializer, error
from zhiying.kernel.api.slots import SlowRequests
from zhiying.kernel.idempotency import Answer, KeyedRequest, Save, perform_once

LIST_MAX_ITEMS = 2500
"""In one answer: a page of fifty full batches."""
_NOT_MODIFIED = OpenApiResponse(description="Unchanged since the ETag was given.")
_CREDITS_SHORT = error("Not enough credits; the answer has `required` and `available`.")


class BatchCreateView(SlowRequests, APIView):
    """Submit a batch."""

    accepts_files = True

    @extend_schema(
        parameters=[shapes.BatchCreateQuery, IDEMPOTENCY_KEY],
        request={
            "multipart/form-data": shapes.BatchUpload,
            "application/json": shapes.BatchFromUploads,
        },
        examples=[EXAMPLE_OF_KEYS, EXAMPLE_OF_CREATED],
        responses={
            201: shapes.CreatedOutput,
            200: PolymorphicProxySerializer("DryRun", [shapes.DryRunOutput], None),
            402: _CREDITS_SHORT,
            422: error("The Idempotency-Key was used for a different request."),
        },
    )
    def post(self, request: Request) -> Response:
        """Check the files, charge the price of each image's video and queue the batch."""
        user = current_user(request)
        dry_run = validated_query(request, shapes.BatchCreateQuery)["dry_run"]
        text, submission = _submission(request)

        def keep(save: Save, status: int, body: dict[str, Any]) -> None:
            submission.take()
            save(status, body)

        def work(save: Save) -> Answer:
            stored_bytes.require_room(user)
            count = len(submission.images)
            if not dry_run and count <= settings.BATCH_MAX_IMAGES:
                batches.require_least_credits(user, count)
            with (
                checking(acting_user=user, images=count) as paid,
                submission.files() as (images, audio),
                prepared_files(
                    user=user, images=images, audio=audio, prompt=text["prompt"], choice=text["engine"]
                ) as files,
            ):
                if dry_run:
                    return _priced(user, files)
                answer = _create(user, text, files, partial(keep, save))
                paid()
                return answer

        key = None if dry_run else _keyed(request, submission.fingerprint("batch", _said(text)))
        status, body = perform_once(key, work)
        place = (
            {"Location": f"/api/video/batches/{body['batch_id']}"} if status == HTTPStatus.CREATED else None
        )
        return Response(body, status=status, headers=place)


def _create(user: User, text: Mapping[str, str], files: PreparedFiles, save: Save) -> Answer:
    def body(created: batches.Created) -> dict[str, Any]:
        return {
            "batch_id": str(created.batch.pk),
            "name": created.batch.name,
            "image_count": created.batch.image_count,
            "price_per_image": created.price_per_image,
            "credits_used": created.batch.credits_used,
            "credits": created.credits_left,
            "engine": _engine(files),
            "notices": list(files.notices),
        }

    created = batches.batch_create(
        user=user,
        acting_user=user,
        name=text["name"],
        prompt=text["prompt"],
        files=files,
        on_created=lambda created: save(201, body(created)),
    )
    return 201, body(created)


def _priced(user: User, files: PreparedFiles) -> Answer:
    stored_bytes.require_room(user, batches.size_of(files))
    each = price_of_video(files.audio_duration_s, files.route.engine)
    price = each * len(files.portraits)
    return 200, {
        "ok": True,
        "image_count": len(files.portraits),
        "price_per_image": each,
        "price": price,
        "credits": user.credits,
        "sufficient": user.credits >= price,
        "duration": round(files.audio_duration_s, 3),
        "engine": _engine(files),
        "notices": list(files.notices),
    }


def _engine(files: PreparedFiles) -> dict[str, str]:
    return {"name": files.route.engine, "label": files.route.limits.label}


def _submission(request: Request) -> tuple[dict[str, str], Submission]:
    """The text fields, and the files in the form or by the keys of uploads."""
    by_keys = names_keys(request)
    fields = (shapes.BatchFromUploads if by_keys else shapes.BatchInput)(data=request.data)
    fields.is_valid(raise_exception=True)
    data = dict(fields.validated_data)
    if not by_keys:
        return data, form_submission(request, "images", "images[]")
    images, audio = data.pop("images"), data.pop("audio")
    return data, key_submission(request, images, audio, settings.BATCH_MAX_IMAGES)


def _said(text: Mapping[str, str]) -> dict[str, str]:
    """What a repeated request has to say again; without a choice, as before there was one."""
    return {name: value for name, value in text.items() if value or name != "engine"}


def _keyed(request: Request, content: str) -> KeyedRequest | None:
    key = request.headers.get("Idempotency-Key")
    return None if key is None else KeyedRequest(current_user(request).pk, key, content)


class BatchListView(APIView):
    """The user's batches."""

    @extend_schema(
        operation_id="video_batches_list",
        parameters=[shapes.BatchListQuery, IF_NONE_MATCH],
        responses={200: BatchListOutput, 304: _NOT_MODIFIED},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The user's batches with their items, newest first.

        A page has no more batches than have 2,500 items together; `next` goes on after them.
        """
        query = validated_query(request, shapes.BatchListQuery)
        user_id = current_user(request).pk
        plain = not any(query.get(name) for name in ("search", "status", "date_from", "date_to"))
        first = partial(newest_rows, user_id) if plain else None
        return batch_page_response(request, {**query, "user": user_id}, first)


def batch_page_response(
    request: Request, query: dict[str, Any], first: Callable[[int], list[BatchRow]] | None = None
) -> HttpResponseBase:
    """One page of batches with their items. `first` is a quicker way to the first rows."""
    page = page_of(
        selectors.batches_listed(query),
        query,
        Order.parse(query.get("ordering", selectors.NEWEST_FIRST)),
        plain=BatchRow,
        fitting=len if query["summary"] else _fitting,
        first=first,
    )
    viewer, summary, facts = answers.Viewer.of(request), query["summary"], page_facts(request, page)
    return conditional_response(
        request,
        answers.list_tag(page.rows, viewer, facts, summary=summary),
        lambda: answers.list_json(answers.batch_jsons(page.rows, viewer, summary=summary), facts),
    )


def _fitting(rows: Sequence[BatchRow]) -> int:
    """How many batches have no more than `LIST_MAX_ITEMS` items together; the first always fits."""
    sizes = accumulate(row.image_count for row in rows)
    return max(1, sum(size <= LIST_MAX_ITEMS for size in sizes))


class BatchView(APIView):
    """One batch."""

    @extend_schema(parameters=[IF_NONE_MATCH], responses={200: BatchOutput, 304: _NOT_MODIFIED})
    def get(self, request: Request, batch_id: UUID) -> HttpResponseBase:
        """The batch with every item's state and result."""
        row, viewer = batch_row_for(current_user(request), batch_id), answers.Viewer.of(request)
        tag = answers.batch_tag(row, viewer)
        return conditional_response(request, tag, lambda: answers.batch_json(row, viewer))

    @extend_schema(request=shapes.RenameInput, responses=BatchOutput)
    def patch(self, request: Request, batch_id: UUID) -> HttpResponseBase:
        """Rename the batch."""
        data = shapes.RenameInput(data=request.data)
        data.is_valid(raise_exception=True)
        batches.batch_rename(
            batch=_batch(request, batch_id),
            name=data.validated_data["name"],
            acting_user=current_user(request),
        )
        row = batch_row_for(current_user(request), batch_id)
        body = answers.batch_json(row, answers.Viewer.of(request))
        return HttpResponse(body, content_type="application/json")

    @extend_schema(request=None, responses={200: SuccessSerializer})
    def delete(self, request: Request, batch_id: UUID) -> Response:
        """Delete the batch and its files; what has not finished is cancelled and refunded."""
        batches.batch_delete(batch=_batch(request, batch_id), acting_user=current_user(request))
        return Response({"success": True})


def _batch(request: Request, batch_id: UUID) -> Batch:
    return selectors.batch_for(current_user(request), batch_id)
