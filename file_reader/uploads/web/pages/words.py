"""What the pages say of an upload: states, sentences, reasons. Another language is a file of translations."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from uploads.web.pages.numbers import number

STATUS_WORDS = {
    "match": lazy("Match"),
    "no_match": lazy("No match"),
    "failed": lazy("Failed"),
    "rejected": lazy("Rejected"),
    "pending": lazy("Not yet"),
}
REASON_WORDS = {
    "none_within_max_distance": lazy("Nothing within %(max_distance)s m"),
    "searched_to_2000_m": lazy("Nothing within 2,000 m; not searched beyond"),
    "not_covered": lazy("The index has no postcodes there"),
    "outside_uk": lazy("Outside the United Kingdom"),
    "gave_up": lazy("All attempts ended without an answer"),
    "upstream_rejected": lazy("The postcode service refuses this location"),
    "coordinates_missing": lazy("The latitude or the longitude is empty"),
    "not_a_number": lazy("Not a number"),
    "not_coordinates": lazy("The cell does not hold a location"),
    "latitude_out_of_range": lazy("The latitude is beyond 90 degrees"),
    "longitude_out_of_range": lazy("The longitude is beyond 180 degrees"),
    "coordinates_swapped": lazy("Latitude and longitude seem to be swapped"),
    "side_unclear": lazy("East or west is not clear"),
    "places_apart": lazy("Two locations of the row are apart"),
    "precision_lost": lazy("The last digits are lost"),
    "irish_grid": lazy("The row is of the Irish Grid"),
    "outside_national_grid": lazy("Not in the British National Grid"),
    "too_few_fields": lazy("The row has too few fields"),
    "too_many_fields": lazy("The row has too many fields"),
    "nul_byte": lazy("The row has a NUL byte"),
}
STAGE_WORDS = {
    "received": lazy("Received"),
    "loading": lazy("Reading rows"),
    "geocoding": lazy("Finding postcodes"),
    "done": lazy("Done"),
}
#: Figures of speed mean nothing before.
_SECONDS_OF_FIGURES = 5


@dataclass(frozen=True)
class State:
    """The state of an upload: which glyph, and which word."""

    glyph: str
    word: str


def reason_in_words(reason: str | None, max_distance: float) -> str:
    """Why a row has no postcode; a reason that has no words yet is shown as it is."""
    words = REASON_WORDS.get(reason or "")
    return (reason or "").replace("_", " ") if words is None else str(words) % {"max_distance": number(max_distance)}


def state_of(shown: dict[str, Any]) -> State:
    """The state of an upload as the API shows it."""
    state, error = shown["state"], shown["error"] or {}
    if state == "failed":
        line = error.get("line")
        return State("failed", _("Failed at line %(line)s") % {"line": number(line)} if line else _("Failed"))
    if state in ("done", "cancelled"):
        return State(*{"done": ("match", _("Done")), "cancelled": ("cancelled", _("Cancelled"))}[state])
    if shown.get("paused"):
        return State("paused", _("Paused"))
    if shown["waiting"]:
        return State("waiting", _("Waiting"))
    return State(
        "working", {"received": _("Received"), "loading": _("Reading rows")}.get(state, _("Finding postcodes"))
    )


def sentence_of(shown: dict[str, Any]) -> str:
    """How far an upload is, in one sentence."""
    rows, state = shown["rows"], shown["state"]
    percent = number(shown["progress"] * 100)
    if state == "done":
        share = rows["matched"] / rows["read"] * 100 if rows["read"] else 0.0
        return ngettext(
            "Done in %(time)s: %(share)s %% of %(rows)s row has a postcode",
            "Done in %(time)s: %(share)s %% of %(rows)s rows have a postcode",
            rows["read"],
        ) % {
            "time": duration(seconds_between(shown["started_at"], shown["finished_at"])),
            "share": number(share, 1),
            "rows": number(rows["read"]),
        }
    if state == "cancelled":
        return _("Cancelled at %(percent)s %%. The %(rows)s answers until then stay") % {
            "percent": percent,
            "rows": number(rows["read"] - rows["pending"]),
        }
    if shown.get("paused"):
        return _("Paused at %(percent)s %%") % {"percent": percent}
    if shown["waiting"]:
        since = duration(seconds_between(shown["waiting"]["since"], datetime.now(UTC)), rounded=True)
        return _("%(percent)s %% answered, waiting for %(time)s") % {"percent": percent, "time": since}
    if state == "received":
        return _waiting_for_a_worker(shown.get("ahead"))
    if state == "loading":
        return _("Reading rows: %(rows)s so far. First answers are already below") % {"rows": number(rows["read"])}
    return _with_rate(percent, shown)


def _waiting_for_a_worker(ahead: int | None) -> str:
    if not ahead:
        return _("Waiting for a worker")
    return ngettext(
        "Waiting for a worker. %(count)s upload is ahead", "Waiting for a worker. %(count)s uploads are ahead", ahead
    ) % {"count": number(ahead)}


def _with_rate(percent: str, shown: dict[str, Any]) -> str:
    values = {"percent": percent, "rate": number(shown["rows_per_second"] or 0)}
    if shown["eta_seconds"] is None or seconds_between(shown["started_at"], datetime.now(UTC)) < _SECONDS_OF_FIGURES:
        return _("%(percent)s %% answered. Estimating the time left") % values
    values["left"] = duration(shown["eta_seconds"], rounded=True)
    return _("%(percent)s %% answered, %(rate)s rows a second, about %(left)s left") % values


def seconds_between(begun: datetime | None, ended: datetime | None) -> float:
    """0 while one of them is not known."""
    return (ended - begun).total_seconds() if begun and ended else 0.0


def duration(seconds: float, *, rounded: bool = False) -> str:
    """54 s, 3 min, 2 h 5 min; rounded as a guess should be."""
    whole = max(1, round(seconds))
    if rounded and 10 < whole < 60:
        whole = round(whole / 5) * 5
    if whole < 120:
        return _("%(count)s s") % {"count": whole}
    minutes = round(whole / 60)
    if minutes < 120:
        return _("%(count)s min") % {"count": minutes}
    return _("%(hours)s h %(minutes)s min") % {"hours": minutes // 60, "minutes": minutes % 60}
