"""The one table of paths and their services. The first route that fits counts; no other path exists."""

import enum
from dataclasses import dataclass
from urllib.parse import unquote


class Service(enum.StrEnum):
    """The services behind the gateway."""

    FILE_READER = "file_reader"
    POSTCODE_CONSUMER = "postcode_consumer"


@dataclass(frozen=True, slots=True)
class Route:
    """Paths of one service that are reachable from outside."""

    path: str
    service: Service
    #: Also every path that begins with this one.
    below: bool = True
    #: Where AUTH=required, only with an API key. The others are open, or have Django's own login.
    needs_key: bool = False
    #: A page for people: who signed in there has a session, and the service asks for it itself.
    page: bool = False
    #: Bodies may be as large as a file.
    upload: bool = False
    #: What is directly below it has `events/` of its own, which the gateway makes.
    live: bool = False
    #: What its addresses take, as `Allow` says it.
    methods: str = "GET, HEAD"
    #: A key needs one of these scopes to read here, and one of those to do anything else.
    reading: tuple[str, ...] = ()
    changing: tuple[str, ...] = ()

    def has(self, path: str) -> bool:
        """Whether the path is one of its own. Services serve a path without its last slash, too."""
        return path in (self.path, self.path.rstrip("/")) or (self.below and path.startswith(self.path))

    def target_of_events(self, target: str) -> str | None:
        """The target of what has its events at this one; None when these are no events."""
        path, question_mark, query = target.partition("?")
        resource, events, rest = path.removeprefix(self.path).partition("/events")
        if not self.live or not resource or "/" in resource or not events or rest not in ("", "/"):
            return None
        return f"{self.path}{resource}/{question_mark}{query}"

    def scopes(self, method: str) -> tuple[str, ...]:
        """The scopes of which a key needs one for this method."""
        return self.reading if method in ("GET", "HEAD", "OPTIONS") else self.changing


ROUTES = (
    Route(
        "/api/v1/reverse-geocode/",
        Service.POSTCODE_CONSUMER,
        below=False,
        needs_key=True,
        methods="GET, HEAD, POST",
        reading=("lookup",),
        changing=("lookup",),
    ),
    Route(
        "/api/v1/uploads/",
        Service.FILE_READER,
        needs_key=True,
        upload=True,
        live=True,
        methods="GET, HEAD, POST, DELETE",
        reading=("read",),
        changing=("upload",),
    ),
    Route(
        "/api/v1/webhook-secret/",
        Service.FILE_READER,
        below=False,
        needs_key=True,
        methods="GET, HEAD, POST",
        reading=("upload",),
        changing=("upload",),
    ),
    Route("/api/v1/rows/", Service.FILE_READER, needs_key=True, reading=("read",), changing=("read",)),
    Route("/api/v1/stats/", Service.FILE_READER, needs_key=True, reading=("read",), changing=("read",)),
    Route(
        "/api/v1/postcodes/",
        Service.FILE_READER,
        needs_key=True,
        reading=("read", "lookup"),
        changing=("read", "lookup"),
    ),
    Route("/admin/lookups/", Service.POSTCODE_CONSUMER, methods="GET, HEAD, POST"),
    Route("/admin/", Service.FILE_READER, methods="GET, HEAD, POST"),
    Route("/api/docs/", Service.FILE_READER, below=False),
    Route("/static/", Service.FILE_READER),
    Route("/uploads/", Service.FILE_READER, page=True, methods="GET, HEAD, POST"),
    Route("/preview/", Service.FILE_READER, page=True, methods="POST", below=False),
    Route("/keys/", Service.FILE_READER, page=True, methods="GET, HEAD, POST"),
    Route("/language/", Service.FILE_READER, page=True, methods="POST", below=False),
    Route("/login/", Service.FILE_READER, page=True, methods="GET, HEAD, POST", below=False),
    Route("/logout/", Service.FILE_READER, page=True, methods="POST", below=False),
    Route("/example.csv", Service.FILE_READER, page=True, below=False),
    Route("/", Service.FILE_READER, page=True, upload=True, methods="GET, HEAD, POST", below=False),
)

#: The gateway's own sum of how all is. What it tells about the use that others make of it needs a key, whatever for.
STATUS = Route(
    "/status/",
    Service.FILE_READER,
    below=False,
    needs_key=True,
    page=True,
    reading=("read", "lookup", "upload", "admin"),
)


def find_route(target: str) -> Route | None:
    """The route of a request target (path and query string) exactly as it was sent, or None.

    Only the table's own spelling is known (`/api/v1/upl%6fads/` is nobody's), and no dot segment gets through in any
    spelling: a service might resolve it to a path outside the route.
    """
    path = target.partition("?")[0]
    if _has_dot_segment(path):
        return None
    for route in ROUTES:
        if route.has(path):
            return route
    return None


def _has_dot_segment(path: str) -> bool:
    if "." not in path and "%" not in path:  # nearly all
        return False
    segments = unquote(path).replace("\\", "/").split("/")
    return "." in segments or ".." in segments
