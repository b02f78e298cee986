"""The body of an upload request → the file on disk and the form's fields, streamed, whole or not at all."""

import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import BinaryIO, cast

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from python_multipart.multipart import MAX_BOUNDARY_LENGTH, parse_options_header

from uploads.accepting.body_problems import cut_short, malformed, too_large, unsupported
from uploads.accepting.by_reference import named_file, receive_named
from uploads.accepting.digests import compared
from uploads.accepting.multipart_form import MultipartForm
from uploads.files.incoming import Incoming
from uploads.files.room import check_room
from uploads.reading.containers import gunzip

_PIECE_BYTES = 1 << 18
_MAX_FORM_BYTES = 1 << 20
#: No JSON body that names a file is longer.
_MAX_JSON_BYTES = 1 << 14
#: Types of a body that is the file itself, and none at all: what programs say of a file is often wrong, and its content
#: decides. What curl says of `-d` is not among them: it takes the line ends out of a file.
FILE_TYPES = frozenset(
    b"""
    text/csv text/plain text/tab-separated-values application/csv application/octet-stream application/gzip
    application/x-gzip application/zip application/x-zip-compressed application/vnd.ms-excel
    application/vnd.openxmlformats-officedocument.spreadsheetml.sheet application/json application/geo+json
    application/geo+json-seq application/x-ndjson application/ndjson application/jsonl application/gpx+xml
    application/vnd.google-earth.kml+xml application/vnd.google-earth.kmz application/xml text/xml
    """.split()
) | {b""}
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def receive(request: WSGIRequest, incoming: Incoming, give: Callable[[str, str], None]) -> str:
    """Writes the uploaded file, or the one that a JSON body names, to `incoming`, gives the other fields, each when it
    has arrived, and returns the name that the file has in the form.

    Raises Problem: 400 for a body that is cut short or malformed, 413 above MAX_UPLOAD_BYTES, 415 for other kinds of
    body; DigestMismatchError when it is not that of its digest. OSError (disk full) comes through to the caller.
    """
    pieces = _decoded(request, incoming)
    kind, parameters = parse_options_header(request.headers.get("Content-Type", ""))
    if kind == b"multipart/form-data":
        boundary = parameters.get(b"boundary")
        if not boundary or len(boundary) > MAX_BOUNDARY_LENGTH:
            raise malformed("The Content-Type has no boundary, or one that is too long.")
        return MultipartForm(incoming, boundary, give).parse(pieces)
    if kind == b"application/json":
        beginning = _beginning(pieces)
        if (members := named_file(beginning)) is not None:
            return receive_named(members, incoming, give)
        pieces = chain([beginning], pieces)
    if kind in FILE_TYPES:
        for piece in pieces:
            incoming.write(piece)
        return ""
    raise unsupported(
        "Send multipart/form-data with the file in the field 'file', or the file itself as text/csv or as"
        " application/octet-stream (curl: -H 'Content-Type: text/csv' --data-binary @file),"
        ' or {"url": "https://…"} as application/json.'
    )


def _beginning(pieces: Iterator[bytes]) -> bytes:
    """The whole of a body that may name a file, or the beginning of a longer one, which is the file itself."""
    body = b""
    for piece in pieces:
        body += piece
        if len(body) > _MAX_JSON_BYTES:
            break
    return body


def _decoded(request: WSGIRequest, incoming: Incoming) -> Iterator[bytes]:
    """The body without its Content-Encoding, piece by piece."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise unsupported("The only Content-Encoding that is taken is gzip.")
    pieces = compared(_pieces(request, incoming), request.headers)
    return pieces if encoding == "identity" else _inflated(pieces, incoming)


def _inflated(pieces: Iterator[bytes], incoming: Incoming) -> Iterator[bytes]:
    for piece in gunzip(pieces):
        yield piece
        if incoming.size > settings.MAX_UPLOAD_BYTES:
            raise too_large()


def least_size(request: WSGIRequest) -> int:
    """What the file has at least, as its request announces it."""
    return max(0, int(request.META.get("CONTENT_LENGTH") or 0) - _MAX_FORM_BYTES)


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
        raise too_large()
    check_room(int(length or 0))
    received = 0
    while piece := _read(stream):
        check_room()
        received += len(piece)
        yield piece
        if incoming.size > settings.MAX_UPLOAD_BYTES or received - incoming.size > _MAX_FORM_BYTES:
            raise too_large()
    if not chunked and received < int(length or 0):
        raise cut_short()


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read(_PIECE_BYTES)
    except Exception as error:
        raise cut_short() from error
