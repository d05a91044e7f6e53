"""What every part of the platform shares, and what imports none of them."""

from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "zhiying.kernel"
    label = "zhiying"  # the name under which its migrations are recorded
