"""Addresses of the admin site, and what its pages say."""

from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse


def page(model: type[Model], name: str, *args: object) -> str:
    """The address of one of a model's pages, such as `changelist` or `change`."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def act(client: Client, model: type[Model], action: str, *rows: Model) -> HttpResponse:
    """Carry out a list's action on some rows, and follow to the page it ends on."""
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows], "index": "0"}
    answer: HttpResponse = client.post(page(model, "changelist"), chosen, follow=True)
    return answer


def messages(answer: HttpResponse) -> list[str]:
    """What the page tells its reader at the top."""
    return [str(message) for message in answer.context["messages"]]  # type: ignore[attr-defined]
