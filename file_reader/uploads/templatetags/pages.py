"""How the pages write numbers and sizes, and draw glyphs."""

from datetime import date, datetime, timedelta

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from service_kit.logs import request_id
from uploads.web.pages.edition import sentences_of_edition
from uploads.web.pages.numbers import number
from uploads.web.pages.script_words import SCRIPT_WORDS

register = template.Library()
_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_NO_BREAK = "\N{NO-BREAK SPACE}"


@register.simple_tag
def this_request() -> str:
    """The id of the request, under which the log has it."""
    return request_id.get()


@register.simple_tag
def edition() -> str:
    """Where the postcodes come from."""
    return " ".join(sentences_of_edition())


@register.simple_tag
def map_tiles() -> SafeString:
    """Attributes of a map: where the tiles are that lie under it, if there are some, and whose they are."""
    if not settings.MAP_TILES_URL:
        return SafeString("")
    return format_html(' data-tiles="{}" data-whose="{}"', settings.MAP_TILES_URL, settings.MAP_TILES_ATTRIBUTION)


@register.simple_tag
def glyph(name: str) -> SafeString:
    """The picture of a state or of a status; the word stands beside it."""
    return format_html(
        '<svg class="glyph glyph-{}" width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">'
        '<use href="{}#{}"/></svg>',
        name,
        static("pages/icons.svg"),
        name,
    )


@register.simple_tag
def icon(name: str) -> SafeString:
    """The picture on a button; what the button does stands beside it."""
    return format_html(
        '<svg class="glyph" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><use href="{}#{}"/></svg>',
        static("pages/icons.svg"),
        name,
    )


@register.simple_tag
def words_of_scripts() -> SafeString:
    """The sentences of the scripts, as data: a policy that allows no script in the page lets them pass."""
    return json_script({name: str(words) for name, words in SCRIPT_WORDS.items()}, "words")


@register.filter
def cell(fields: list[str], number: int) -> str:
    """The field of a record in the column with that number from 1; nothing where the record is shorter."""
    return fields[number - 1] if number <= len(fields) else ""


@register.filter
def thousands(value: float) -> str:
    """1,234,567."""
    return number(value)


@register.filter
def size(count: int) -> str:
    """The size of a file: 110 MB."""
    value, unit = float(count), 0
    while value >= 1_000 and unit < len(_UNITS) - 1:
        value, unit = value / 1_000, unit + 1
    return f"{number(value, 0 if value >= 10 or unit == 0 else 1)}{_NO_BREAK}{_UNITS[unit]}"


@register.filter
def binary_size(count: int) -> str:
    """A limit, which is a power of 2 as a rule: 1 GiB."""
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if count >= 1 << power:
            in_units = count / (1 << power)
            return f"{number(in_units, 0 if in_units == int(in_units) else 1)}{_NO_BREAK}{unit}"
    return f"{number(count)}{_NO_BREAK}bytes"


@register.filter
def share(percent: float | None) -> str:
    """97.1 %, < 0.1 %, or a dash for nothing."""
    if percent is None:
        return "–"
    shown = f"<{_NO_BREAK}{number(0.1, 1)}" if percent < 0.05 else number(percent, 1)
    return f"{shown}{_NO_BREAK}%"


@register.filter
def percent(progress: float) -> str:
    """A share from 0 to 1 in percent, never 100 before the end."""
    if progress in (0, 1):
        return f"{number(progress * 100)}{_NO_BREAK}%"
    shown = min(progress * 100, 99.9)
    return f"{number(shown, 1 if shown >= 10 else 2)}{_NO_BREAK}%"


@register.filter
def when(moment: datetime | None) -> str:
    """14:02, Yesterday, 24 Nov, 24 Nov 2025; of the server's time zone."""
    if moment is None:
        return "–"
    local, today = timezone.localtime(moment), _today()
    if local.date() == today:
        return date_format(local, "H:i")
    if local.date() == today - timedelta(days=1):
        return _("Yesterday")
    return date_format(local, "j M" if local.year == today.year else "j M Y")


def _today() -> date:
    return timezone.localdate()
