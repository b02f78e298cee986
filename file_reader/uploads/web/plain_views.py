"""Views without REST framework's dispatch, which costs more than what is asked all the time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import MethodNotAllowed

from service_kit.query_parameters import Values
from uploads.web.api.callers import caller_of
from uploads.web.errors import problem_response


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose caller and query parameters are checked."""

    request: HttpRequest
    #: The id of the caller; None with AUTH=off, where there is only one.
    owner_id: int | None
    query: dict[str, str]


def plain_view(*parameters: str, **methods: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
    """A view with a function for each method, and these query parameters. The function of GET serves HEAD, too.

    A function gets a `Call` and the parts of the address. It returns what is sent as JSON, or None (204); what it
    raises becomes the problem that the table of `web.errors` has for it.
    """
    functions = {**methods, "HEAD": methods["GET"]}
    allowed = ", ".join(functions)

    def respond(request: HttpRequest, **parts: Any) -> HttpResponse:
        owner_id = caller_of(request)
        if request.method not in functions:
            raise MethodNotAllowed(str(request.method))
        query = Values("parameter", parameters)
        query.give_query(request)
        answer = functions[request.method](Call(request, owner_id, query), **parts)
        if answer is None:
            nothing = HttpResponse(status=204)
            del nothing["Content-Type"]
            return nothing
        return HttpResponse(msgspec.json.encode(answer), content_type="application/json")

    # No cookie says whose call it is, so none can be abused.
    @csrf_exempt
    def view(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        response: HttpResponseBase | None
        try:
            response = respond(request, **parts)
        except Exception as error:
            response = problem_response(error)
            if response is None:
                raise
        response["Allow"] = allowed
        return response

    view.methods = tuple(functions)  # type: ignore[attr-defined]
    return view
