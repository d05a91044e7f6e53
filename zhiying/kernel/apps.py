"""What every part of the platform shares, and what imports none of them."""

from django.apps import AppConfig
from django.db.models.signals import pre_migrate

from zhiying.kernel.statement_limits import lift_statement_limit


class KernelConfig(AppConfig):
    name = "zhiying.kernel"
    label = "zhiying"  # the name under which its migrations are recorded

    def ready(self) -> None:
        pre_migrate.connect(lift_statement_limit, sender=self, dispatch_uid="long migrations")
