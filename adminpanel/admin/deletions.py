"""The list of files that are to be removed from the store: seen, never changed."""

from django.contrib import admin

from adminpanel.admin.base import ReadOnlyAdmin
from adminpanel.admin.site import site
from videos.models import FileDeletion


@admin.register(FileDeletion, site=site)
class FileDeletionAdmin(ReadOnlyAdmin):
    """Entries that were tried often tell of a store that does not let go."""

    list_display = ("path", "reason", "due_at", "tries", "created_at")
    fields = ("path", "reason", "due_at", "begun_at", "tries", "created_at")
    readonly_fields = fields
    ordering = ("due_at",)
    sortable_by = ("due_at",)
