"""Digests that a sender gives of what it sends (RFC 9530, and RFC 3230 before it), compared with what arrives.

A trailer cannot carry them: neither the gateway nor WSGI hands trailers on.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from rest_framework.exceptions import ValidationError

from reader_config.problems import Problem

#: Others are ignored, as RFC 9530 demands; those before SHA-2 prove nothing.
_ALGORITHMS: dict[str, Callable[[], Any]] = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
#: How each header has its base64. All are of the body as it is sent, in its Content-Encoding: in an upload, the content
#: and the representation are the same bytes.
_HEADERS = {
    "Content-Digest": re.compile(r":([^:]*):(?:[ \t]*;.*)?"),
    "Repr-Digest": re.compile(r":([^:]*):(?:[ \t]*;.*)?"),
    "Digest": re.compile(r"([^:]*)"),
}


class _Digest(NamedTuple):
    header: str
    algorithm: str
    value: bytes


def compared(pieces: Iterator[bytes], headers: Mapping[str, str]) -> Iterator[bytes]:
    """The pieces of a body; hashed on their way if there is a digest to compare with.

    Raises ValidationError at once for a digest that cannot be read, and Problem (400) after the last piece when it is
    not the digest of what arrived.
    """
    sent = [digest for header in _HEADERS for digest in _digests(header, headers.get(header, ""))]
    return _hashed(pieces, sent) if sent else pieces


def _hashed(pieces: Iterator[bytes], sent: list[_Digest]) -> Iterator[bytes]:
    hashes = {digest.algorithm: _ALGORITHMS[digest.algorithm]() for digest in sent}
    for piece in pieces:
        for hashing in hashes.values():
            hashing.update(piece)
        yield piece
    for header, algorithm, value in sent:
        arrived = hashes[algorithm].digest()
        if arrived != value:
            raise _mismatch(header, algorithm, b64encode(value).decode(), b64encode(arrived).decode())


def _digests(header: str, text: str) -> Iterator[_Digest]:
    for member in text.split(","):
        name, _, value = member.partition("=")
        algorithm = name.strip().lower()
        if algorithm in _ALGORITHMS:
            yield _Digest(header, algorithm, _decoded(header, algorithm, value.strip()))


def _decoded(header: str, algorithm: str, text: str) -> bytes:
    size = _ALGORITHMS[algorithm]().digest_size
    try:
        found = _HEADERS[header].fullmatch(text)
        digits = found.group(1) if found else ""
        value = b64decode(digits + "=" * (-len(digits) % 4), validate=True)  # RFC 8941: the padding may be left out
    except ValueError:
        value = b""
    if len(value) != size:
        example = f"{algorithm}=…" if header == "Digest" else f"{algorithm}=:…:"
        raise ValidationError({header: f"Accepted: {example}, with the {size} bytes of the digest in base64."})
    return value


def _mismatch(header: str, algorithm: str, sent: str, arrived: str) -> Problem:
    return Problem(
        "digest-mismatch",
        "What arrived is not what was sent",
        status=400,
        detail=f"{header} says {algorithm} {sent}, but what arrived has {arrived}. Nothing was stored; send it again.",
        header=header,
        algorithm=algorithm,
        sent=sent,
        arrived=arrived,
    )
