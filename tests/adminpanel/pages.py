"""Addresses of the admin site, and what its pages say."""

from typing import Any

from django.db.models import Model
from django.test import Client
from django.urls import reverse


def page(model: type[Model], name: str, *args: object) -> str:
    """The address of one of a model's pages, such as `changelist` or `change`."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def act(client: Client, model: type[Model], action: str, *rows: Model) -> Any:
    """Carry out a list's action on some rows, and follow to the page it ends on."""
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows], "index": "0"}
    return client.post(page(model, "changelist"), chosen, follow=True)


def messages(answer: Any) -> list[str]:
    """What the page tells its reader at the top."""
    return [str(message) for message in answer.context["messages"]]
