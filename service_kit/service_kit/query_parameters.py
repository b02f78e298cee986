"""What a request may give by name. A name that nobody knows, or that is given twice, is an error and never ignored."""

from collections.abc import Callable, Collection
from difflib import get_close_matches
from functools import wraps
from typing import Any, TypeVar, cast

from django.http import HttpRequest

from service_kit.problems import Problem

_View = TypeVar("_View", bound=Callable[..., Any])
_TITLES = {"option": "An option of the upload is not valid", "parameter": "A parameter is not valid"}


class Values(dict[str, str]):
    """The values that a request gives, by name: each name is known, and given once in the whole request.

    `kind` is what they are to people: "option" or "parameter".
    """

    def __init__(self, kind: str, known: Collection[str]) -> None:
        super().__init__()
        self._kind = kind
        self._known = known

    def give(self, name: str, value: str) -> None:
        """Raises Problem (400) for a name that is not known or was there before."""
        if name not in self._known:
            raise self._invalid(name, f"There is no {self._kind} {name!r}{hint(name, self._known)}")
        if name in self:
            raise self._invalid(name, f"The {self._kind} {name!r} is given more than once. Give it once.")
        self[name] = value

    def give_query(self, request: HttpRequest) -> None:
        """Takes the values of the query. Raises Problem (400) as `give` does."""
        for name, values in request.GET.lists():
            for value in values:
                self.give(name, value)

    def _invalid(self, name: str, detail: str) -> Problem:
        extra: dict[str, Any] = {self._kind: name, "accepted": list(self._known)}
        return Problem(f"invalid-{self._kind}", _TITLES[self._kind], status=400, detail=detail, **extra)


def hint(name: str, known: Collection[str]) -> str:
    """What is to be said after "There is no …": the names that are known, and the one that may be meant."""
    if not known:
        return ": this address takes none."
    meant = get_close_matches(name.lower(), known, n=1)
    return f".{f' Did you mean {meant[0]!r}?' if meant else ''} There are: {', '.join(known)}."


def query_parameters(*names: str) -> Callable[[_View], _View]:
    """Declares the query parameters of a view: others, and repeated ones, are a Problem (400) before it is called."""

    def decorate(view: _View) -> _View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            Values("parameter", names).give_query(request)
            return view(request, *args, **kwargs)

        return cast(_View, checked)

    return decorate
