"""The worker processes: seen, never changed. They register themselves."""

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminpanel.admin.base import ReadOnlyAdmin
from adminpanel.admin.site import site
from videos import catalogue
from videos.models import Worker
from videos.scheduling.engine_state import trouble_text
from videos.scheduling.figures import ALIVE_FOR


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

    @admin.display(description=gettext_lazy("alive"), boolean=True)
    def alive(self, worker: Worker) -> bool:
        return worker.seen_at >= timezone.now() - ALIVE_FOR

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
