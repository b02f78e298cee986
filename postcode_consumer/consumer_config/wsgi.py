"""What gunicorn serves."""

import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consumer_config.settings")
_django = get_wsgi_application()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Django, which fails before all its error handling when it cannot parse a Content-Type: then it sees none."""
    try:
        parse_header_parameters(environ.get("CONTENT_TYPE", ""))
    except (ValueError, LookupError):
        environ["CONTENT_TYPE"] = ""
    return _django(environ, start_response)
