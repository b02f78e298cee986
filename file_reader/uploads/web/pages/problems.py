"""What a browser gets where there is nothing, and where something broke; programs get their problem."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from service_kit import problems

#: Where programs call.
_FOR_PROGRAMS = ("/api/", "/internal/")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler for an address that no route knows, and for what a page does not find."""
    if request.path.startswith(_FOR_PROGRAMS):
        return problems.not_found(request, exception)
    return render(request, "pages/not_found.html", status=404)


def internal_error(request: HttpRequest) -> HttpResponse:
    """Django's handler for an exception that nobody caught; the traceback is in the log."""
    if request.path.startswith(_FOR_PROGRAMS):
        return problems.internal_error(request)
    return render(request, "pages/broken.html", status=500)
