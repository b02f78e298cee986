"""Answers that the caller has already, and parts of files (RFC 9110, 13 and 14)."""

import io
import re
from hashlib import blake2b

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

from service_kit.problems import Problem, problem_response

#: A range from a first byte, or the last bytes. A list of ranges is not taken: the answer is the whole.
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{1,18})?|-(\d{1,18}))", re.ASCII)


def tag_of(*parts: object) -> str:
    """An ETag for what follows from these alone."""
    return f'"{blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def known_already(request: HttpRequest, tag: str) -> HttpResponse | None:
    """The answer 304 when the caller has what has this ETag. Raises Problem (412) when If-Match asks for another."""
    answer: HttpResponse | None = get_conditional_response(request, etag=tag)
    if answer is not None and answer.status_code == 412:
        raise Problem(
            "precondition-failed",
            "This is not what was asked for",
            status=412,
            detail=f"What is here has the ETag {tag}, which If-Match does not name.",
        )
    if answer is not None:
        answer["ETag"] = tag
    return answer


def file_or_part(request: HttpRequest, file: io.FileIO, tag: str) -> HttpResponseBase:
    """The file with this ETag, or the range of it that is asked for; 416 when it ends before the range."""
    size = file.seek(0, io.SEEK_END)
    span = _span(request, size, tag)
    first, behind = span or (0, size)
    if span and first >= behind:
        file.close()
        refused = problem_response(
            slug="range-not-satisfiable",
            title="There is nothing in this range",
            status=416,
            detail=f"The result has {size:,} bytes, and the range lies behind them.",
            size=size,
        )
        refused["Content-Range"] = f"bytes */{size}"
        return refused
    file.seek(first)
    is_read = request.method == "GET"
    part = _Part(file, behind - first)
    response = FileResponse(part) if is_read else StreamingHttpResponse(())
    if not is_read:
        file.close()
    response["Content-Length"] = str(behind - first)
    if span:
        response.status_code = 206
        response["Content-Range"] = f"bytes {first}-{behind - 1}/{size}"
    return response


def _span(request: HttpRequest, size: int, tag: str) -> tuple[int, int] | None:
    """The first byte that is asked for and the one behind the last; None when it is the whole file.

    With If-Range, a part of another file, or of this one by its date, is no part of this.
    """
    found = _RANGE.fullmatch(request.headers.get("Range", ""))
    if request.method != "GET" or found is None or request.headers.get("If-Range", tag) != tag:
        return None
    first, last, count = (None if text is None else int(text) for text in found.groups())
    if first is None:
        return max(0, size - (count or 0)), size
    if last is not None and last < first:
        return None
    return first, size if last is None else min(size, last + 1)


class _Part:
    """So many bytes of a file, from where it stands. It has a descriptor: gunicorn sends it without reading it."""

    def __init__(self, file: io.FileIO, size: int) -> None:
        self.fileno = file.fileno
        self.close = file.close
        self._file = file
        self._left = size

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, self._left)) or b""
        self._left -= len(data)
        return data
