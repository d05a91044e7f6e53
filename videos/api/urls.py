"""Paths of the batch calls, below /api/."""

from django.urls import path

from videos.api import actions, engine, exports, library, shares, storage, uploads, views

_BATCH = "video/batches/<uuid:batch_id>"
_ITEM = f"{_BATCH}/items/<uuid:item_id>"

urlpatterns = [
    path("video/batch", views.BatchCreateView.as_view()),
    path("video/uploads", uploads.UploadsView.as_view()),
    path("video/uploads/<uuid:key>", uploads.UploadView.as_view()),
    path("video/library", library.LibraryView.as_view()),
    path("video/storage", storage.StorageView.as_view()),
    path("video/batches", views.BatchListView.as_view()),
    path(_BATCH, views.BatchView.as_view()),
    path(f"{_BATCH}/cancel", actions.BatchCancelView.as_view()),
    path(f"{_BATCH}/retry_failed", actions.RetryFailedView.as_view()),
    path(f"{_BATCH}/export", exports.ExportView.as_view()),
    path(f"{_BATCH}/shares", shares.SharesView.as_view()),
    path(f"{_BATCH}/shares/<uuid:share_id>", shares.ShareView.as_view()),
    path(_ITEM, actions.ItemView.as_view()),
    path(f"{_ITEM}/cancel", actions.ItemCancelView.as_view()),
    path(f"{_ITEM}/resume", actions.ItemRetryView.as_view()),
    path(f"{_ITEM}/result_url", actions.ItemResultUrlView.as_view()),
    path(f"{_ITEM}/input_url", actions.ItemInputUrlView.as_view()),
    path(f"{_ITEM}/replace", actions.ItemReplaceView.as_view()),
    path("engine/status", engine.EngineStatusView.as_view()),
    path("token/status", engine.TokenStatusView.as_view()),
]
