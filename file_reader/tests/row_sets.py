"""Rows of every kind in uploads of every kind, written at once, and what a question about them must find."""

import math
import random
from collections import Counter
from itertools import pairwise
from typing import Any

from django.db.models.functions import Now

from uploads.models import (
    ENDED_STATES,
    OPEN_STATES,
    STATUS_WORDS,
    Area,
    Chunk,
    ChunkState,
    Row,
    RowStatus,
    Upload,
    UploadState,
    area_id,
)
from uploads.row_ids import row_id
from uploads.rows.filters import normal_postcode
from uploads.work.indexing import claim_index, write_segment

Question = dict[str, str]
#: Postcodes as they look, and as they might look one day.
POSTCODES = [
    "M1 1AA", "M11 1AA", "M1A 1AA", "SW1 1AA", "SW1A 1AA", "SW1A 1AB", "SW1A 2AA", "SW11 1AA", "S1 1AA", "S01 1AA",
    "EC1A 1BB", "ZE1 0AA", "GIR 0AA", "BFPO 57", "SW1A", "SW1A 1", "sw1a 1aa", "ÄÖ1 1AA", "M1  1AA", "٣1 1AA",
]  # fmt: skip
AREAS = [
    ("England", "London", "Westminster", "St James's"), ("England", "London", "Westminster", None),
    ("England", "North West", "Manchester", "Ardwick"), ("Wales", None, "Ynys Môn", "Seiriol"),
    ("Wales", None, "Westminster", "Of the same name"), (None, None, None, None),
]  # fmt: skip
#: The first of each is that of most rows.
REASONS = {
    RowStatus.REJECTED: ["not_a_number"] * 5 + ["coordinates_missing"],
    RowStatus.NO_MATCH: ["outside_uk"] * 5 + ["none_within_max_distance"],
    RowStatus.FAILED: ["gave_up", "upstream_rejected"],
}
#: Corners and edges of the grid and of the world.
EDGES = [
    (0.0, 0.0), (-0.0, -0.0), (90.0, 0.0), (-90.0, 10.0), (90.0, 180.0), (90.0, -180.0), (-90.0, 180.0), (51.5, 180.0),
    (51.5, -180.0), (51.5, -0.15), (51.5, 0.0), (51.6, -0.15), (51.52, -0.12), (51.519999999999996, -0.12),
    (51.550000000000004, -0.15000000000000002), (51.549999999999997, 0.15), (1e-300, -1e-320), (62.0, 4.05),
]  # fmt: skip

_ANSWERS = [*[RowStatus.MATCH] * 20, RowStatus.NO_MATCH, RowStatus.NO_MATCH, RowStatus.FAILED]


def place(rng: random.Random) -> tuple[float, float]:
    """Mostly in one town, sometimes anywhere in the country or in the world, or at an edge."""
    kind = rng.random()
    if kind < 0.6:
        return round(rng.gauss(51.55, 0.03), 4), round(rng.gauss(-0.1, 0.05), 4)
    if kind < 0.8:
        return rng.uniform(50, 59), rng.uniform(-6, 1)
    return (rng.uniform(-90, 90), rng.uniform(-180, 180)) if kind < 0.9 else rng.choice(EDGES)


def row_of(upload: Upload, number: int, status: RowStatus, rng: random.Random) -> Row:
    """A row as the service leaves it: what has no match has no postcode, what was rejected has no location."""
    row = Row(id=row_id(upload.pk, number), upload=upload, status=status)
    if status == RowStatus.REJECTED:
        row.reason, row.line, row.raw = rng.choice(REASONS[status]), number + 1, "x,y"
        return row
    row.latitude, row.longitude = place(rng)
    if status in REASONS:
        row.reason = rng.choice(REASONS[status])
    if status == RowStatus.MATCH:
        row.postcode, row.distance_m = rng.choice(POSTCODES), 1.5
        row.area_id = rng.choice([None, *(area_id(names) for names in AREAS)])
    return row


def make_upload(rows: int, *, owner: Any = None, state: str = "done", chunk_rows: int = 40, seed: int = 0) -> Upload:
    """An upload with rows and chunks. Of one that is open or was cancelled, every third chunk waits for answers."""
    rng = random.Random(f"{rows} {state} {seed}")
    Area.objects.bulk_create([Area(area_id(names), *names) for names in AREAS], ignore_conflicts=True)
    upload = Upload.objects.create(
        owner=owner, filename="x.csv", size=1, sha256="", dialect={}, max_distance=1, state=state, rows_loaded=rows,
        started_at=Now(), finished_at=Now() if state in ENDED_STATES else None,
    )  # fmt: skip
    waiting = ChunkState.VOID if state == UploadState.CANCELLED else ChunkState.READY
    for order, (first, behind) in enumerate(pairwise([*range(1, rows + 1, chunk_rows), rows + 1])):
        is_open = state in (*OPEN_STATES, UploadState.CANCELLED) and order % 3 == 1
        located = (
            [RowStatus.PENDING] if is_open else [RowStatus.MATCH] * 20 + [RowStatus.NO_MATCH] * 2 + [RowStatus.FAILED]
        )
        made = [
            row_of(upload, number, rng.choice(located) if rng.random() < 0.95 else RowStatus.REJECTED, rng)
            for number in range(first, behind)
        ]
        Row.objects.bulk_create(made)
        count = Counter(row.status for row in made)
        Chunk.objects.create(
            upload=upload, first_row=first, row_count=len(made),
            state=waiting if is_open else ChunkState.DONE, matched=count[RowStatus.MATCH],
            no_match=count[RowStatus.NO_MATCH], failed=count[RowStatus.FAILED], rejected=count[RowStatus.REJECTED],
        )  # fmt: skip
    return upload


def write_indexes() -> None:
    """What workers do for uploads that have ended."""
    while lease := claim_index():
        while lease:
            lease = write_segment(lease)


# --- what a question must find -------------------------------------------------------------------------------------
def is_asked_for(row: Row, question: Question) -> bool:
    """By the words of docs/api.md, in plain Python."""
    postcode, area = row.postcode, row.area
    return all([
        "status" not in question or STATUS_WORDS[row.status] == question["status"],
        "reason" not in question or row.reason == question["reason"],
        "postcode" not in question or postcode == normal_postcode(question["postcode"]),
        "outcode" not in question or (postcode or "").startswith(f"{question['outcode'].strip().upper()} "),
        "country" not in question or (area is not None and area.country == question["country"]),
        "admin_district" not in question or (area is not None and area.admin_district == question["admin_district"]),
        not {"bbox", "near"} & {*question} or (row.latitude is not None and _is_there(row, question)),
    ])  # fmt: skip


def _is_there(row: Row, question: Question) -> bool:
    latitude, longitude = float(row.latitude or 0), float(row.longitude or 0)
    if "bbox" in question:
        west, south, east, north = map(float, question["bbox"].split(","))
        if not (west <= longitude <= east and south <= latitude <= north):
            return False
    if "near" not in question:
        return True
    here, there = map(math.radians, (float(question["near"].split(",")[0]), latitude))
    middle = float(question["near"].split(",")[1])
    apart = math.radians(longitude - middle)
    chord = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(apart / 2) ** 2
    metres = 2 * 6_371_008.8 * math.asin(math.sqrt(min(1.0, chord)))
    return metres <= float(question["radius"])
