"""What `/metrics` tells about lookups. Counted for a whole lookup at a time, never location by location."""

from prometheus_client import Counter, Gauge, Histogram

LOOKUP_SECONDS = Histogram(
    "postcode_consumer_lookup_seconds",
    "How long lookups took, by how they ended: answered, unavailable (the provider), or error.",
    ["outcome"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 45),
)
LOOKUPS_IN_PROGRESS = Gauge(
    "postcode_consumer_lookups_in_progress", "Lookups that are being answered.", multiprocess_mode="livesum"
)
LOCATIONS = Counter("postcode_consumer_locations", "Locations that callers asked for, equal ones counted each.")
ANSWERS = Counter("postcode_consumer_answers", "Answers given, by provider and status.", ["provider", "status"])

REMEMBERED = Counter(
    "postcode_consumer_remembered_locations",
    "Distinct locations that were known already: with a postcode (match), or that there is none (no_match).",
    ["provider", "kind"],
)
WAITED = Counter(
    "postcode_consumer_waited_locations",
    "Distinct locations that another lookup was asking about at the same moment, and that it then knew.",
    ["provider"],
)
NOT_REMEMBERED = Counter(
    "postcode_consumer_not_remembered_locations",
    "Locations whose finding could not be written to the database: they will be asked about again.",
    ["provider"],
)
UPSTREAM_LOCATIONS = Counter(
    "postcode_consumer_upstream_locations",
    "Locations that an external API was asked about, by how far it looked (metres), each attempt counted.",
    ["provider", "metres"],
)
UPSTREAM_CALLS = Counter(
    "postcode_consumer_upstream_calls",
    "Calls to an external API, by their outcome: answered, or the error.",
    ["provider", "outcome"],
)
UPSTREAM_SECONDS = Histogram(
    "postcode_consumer_upstream_seconds",
    "How long calls to an external API took, without the wait for their turn.",
    ["provider"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
TURN_WAIT_SECONDS = Histogram(
    "postcode_consumer_turn_wait_seconds",
    "How long calls waited for their turn: for a slot, and for the limiter.",
    ["provider"],
    buckets=(0.001, 0.01, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
PAUSES = Counter(
    "postcode_consumer_pauses", "How often an external API asked to be left alone (Retry-After).", ["provider"]
)
BREAKER_OPENED = Counter(
    "postcode_consumer_breaker_opened", "How often the breaker opened, after a failed probe again.", ["provider"]
)
