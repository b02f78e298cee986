"""What the provider knows about a postcode."""

import re

import msgspec
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import NotFound, ValidationError

from lookups.providers import provider_of_this_process
from lookups.web.errors import plain_view
from service_kit.query_parameters import query_parameters

#: Without its space. What has another form is no postcode, and nobody is asked about it.
_POSTCODE = re.compile(r"[A-Z0-9]{5,7}")


@query_parameters("remembered")
def _postcode(request: HttpRequest, postcode: str) -> HttpResponse:
    """A postcode, however it is spaced and capitalised → its details; 404 when the provider does not know it.

    `?remembered=1` also tells what was found for whomever: that there is something says that somebody asked.
    """
    remembered = request.GET.get("remembered", "0")
    if remembered not in ("0", "1"):
        raise ValidationError({"remembered": "Accepted: 0 or 1."})
    # Some letters of other scripts have one of ours as their capital.
    bare = "".join(postcode.split()).upper() if postcode.isascii() else ""
    known = _POSTCODE.fullmatch(bare) and provider_of_this_process().details_of(
        f"{bare[:-3]} {bare[-3:]}", remembered=remembered == "1"
    )
    if not known:
        raise NotFound("The provider does not know this postcode.")
    # No provider that there is knows when a postcode was terminated: they have live ones only.
    answer = {"postcode": f"{known.outcode} {known.incode}", **msgspec.structs.asdict(known), "terminated": None}
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")


postcode = plain_view(GET=_postcode)
