"""`/postcodes/{postcode}/`: what postcode_consumer knows about a postcode, and which of the caller's rows have it.

The answer follows from these two alone: nobody can tell from it what others have sent.
"""

import re
from typing import Any

import msgspec
from django.conf import settings
from rest_framework.exceptions import NotFound

from service_kit.logs import request_id
from uploads.known_postcodes import KnownPostcode, known_postcode
from uploads.rows.filters import normal_postcode, parse_filters
from uploads.rows.pages import RowPages
from uploads.web.plain_views import Call, plain_view

#: What has another form is no postcode, and nobody is asked about it.
_POSTCODE = re.compile(r"[A-Z0-9]{2,4} [A-Z0-9]{3}")


def _postcode(call: Call, postcode: str) -> dict[str, Any]:
    """What is known about a postcode, however it is spaced."""
    # Some letters of other scripts have one of ours as their capital.
    postcode = normal_postcode(postcode) if postcode.isascii() else ""
    if not _POSTCODE.fullmatch(postcode):
        raise NotFound("This is not a postcode.")
    rows = RowPages(parse_filters({"postcode": postcode}), owner_id=call.owner_id).count()
    known = known_postcode(
        postcode,
        # To those who have it in a row, what was found for others tells nothing about these.
        remembered=rows > 0 or call.owner_id is None,
        url=settings.POSTCODE_CONSUMER_URL,
        token=settings.INTERNAL_TOKEN,
        request_id=request_id.get(),
    )
    if known is None and not rows:
        raise NotFound("Nobody knows this postcode, and none of your rows has it.")
    outcode, incode = postcode.split()
    return {**msgspec.structs.asdict(known or KnownPostcode(postcode, outcode, incode)), "rows": rows}


postcode = plain_view(GET=_postcode)
