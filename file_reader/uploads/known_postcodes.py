"""Asks postcode_consumer what it knows about a postcode. Knows nothing of Django."""

import functools
import time

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from uploads.errors import LookupServiceError

#: How long a caller waits for postcode_consumer, in seconds.
SECONDS = 5.0
#: What is longer is no answer.
_MAX_ANSWER_BYTES = 10_000
#: Connections that are kept: as many as the process has threads.
_CONNECTIONS = 16


class KnownPostcode(msgspec.Struct):
    """A postcode as postcode_consumer has it; latitude and longitude in degrees."""

    postcode: str
    outcode: str
    incode: str
    country: str | None = None
    region: str | None = None
    admin_district: str | None = None
    admin_ward: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    #: When it ceased to be used; None while it is.
    terminated: str | None = None


class _Problem(msgspec.Struct):
    type: str


def known_postcode(postcode: str, *, remembered: bool, url: str, token: str, request_id: str) -> KnownPostcode | None:
    """What postcode_consumer at that address knows about a postcode such as `SW1A 1AA`; None when it knows it not.
    With `remembered`, also what it has found for anybody.

    Raises LookupServiceError when it gives no answer within SECONDS: an outage says nothing about a postcode.
    """
    end = time.monotonic() + SECONDS
    try:
        with _session().get(
            f"{url}/api/v1/postcodes/{postcode.replace(' ', '')}/",
            params={"remembered": int(remembered)},
            headers={"X-Internal-Token": token, "X-Request-Id": request_id},
            timeout=SECONDS,
            allow_redirects=False,
            stream=True,
        ) as response:
            content = _content(response, end)
    except (OSError, HTTPError) as error:  # those of requests are OSErrors, those of its urllib3 are not
        raise LookupServiceError(f"postcode_consumer does not answer ({type(error).__name__}).") from error
    try:
        if response.status_code == 200:
            known = msgspec.json.decode(content, type=KnownPostcode)
            if known.postcode == postcode:
                return known
        elif response.status_code == 404 and msgspec.json.decode(content, type=_Problem).type == "/problems/not-found":
            return None
    except msgspec.MsgspecError:
        pass
    raise LookupServiceError(f"postcode_consumer does not say what it knows: its answer is a {response.status_code}.")


def _content(response: requests.Response, end: float) -> bytes:
    """The body, read piece by piece: the time-out of requests is one for each piece."""
    content = b""
    while piece := response.raw.read1(_MAX_ANSWER_BYTES):
        content += piece
        if len(content) > _MAX_ANSWER_BYTES or time.monotonic() > end:
            raise OSError("too long")
    return content


@functools.cache
def _session() -> requests.Session:
    """That of this process, whose threads may share it: nothing is written to it."""
    session = requests.Session()
    session.trust_env = False  # neither a proxy nor passwords of the machine's user are meant for it
    session.headers["Accept-Encoding"] = "identity"
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS))
    return session
