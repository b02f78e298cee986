"""Where the postcodes come from, as the foot of every page says it."""

from django.conf import settings
from django.core.cache import cache
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from service_kit.logs import request_id
from uploads.errors import LookupServiceError
from uploads.upstream import Data, Edition, UpstreamClient
from uploads.web.pages.numbers import number

#: A page does not wait longer for it, and does not ask again sooner, in seconds.
_PATIENCE = 0.5
_KEPT = 60
_KEY = "where-answers-come-from"


def sentences_of_edition() -> list[str]:
    """One for each provider, in the order in which they are asked; none while postcode_consumer does not say it."""
    data: Data | None = cache.get(_KEY, default=None)
    if data is None:
        client = UpstreamClient(
            settings.POSTCODE_CONSUMER_URL, settings.INTERNAL_TOKEN, request_id.get(), seconds=_PATIENCE
        )
        try:
            data = client.data()
        except LookupServiceError:
            data = Data(provider="")
        cache.set(_KEY, data, _KEPT)
    words = {
        "local": _of_index(data.index),
        "postcodes_io": _("Answers come from postcodes.io."),
        "sandbox": _("Answers come from a list of some well-known places, for trying it out."),
    }
    return [words[name] for name in data.provider.split(",") if words.get(name)]


def _of_index(edition: Edition | None) -> str:
    if edition is None:
        return ""
    values = {
        "day": date_format(edition.built_on, "j F Y"),
        "source": edition.source,
        "postcodes": number(edition.postcodes),
    }
    if not edition.source:
        return _("Answers come from the index on this server, built on %(day)s.") % values
    return (
        _("Answers come from the index on this server: %(source)s, %(postcodes)s postcodes, built on %(day)s.") % values
    )
