"""What administrators use: REST endpoints and the Django admin site."""

from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class AdminpanelConfig(AppConfig):
    name = "adminpanel"
    verbose_name = _("Administration")

    def ready(self) -> None:
        # The heading under which the admin site lists what django-axes counts.
        apps.get_app_config("axes").verbose_name = _("Log-in protection")
