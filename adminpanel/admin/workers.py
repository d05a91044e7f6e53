"""The worker processes: seen, never changed. They register themselves."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminpanel.admin.base import ReadOnlyAdmin
from adminpanel.admin.site import site
from videos import catalogue
from videos.models import Worker
from videos.scheduling.engine_state import trouble_text
from videos.scheduling.figures import ALIVE_FOR
from zhiying.kernel.clock import database_now


@admin.register(Worker, site=site)
class WorkerAdmin(ReadOnlyAdmin):
    """Rows of dead workers stay for a day."""

    list_display = ("name", "alive", "state", "why", "renders", "slots", "version", "seen_at")
    fields = (
        "name",
        "version",
        "alive",
        "state",
        "why",
        "engine_states",
        "items",
        "slots",
        "started_at",
        "seen_at",
    )
    readonly_fields = fields
    ordering = ("-seen_at",)
    sortable_by = ("seen_at",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Worker]":
        rows: QuerySet[Worker] = super().get_queryset(request)
        return rows.annotate(was_seen=Q(seen_at__gte=database_now(-ALIVE_FOR)))

    @admin.display(description=gettext_lazy("alive"), boolean=True)
    def alive(self, worker: Any) -> bool:
        return bool(worker.was_seen)

    @admin.display(description=gettext_lazy("trouble"))
    def why(self, worker: Worker) -> str:
        return trouble_text(worker.trouble)

    @admin.display(description=gettext_lazy("renders now"))
    def renders(self, worker: Worker) -> int:
        return len(worker.rendering)

    @admin.display(description=gettext_lazy("items"))
    def items(self, worker: Worker) -> str:
        return ", ".join(worker.rendering)

    @admin.display(description=gettext_lazy("engines"))
    def engine_states(self, worker: Worker) -> str:
        """Each by its name, with why it cannot work."""
        ready, told = _("ready"), []
        for name, facts in sorted(worker.engines.items()):
            code, plain = str(facts.get("code", "")), str(facts.get("detail", ""))
            reason = catalogue.failure(code, facts.get("params") or {}, plain)
            told.append(f"{name}: {ready if facts.get('ready') else reason}")
        return "\n".join(told)
