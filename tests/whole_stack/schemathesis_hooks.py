"""What Schemathesis is told about this API: files that can be read, and answers that are right for reasons that OpenAPI
3.0 has no words for. Schemathesis loads it by schemathesis.toml."""

import json

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure, ServerError
from schemathesis.openapi.checks import IgnoredAuth, RejectedPositiveData

#: The host of all addresses that are generated: nobody listens there, and nothing beyond it is ever called.
HOST = "localhost:9"

_ROW = st.builds("{:.6f},{:.6f}\n".format, st.floats(49.9, 60.9), st.floats(-8.1, 1.7))
_FILES = st.lists(_ROW, min_size=1, max_size=5).map(lambda rows: "".join(["lat,lon\n", *rows]).encode())
schemathesis.openapi.format("binary", _FILES)
schemathesis.openapi.format("uri", st.from_regex(rf"http://{HOST}/[a-z]{{1,9}}", fullmatch=True))

#: Refused, though each parameter for itself is as the schema says: the beginnings of what the problem says.
_MORE_THAN_THE_SCHEMA = {
    "radius: Accepted: metres": "`near` and `radius` come together",
    "near: Accepted: latitude,longitude": "they do, and the numbers in that text are a place",
    "bbox: Accepted: minlon,minlat": "the numbers in that text are a box",
    "from: ": "a pair, too, of texts that are a time",
    "to: ": "the same",
    "cursor: Accepted: what next or previous": "a cursor is taken from another page, not made",
    "columns: ": "the names are those of the file",
    "Idempotency-Key: 1 to 255 printable": "headers have all characters of Latin-1",
}


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """False for what is no fault."""
    if isinstance(failure, IgnoredAuth):
        # After 30 calls without a good key in a minute the next ones are refused unseen.
        return "got `429" not in failure.message
    if isinstance(failure, AcceptedNegativeData):
        # An empty filter counts as not given, and an array of records is a file.
        return "" not in (case.query or {}).values() and not isinstance(case.body, list)
    if not isinstance(failure, ServerError | RejectedPositiveData):
        return True
    problem = json.loads(response.content)
    kind, detail = problem["type"].removeprefix("/problems/"), problem["detail"]
    if isinstance(failure, ServerError):
        # The answer to an X-Request-Deadline of no time, or next to none.
        return bool(kind != "deadline-exceeded")
    # Of options: one may stand in the query or in the form, and what it may be depends on the file.
    return not (kind == "invalid-option" or detail.startswith(tuple(_MORE_THAN_THE_SCHEMA)))
