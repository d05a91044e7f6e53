"""What the pages share: read-only models, selections carried from page to page, refusals shown."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.models import User
from zhiying.kernel.api.paging import COUNTED
from zhiying.kernel.errors import DomainError
from zhiying.kernel.windows import newest

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

MAX_SELECTED = 500
"""Rows one action may touch: all of them change in one request."""


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Counts up to `COUNTED` rows: whoever looks for more narrows the list by its filters."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return min(COUNTED, int(rows.order_by()[: COUNTED + 1].count()))


class FilteredAdmin(ModelAdmin):
    """Lists are narrowed by their filters alone, and by what a database can hold.

    Django lets whoever sees a list write any lookup into its address: one that reads every row there is, or
    one with a value that nothing can be compared with, which is an error only once the database is asked.
    """

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        filters = self.get_list_filter(request) if request else ()
        return "\0" not in value and any(lookup in parameters(each) for each in filters)


class ReadOnlyAdmin(FilteredAdmin):
    """Pages to look at. Whatever changes goes through actions and buttons that call services.

    Lists cost the same however much there is: a fixed number of queries, rows counted up to a limit, only
    orders and filters that have an index, and a search among the newest rows that the filters leave, or
    for one id.
    """

    paginator = BoundedPaginator
    list_per_page = 50
    list_max_show_all = 100  # each row is a form field, and their number is limited
    show_full_result_count = False
    save_as = False
    id_fields: tuple[str, ...] = ("id",)
    """What a search for an id looks at; each has its index."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        if not search_term:
            return queryset, False
        if key := _id_in(search_term):
            return queryset.filter(Q.create([(name, key) for name in self.id_fields], connector=Q.OR)), False
        column = str((self.ordering or ("pk",))[0]).removeprefix("-")
        return super().get_search_results(request, newest(queryset, column), search_term)

    def page_url(self, name: str, *args: object) -> str:
        """The address of one of this model's pages, such as `changelist` or `change`."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def required_object(self, request: HttpRequest, object_id: str) -> Any:
        """The row a button was pressed for; 404 when it is gone."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        return obj

    def back_to(self, object_id: object) -> HttpResponseRedirect:
        """To the page of one row, after its button did what it does."""
        return HttpResponseRedirect(self.page_url("change", object_id))

    def page(
        self, request: HttpRequest, template: str, title: str, context: Mapping[str, Any]
    ) -> TemplateResponse:
        """An additional page of this model in the site's frame."""
        frame = self.admin_site.each_context(request)
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request, template, {**frame, "opts": self.opts, "title": title, "media": self.media, **context}
        )


class SavedByService(FilteredAdmin):
    """A model that its page edits, and a service saves.

    What the service refuses, because the row or one that it names was deleted since the page was opened, is
    shown on the page, which is opened anew.
    """

    actions = None
    show_full_result_count = False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        with refusals_shown(request):
            return super().changeform_view(request, object_id, form_url, extra_context)
        return HttpResponseRedirect(request.path)


def parameters(list_filter: Any) -> tuple[str, ...]:
    """What an entry of `list_filter` reads in an address."""
    match list_filter:
        case str() as field:
            return (f"{field}__exact", f"{field}__id__exact", f"{field}__isnull")
        case (str() as field, chosen):
            return tuple(chosen.parameters(field))
    return (list_filter.parameter_name,)


def _id_in(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def administrator(request: HttpRequest) -> User:
    """The logged-in administrator of an admin page."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    return user


@contextmanager
def refusals_shown(request: HttpRequest, about: object = "") -> Iterator[None]:
    """What a service refuses to do becomes a message on the next page."""
    try:
        yield
    except DomainError as error:
        messages.error(request, f"{about}: {error.detail}" if about else error.detail)


def too_many(request: HttpRequest, rows: "QuerySet[Any]") -> bool:
    """Whether more rows are selected than one action may touch; says so."""
    if rows.count() <= MAX_SELECTED:
        return False
    messages.error(request, _("Select at most %(max)d rows at a time.") % {"max": MAX_SELECTED})
    return True


def packed(rows: Iterable[Model]) -> str:
    """The ids of a selection as one form field: the number of fields of a request is limited."""
    return ",".join(str(row.pk) for row in rows)


def unpacked(text: str) -> list[UUID]:
    """The ids of `packed`; 404 for anything else."""
    try:
        ids = [UUID(part) for part in text.split(",") if part]
    except ValueError as error:
        raise Http404 from error
    if len(ids) > MAX_SELECTED:
        raise Http404
    return ids


def only_post(request: HttpRequest) -> HttpResponse | None:
    """An answer for whoever opens the address of a button."""
    return None if request.method == "POST" else HttpResponse(status=405, headers={"Allow": "POST"})
