"""Paths of the administrators' calls, below /api/."""

from django.urls import path

from adminpanel.api import audit, batches, credentials, handover, storage, usage, users, workers

urlpatterns = [
    path("admin/users", users.UserListView.as_view()),
    path("admin/users/<uuid:user_id>", users.UserView.as_view()),
    path("admin/users/<uuid:user_id>/password", users.UserPasswordView.as_view()),
    path("admin/users/<uuid:user_id>/logout", users.UserLogoutView.as_view()),
    path("admin/groups", users.GroupListView.as_view()),
    path("admin/users/<uuid:user_id>/credits", users.UserCreditsView.as_view()),
    path("admin/batches", batches.AllBatchesView.as_view()),
    path("admin/handover", handover.HandoverView.as_view()),
    path("admin/audit", audit.AuditLogView.as_view()),
    path("admin/batches/<uuid:batch_id>/first", batches.BatchFirstView.as_view()),
    path("admin/storage", storage.StorageView.as_view()),
    path("admin/token", credentials.CredentialView.as_view()),
    path("admin/usage", usage.UsageView.as_view()),
    path("admin/workers", workers.WorkersView.as_view()),
]
