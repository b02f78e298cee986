"""Django as gunicorn serves it."""

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

_CHARSET = re.compile(r';\s*charset\*?\s*=\s*("[^"]*"|[^;]*)', re.IGNORECASE)


def forgiving_application() -> WSGIApplication:
    """Django, which fails before all its error handling when it cannot parse a Content-Type: then it sees none.

    Nor does it see a charset, by which it would read the query as well: that is UTF-8, as are all bodies but files,
    whose encoding is found out.
    """
    django = get_wsgi_application()

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            parse_header_parameters(environ.get("CONTENT_TYPE", ""))
        except (ValueError, LookupError):
            environ["CONTENT_TYPE"] = ""
        environ["CONTENT_TYPE"] = _CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
        return django(environ, start_response)

    return application
