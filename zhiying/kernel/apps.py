"""What every part of the platform shares, and what imports none of them."""

from django.apps import AppConfig
from django.db.models.signals import pre_migrate

from zhiying.kernel.statement_limits import limits_of_migrations


class KernelConfig(AppConfig):
    name = "zhiying.kernel"
    label = "zhiying"  # the name under which its migrations are recorded

    def ready(self) -> None:
        pre_migrate.connect(limits_of_migrations, sender=self, dispatch_uid="long migrations")
