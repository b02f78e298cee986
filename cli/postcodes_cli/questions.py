"""Questions to the service that leave nothing behind: locations, postcodes, rows, how a file would be read."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self, Unpack
from urllib.parse import parse_qsl, quote, urlsplit

from postcodes_cli.answers import Found, Postcode, Preview, ReadingOptions, Row
from postcodes_cli.sending import name_of, opened
from postcodes_cli.settings import DEFAULT_SERVER
from postcodes_cli.transport import TRANSFER_SECONDS, Notice, Patience, Transport, json_of

#: How many locations one call takes.
LOOKUP_LIMIT = 1_000
UPLOADS = "/api/v1/uploads/"
_PREVIEW_BYTES = 1 << 18


class Questions:
    """What `Client` asks; its connections to one server."""

    def __init__(
        self,
        server: str | None = None,
        api_key: str | None = None,
        timeout: float = 60.0,
        on_retry: Notice | None = None,
    ) -> None:
        server = server or os.environ.get("POSTCODES_SERVER") or DEFAULT_SERVER
        self._transport = Transport(server, api_key or os.environ.get("POSTCODES_API_KEY"), timeout, on_retry)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    @property
    def server(self) -> str:
        return self._transport.server

    def lookup(self, latitude: float, longitude: float, *, max_distance: float | None = None) -> Found:
        """The postcode of one location."""
        params = {"latitude": latitude, "longitude": longitude, "max_distance": max_distance}
        found: Found = json_of(self._transport.call("GET", "/api/v1/reverse-geocode/", params=params))
        return found

    def lookup_many(
        self, locations: Iterable[Sequence[float]], *, max_distance: float | None = None
    ) -> Iterator[Found]:
        """The postcodes of many locations (latitude, longitude), in their order, 1,000 a call."""
        body: dict[str, Any] = {} if max_distance is None else {"max_distance": max_distance}
        some: list[dict[str, float]] = []
        for latitude, longitude in locations:
            some.append({"latitude": latitude, "longitude": longitude})
            if len(some) == LOOKUP_LIMIT:
                yield from self._lookup(body | {"locations": some})
                some = []
        if some:
            yield from self._lookup(body | {"locations": some})

    def postcode(self, postcode: str) -> Postcode:
        """What is known about a postcode. Raises NotFoundError when nobody knows it."""
        known: Postcode = json_of(self._transport.call("GET", f"/api/v1/postcodes/{quote(postcode, safe='')}/"))
        return known

    def rows(self, upload_id: str | None = None, **filters: Any) -> Iterator[Row]:
        """The rows of an upload, or of all; page after page is fetched as they are taken.

        Filters: `status`, `reason`, `postcode`, `outcode`, `admin_district`, `country`, `bbox`, `near` with `radius`
        (metres).
        """
        path = f"{path_of(upload_id)}rows/" if upload_id else "/api/v1/rows/"
        return self._pages(path, {"page_size": LOOKUP_LIMIT, **filters})

    def preview(
        self, source: str | Path | BinaryIO, *, filename: str | None = None, **options: Unpack[ReadingOptions]
    ) -> Preview:
        """What would be read from a file; nothing is stored. Of a large text only its beginning is sent."""
        with opened(source) as file:
            beginning = file.read(_PREVIEW_BYTES)
            rest = file.read(1)
            params: dict[str, Any] = {"filename": filename or name_of(source), **options}
            if rest and tells_in_part(beginning):
                size = file.seek(0, os.SEEK_END)
                params |= {"partial": True, "size": size}
            else:
                beginning += rest + file.read()
        answer = self._transport.call(
            "POST",
            f"{UPLOADS}preview/",
            params=params,
            data=beginning,
            headers={"Content-Type": "application/octet-stream"},
            seconds=TRANSFER_SECONDS,
        )
        shown: Preview = json_of(answer)
        return shown

    def ready(self) -> dict[str, Any]:
        """What the server says of all its services: `status`, and what is `missing`, by service, while one is not
        ready."""
        answer: dict[str, Any] = json_of(self._transport.call("GET", "/status/"))
        return answer

    def has_begun(self) -> bool:
        """Whether each of its services has been ready since the server was started."""
        return self._transport.call("GET", "/readyz", expected=(503,)).status == 200

    def check_key(self) -> None:
        """Raises KeyRefusedError when the server does not take the key; one that may not look at uploads is good."""
        self._knock()

    def _knock(self, patience: Patience | None = None) -> None:
        """Waits until the server is there and takes the key."""
        # A key that only sends may not look.
        self._transport.call("GET", UPLOADS, params={"page_size": 1}, expected=(403,), patience=patience)

    def _lookup(self, body: Mapping[str, Any]) -> list[Found]:
        found: list[Found] = json_of(self._transport.call("POST", "/api/v1/reverse-geocode/", json=body))["results"]
        return found

    def _pages(self, path: str, params: Mapping[str, Any]) -> Iterator[Any]:
        while True:
            page = json_of(self._transport.call("GET", path, params=params))
            yield from page["results"]
            if not page["next"]:
                return
            # The server's own name for itself may be none that is known here.
            params = dict(parse_qsl(urlsplit(page["next"]).query))


def path_of(upload_id: str) -> str:
    return f"{UPLOADS}{quote(str(upload_id), safe='')}/"


def tells_in_part(beginning: bytes) -> bool:
    """Whether the beginning of a file is of use alone: not of a container, nor of JSON, GPX and KML."""
    return not beginning.startswith((b"PK", b"\x1f\x8b")) and not beginning.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(
        (b"{", b"[", b"<")
    )
