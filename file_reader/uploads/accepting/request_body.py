"""The body of an upload request → the file on disk and the form's fields, streamed, whole or not at all."""

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MAX_BOUNDARY_LENGTH, MultipartParser, MultipartState, parse_options_header

from reader_config.problems import Problem, storage_full
from uploads.accepting.digests import compared
from uploads.files.incoming import Incoming, UploadInFlightError
from uploads.reading.containers import gunzip

_PIECE_BYTES = 1 << 18
_MAX_FIELD_BYTES = 1 << 14
_MAX_FORM_BYTES = 1 << 20
_FILE_TYPES = frozenset(
    {
        b"text/csv",
        b"text/plain",
        b"application/csv",
        b"text/tab-separated-values",
        b"application/gzip",
        b"application/x-gzip",
        b"application/zip",
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def receive(request: WSGIRequest, incoming: Incoming, give: Callable[[str, str], None]) -> str:
    """Writes the uploaded file to `incoming`, gives the other form fields, each when it has arrived, and returns the
    name that the file has in the form.

    Raises Problem: 400 for a body that is cut short, malformed or not that of its digest, 413 above MAX_UPLOAD_BYTES,
    415 for other kinds of body. OSError (disk full) comes through to the caller.
    """
    pieces = _decoded(request, incoming)
    kind, parameters = parse_options_header(request.headers.get("Content-Type", ""))
    if kind == b"multipart/form-data":
        boundary = parameters.get(b"boundary")
        if not boundary or len(boundary) > MAX_BOUNDARY_LENGTH:
            raise _malformed("The Content-Type has no boundary, or one that is too long.")
        return _Form(incoming, boundary, give).parse(pieces)
    if kind in _FILE_TYPES:
        for piece in pieces:
            incoming.write(piece)
        return ""
    raise _unsupported(
        "Send multipart/form-data with the file in the field 'file', or the file itself as text/csv"
        " (application/gzip, application/zip, or the type of an Excel workbook, for those)."
    )


def _decoded(request: WSGIRequest, incoming: Incoming) -> Iterator[bytes]:
    """The body without its Content-Encoding, piece by piece."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise _unsupported("The only Content-Encoding that is taken is gzip.")
    pieces = compared(_pieces(request, incoming), request.headers)
    return pieces if encoding == "identity" else _inflated(pieces, incoming)


def _inflated(pieces: Iterator[bytes], incoming: Incoming) -> Iterator[bytes]:
    for piece in gunzip(pieces):
        yield piece
        if incoming.size > settings.MAX_UPLOAD_BYTES:
            raise _too_large()


def _unsupported(detail: str) -> Problem:
    return Problem("unsupported-media-type", "This kind of body is not taken here", status=415, detail=detail)


@contextmanager
def storage_problems() -> Iterator[None]:
    """409 when the key is reserved; 507 when the disk is full, wherever that shows: opening, writing, syncing."""
    try:
        yield
    except UploadInFlightError as error:
        raise Problem(
            "upload-in-flight",
            "The same upload is arriving just now",
            status=409,
            detail="Another request with this Idempotency-Key is not over yet. Send this one again later.",
            retry_after=1,
        ) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise storage_full() from error


def display_name(name: str) -> str:
    """The base name of what the sender calls the file, without control and direction characters, at most 255 long."""
    base = _CONTROL_CHARACTERS.sub("", name.replace("\\", "/").rsplit("/", 1)[-1]).strip()
    return base[-255:] or "upload.csv"


def _pieces(request: WSGIRequest, incoming: Incoming) -> Iterator[bytes]:
    """The body piece by piece. A body that ends before its declared length is an error: servers hand it on as whole."""
    length = request.META.get("CONTENT_LENGTH")
    # A chunked body has no length and ends by itself; Django would take it for an empty one.
    chunked = not length and request.META.get("wsgi.input_terminated", False)
    stream = cast(BinaryIO, request.META["wsgi.input"] if chunked else request)
    # A form may be larger than its file by the size of its other parts.
    if length and int(length) > settings.MAX_UPLOAD_BYTES + _MAX_FORM_BYTES:
        raise _too_large()
    received = 0
    while piece := _read(stream):
        received += len(piece)
        yield piece
        if incoming.size > settings.MAX_UPLOAD_BYTES or received - incoming.size > _MAX_FORM_BYTES:
            raise _too_large()
    if not chunked and received < int(length or 0):
        raise _cut_short()


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read(_PIECE_BYTES)
    except Exception as error:
        raise _cut_short() from error


def _too_large() -> Problem:
    return Problem(
        "upload-too-large",
        "The file is too large",
        status=413,
        detail=f"At most {settings.MAX_UPLOAD_BYTES:,} bytes are accepted.",
        max_bytes=settings.MAX_UPLOAD_BYTES,
    )


def _cut_short() -> Problem:
    return Problem(
        "body-cut-short",
        "The file did not arrive whole",
        status=400,
        detail="The body ended before its declared length. Nothing was stored; send it again.",
    )


def _malformed(detail: str) -> Problem:
    return Problem("malformed-form", "The form cannot be read", status=400, detail=detail)


class _Form:
    """A multipart form, parsed as it streams: one file in the field `file`, everything else small text fields."""

    def __init__(self, incoming: Incoming, boundary: bytes, give: Callable[[str, str], None]) -> None:
        self._incoming = incoming
        self._give = give
        self._filename: str | None = None
        self._header = b""
        self._value = b""
        self._disposition = b""
        self._name = ""
        self._is_file = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_data,
                "on_part_data": self._data,
                "on_part_end": self._end_part,
            },
            max_header_size=_MAX_FIELD_BYTES,
        )

    def parse(self, pieces: Iterator[bytes]) -> str:
        try:
            for piece in pieces:
                self._parser.write(piece)
        except MultipartParseError as error:
            raise _malformed(f"The multipart body is malformed: {error}") from None
        if self._parser.state != MultipartState.END:
            raise _cut_short()
        if self._filename is None:
            raise _malformed("The form has no file in the field 'file'.")
        return self._filename

    def _begin_part(self) -> None:
        self._disposition = self._header = self._value = b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _begin_data(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("utf-8", errors="replace")
        self._is_file = b"filename" in options
        if not self._is_file:
            return
        if self._name != "file":
            raise _malformed(f"The file belongs into the field 'file', not {self._name!r}.")
        if self._filename is not None:
            raise _malformed("There are several files in the form. Send one upload for each.")
        self._filename = options[b"filename"].decode("utf-8", errors="replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._incoming.write(data[start:end])
            return
        self._value += data[start:end]
        if len(self._value) > _MAX_FIELD_BYTES:
            raise _malformed(f"The field {self._name!r} is longer than {_MAX_FIELD_BYTES:,} bytes.")

    def _end_part(self) -> None:
        if not self._is_file:
            if self._name == "file":
                raise _malformed("The field 'file' is text: send it as a file, with a file name.")
            self._give(self._name, self._value.decode("utf-8", errors="replace"))
