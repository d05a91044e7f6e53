"""Which methods a plain view takes. Views of REST framework know that themselves."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed

from zhiying.kernel.responses import error_response

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def only_methods(*methods: str) -> Callable[[View[P]], View[P]]:
    """Any other is answered as the API does, in JSON; Django's own decorators send an empty page."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method in methods:
                return view(request, *args, **kwargs)
            refusal = MethodNotAllowed(str(request.method))
            return error_response(
                refusal.status_code,
                refusal.default_code,
                str(refusal.detail),
                headers={"Allow": ", ".join(methods)},
            )

        return answer

    return decorate


def only_reads(view: View[P]) -> View[P]:
    """GET and HEAD."""
    return only_methods("GET", "HEAD")(view)
