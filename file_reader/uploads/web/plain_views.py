"""Views without REST framework's dispatch, which costs more than what is asked all the time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import MethodNotAllowed

from service_kit.query_parameters import Values
from uploads.web.api.callers import caller_of
from uploads.web.conditional import known_already, tag_of
from uploads.web.errors import problem_response


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose caller and query parameters are checked."""

    request: HttpRequest
    #: The id of the caller; None with AUTH=off, where there is only one.
    owner_id: int | None
    query: dict[str, str]
    #: Headers of the answer.
    headers: dict[str, str] = field(default_factory=dict)


class Unless(NamedTuple):
    """An answer that is made only for who does not have it already: it is another when, and only when, `version` is."""

    version: tuple[object, ...]
    make: Callable[[], Any]


def plain_view(*parameters: str, **methods: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
    """A view with a function for each method, and these query parameters. The function of GET serves HEAD, too.

    A function gets a `Call` and the parts of the address. It returns what is sent as JSON, `Unless`, or None (204);
    what it raises becomes the problem that the table of `web.errors` has for it. The ETags are weak: they say nothing
    of the bytes.
    """
    functions = {**methods, "HEAD": methods["GET"]}
    allowed = ", ".join(functions)

    def respond(request: HttpRequest, **parts: Any) -> HttpResponse:
        owner_id = caller_of(request)
        if request.method not in functions:
            raise MethodNotAllowed(str(request.method))
        query = Values("parameter", parameters)
        query.give_query(request)
        call = Call(request, owner_id, query)
        answer = functions[request.method](call, **parts)
        if answer is None:
            nothing = HttpResponse(status=204)
            del nothing["Content-Type"]
            return nothing
        body = None if isinstance(answer, Unless) else msgspec.json.encode(answer)
        tag = "W/" + (tag_of(*answer.version) if body is None else tag_of(body))
        response = known_already(request, tag)
        if response is None:
            body = msgspec.json.encode(answer.make()) if body is None else body
            response = HttpResponse(body, content_type="application/json")
        for name, value in (("ETag", tag), *call.headers.items()):
            response[name] = value
        return response

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
