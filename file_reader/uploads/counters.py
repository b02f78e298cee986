"""What workers count, for `/metrics`: of a piece of work at a time, never row by row. docs/monitoring.md has all."""

from prometheus_client import Counter, Histogram

ROUNDS = Counter(
    "file_reader_worker_rounds", "Rounds of workers, by whether there was anything to do: yes or no.", ["found"]
)
TURN_SECONDS = Histogram(
    "file_reader_worker_turn_seconds",
    "How long pieces of work took: load, write (the answers of a chunk), index, or purge.",
    ["kind"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
ROWS = Counter(
    "file_reader_worker_rows", "Rows that were answered, by outcome: matched, no_match, failed, rejected.", ["outcome"]
)
ROWS_READ = Counter("file_reader_worker_rows_read", "Rows that were read from files.")
LOOKUP_SECONDS = Histogram(
    "file_reader_worker_lookup_seconds",
    "How long the lookups of chunks took, by outcome: answered, stopped, refused, or the reason of the outage.",
    ["outcome"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
CHUNKS = Counter(
    "file_reader_worker_chunks",
    "Chunks that were let go of: done, put_back, given_back (the worker stops), failed (a fault), split, dead.",
    ["outcome"],
)
LEASES_LOST = Counter(
    "file_reader_worker_leases_lost",
    "Writes that were refused because somebody else had the work by then: of a chunk, a file, or an index.",
    ["of"],
)
DATABASE_TROUBLE = Counter("file_reader_worker_database_trouble", "Rounds that the database did not let end.")
UPLOADS_ENDED = Counter("file_reader_worker_uploads_ended", "Uploads that were ended because all rows are answered.")
WEBHOOK_CALLS = Counter(
    "file_reader_worker_webhook_calls",
    "Calls of webhooks: delivered, refused (another status than 2xx), unreachable.",
    ["outcome"],
)

_LABELS = {
    ROUNDS: ("yes", "no"),
    TURN_SECONDS: ("load", "write", "index", "purge"),
    ROWS: ("matched", "no_match", "failed", "rejected"),
    LOOKUP_SECONDS: ("answered", "provider_unavailable", "lookup_service_unreachable"),
    CHUNKS: ("done", "put_back", "given_back", "failed", "split", "dead"),
    LEASES_LOST: ("chunk", "file", "index"),
    WEBHOOK_CALLS: ("delivered", "refused", "unreachable"),
}


def begin() -> None:
    """Shows all that may happen as 0: of what appears at its first time, nobody sees that it rose."""
    for metric, values in _LABELS.items():
        for value in values:
            metric.labels(value)
