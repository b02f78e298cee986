"""The digest that a sender gives of what it sends (Content-Digest, RFC 9530), compared with what arrives.

A trailer cannot carry it: neither the gateway nor WSGI hands trailers on.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from uploads.errors import DigestMismatchError, ParameterError

#: Others are ignored, as RFC 9530 demands; those before SHA-2 prove nothing.
_ALGORITHMS: dict[str, Callable[[], Any]] = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
_BASE64 = re.compile(r":([^:]*):(?:[ \t]*;.*)?")


def compared(pieces: Iterator[bytes], headers: Mapping[str, str]) -> Iterator[bytes]:
    """The pieces of a body as it is sent, in its Content-Encoding; hashed on their way if there is a digest.

    Raises ParameterError at once for a digest that cannot be read, and DigestMismatchError after the last piece when it
    is not the digest of what arrived.
    """
    sent = list(_digests(headers.get("Content-Digest", "")))
    return _hashed(pieces, sent) if sent else pieces


def _hashed(pieces: Iterator[bytes], sent: list[tuple[str, bytes]]) -> Iterator[bytes]:
    hashes = {algorithm: _ALGORITHMS[algorithm]() for algorithm, _ in sent}
    for piece in pieces:
        for hashing in hashes.values():
            hashing.update(piece)
        yield piece
    for algorithm, value in sent:
        arrived = hashes[algorithm].digest()
        if arrived != value:
            raise DigestMismatchError(algorithm, b64encode(value).decode(), b64encode(arrived).decode())


def _digests(text: str) -> Iterator[tuple[str, bytes]]:
    for member in text.split(","):
        name, _, value = member.partition("=")
        algorithm = name.strip().lower()
        if algorithm in _ALGORITHMS:
            yield algorithm, _decoded(algorithm, value.strip())


def _decoded(algorithm: str, text: str) -> bytes:
    size = _ALGORITHMS[algorithm]().digest_size
    try:
        found = _BASE64.fullmatch(text)
        digits = found.group(1) if found else ""
        value = b64decode(digits + "=" * (-len(digits) % 4), validate=True)  # RFC 8941: the padding may be left out
    except ValueError:
        value = b""
    if len(value) != size:
        raise ParameterError(
            "Content-Digest", f"Accepted: {algorithm}=:…:, with the {size} bytes of the digest in base64."
        )
    return value
