"""What the server answers, as types. docs/api.md says what each member means; distances are metres, times UTC."""

from typing import Any, Literal, NotRequired, TypedDict

State = Literal["received", "loading", "geocoding", "done", "failed", "cancelled"]
Status = Literal["match", "no_match", "failed", "rejected", "pending"]
ENDED = ("done", "failed", "cancelled")
FORMATS = ("csv", "geojson", "ndjson", "xlsx", "parquet")


class RowCounts(TypedDict):
    read: int
    matched: int
    no_match: int
    failed: int
    rejected: int
    pending: int


class Waiting(TypedDict):
    since: str
    reason: str
    detail: str


class Upload(TypedDict):
    """An upload as it is at this moment."""

    id: str
    filename: str
    size: int
    sha256: str
    state: State
    created_at: str
    started_at: str | None
    finished_at: str | None
    indexed_at: str | None
    expires_at: str | None
    max_distance: float
    webhook_url: str | None
    dialect: dict[str, Any]
    rows: RowCounts
    progress: float
    rows_per_second: float | None
    eta_seconds: float | None
    waiting: Waiting | None
    paused: bool
    ahead: int | None
    reasons: dict[str, dict[str, int]] | None
    warnings: list[dict[str, Any]]
    error: dict[str, Any] | None
    links: dict[str, str]


class Row(TypedDict):
    """A row with its answer. A rejected one also has its line and its text."""

    upload: str
    row: int
    latitude: float | None
    longitude: float | None
    status: Status
    reason: str | None
    postcode: str | None
    distance_m: float | None
    outcode: str | None
    country: str | None
    region: str | None
    admin_district: str | None
    admin_ward: str | None
    line: NotRequired[int]
    raw: NotRequired[str]


class Found(TypedDict):
    """The answer to one location."""

    latitude: float
    longitude: float
    status: Literal["match", "no_match", "failed"]
    reason: str | None
    postcode: str | None
    distance_m: float | None
    postcode_details: dict[str, Any] | None
    provider: str
    looked_up_at: str | None


class Postcode(TypedDict):
    """What is known about a postcode; `rows` is how many of your rows have it."""

    postcode: str
    outcode: str
    incode: str
    country: str | None
    region: str | None
    admin_district: str | None
    admin_ward: str | None
    latitude: float | None
    longitude: float | None
    terminated: str | None
    rows: int


class Preview(TypedDict):
    """What would be read from a file."""

    filename: str
    dialect: dict[str, Any]
    columns: list[str]
    notation: str
    precision_m: float | None
    sure: float | None
    looked_at: dict[str, Any]
    warnings: list[dict[str, Any]]
    error: dict[str, Any] | None
    rows: list[dict[str, Any]]
    locations: list[list[float]]
    estimated_rows: int | None


class ReadingOptions(TypedDict, total=False):
    """How a file is to be read, where the service shall not find out by itself."""

    latitude: str
    longitude: str
    has_header: bool
    delimiter: str
    quoting: str
    encoding: str
    decimal: str
    coordinates: str
    sheet: str


class UploadOptions(ReadingOptions, total=False):
    """The options of an upload. `max_distance` is in metres."""

    max_distance: float
    webhook_url: str
