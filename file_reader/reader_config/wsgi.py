"""What gunicorn serves."""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

from django.http.response import HttpResponseBase

from service_kit.wsgi import forgiving_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reader_config.settings")
_django = forgiving_application()
#: How long the rest of a body is read that was answered before its end, in seconds.
_LINGER_SECONDS = 2.0
_PIECE_BYTES = 1 << 16


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Django; a body that was answered before its end is read to its end."""
    answer = _django(environ, start_response)
    if environ["REQUEST_METHOD"] == "POST" and isinstance(answer, HttpResponseBase):
        return _AnswerToBody(answer, environ)
    return answer


class _AnswerToBody:
    """An answer, and after it the rest of the body, which is thrown away.

    gunicorn promises to keep the connection and then closes it when there is more than a little left: a caller who is
    still sending would lose the answer, or its next request.
    """

    def __init__(self, answer: HttpResponseBase, environ: WSGIEnvironment) -> None:
        self._answer = answer
        self._environ = environ

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        """Called when the answer is sent."""
        self._answer.close()
        end = time.monotonic() + _LINGER_SECONDS
        with contextlib.suppress(Exception):  # whoever hangs up has had the answer
            self._environ["gunicorn.socket"].settimeout(_LINGER_SECONDS)
            while time.monotonic() < end and self._environ["wsgi.input"].read(_PIECE_BYTES):
                pass
