"""The limit: a script that reads, asks and stores with nothing else. No leases, no retries, no memory of how far it is.

It writes the same columns and indexes by the same statements as file_reader, and asks either the same postcode_consumer
(`--consumer`) or, as postcode_consumer does, an external API (`--upstream`). Reading and inserting, asking, and storing
overlap. Prints the number of rows and the seconds that they took.
"""

import argparse
import asyncio
import csv
import io
import itertools
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psycopg2

CHUNK = 20_000
#: Chunks that are asked about at once: while one waits for its last answers, others keep the calls going.
CHUNKS_ASKED = 4
#: Locations in a call to postcode_consumer, and such calls at once.
PER_CALL, IN_FLIGHT = 1_000, 4
#: The external API takes so many. It is asked within 100 m, and then again where there was nothing.
PER_UPSTREAM_CALL = 100
RADII = (100, 2_000)

_STATUS = {"match": 1, "no_match": 2, "failed": 3}
_TABLES = """
CREATE TABLE bare_row (id {integer} PRIMARY KEY, upload_id bigint NOT NULL, latitude double precision,
    longitude double precision, status smallint NOT NULL, reason varchar(40), postcode varchar(8){collation},
    distance_m double precision, area_id bigint, line bigint, raw text);
CREATE TABLE bare_area (id integer PRIMARY KEY, country varchar(40), region varchar(80), admin_district varchar(120),
    admin_ward varchar(120));
CREATE TABLE bare_postcode (postcode varchar(8){collation} PRIMARY KEY, latitude double precision,
    longitude double precision, area_id integer NOT NULL);
"""
_NEW_AREA = "INSERT INTO bare_area (id, country, region, admin_district, admin_ward) VALUES "

Location = tuple[float, float]
Record = tuple[Any, ...]


class Details(msgspec.Struct):
    """What file_reader keeps of a postcode; of an external API's answer, which has the distance here, too."""

    country: str | None = None
    region: str | None = None
    admin_district: str | None = None
    admin_ward: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class Answer(msgspec.Struct):
    status: str
    reason: str | None = None
    postcode: str | None = None
    distance_m: float | None = None
    postcode_details: Details | None = None


class Answers(msgspec.Struct):
    results: list[Answer]


class Found(Details):
    postcode: str = ""
    distance: float = 0.0


class Item(msgspec.Struct):
    result: list[Found] | None


class Items(msgspec.Struct):
    result: list[Item]


class Postgres:
    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url)
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS bare_row, bare_area, bare_postcode")
            cursor.execute(_TABLES.format(integer="bigint", collation=' COLLATE "C"'))
            cursor.execute("ALTER TABLE bare_row SET (fillfactor = 50)")

    def insert(self, rows: list[Record]) -> None:
        text = "".join([f"{id_}\t1\t{latitude!r}\t{longitude!r}\t0\n" for id_, latitude, longitude in rows])
        with self._connection, self._connection.cursor() as cursor:
            cursor.copy_expert(
                "COPY bare_row (id, upload_id, latitude, longitude, status) FROM STDIN", io.StringIO(text)
            )

    def update(self, results: list[Record], postcodes: list[Record], areas: list[Record]) -> None:
        with self._connection, self._connection.cursor() as cursor:
            for area in areas:
                cursor.execute(f"{_NEW_AREA} (%s, %s, %s, %s, %s)", area)
            if postcodes:
                cursor.execute(
                    "INSERT INTO bare_postcode (postcode, latitude, longitude, area_id) SELECT * FROM"
                    " unnest(%s::text[], %s::double precision[], %s::double precision[], %s::integer[])"
                    " ON CONFLICT (postcode) DO NOTHING",
                    _arrays(postcodes),
                )
            cursor.execute(
                "UPDATE bare_row SET status = new.status, reason = new.reason, postcode = new.postcode,"
                " distance_m = new.distance_m, area_id = new.area_id FROM unnest(%s::smallint[], %s::text[],"
                " %s::text[], %s::double precision[], %s::bigint[], %s::bigint[])"
                " AS new (status, reason, postcode, distance_m, area_id, id)"
                " WHERE bare_row.id = new.id AND bare_row.id BETWEEN %s AND %s",
                [*_arrays(results), results[0][-1], results[-1][-1]],
            )


class Sqlite:
    def __init__(self, path: str) -> None:
        for name in (path, f"{path}-wal", f"{path}-shm"):
            Path(name).unlink(missing_ok=True)
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;"
            + _TABLES.format(integer="integer", collation="")
        )

    def insert(self, rows: list[Record]) -> None:
        with self._connection:
            self._insert(
                "INSERT INTO bare_row (id, upload_id, latitude, longitude, status) VALUES ", "(?,1,?,?,0)", rows
            )

    def update(self, results: list[Record], postcodes: list[Record], areas: list[Record]) -> None:
        with self._connection as connection:
            self._insert(_NEW_AREA, "(?,?,?,?,?)", areas)
            self._insert(
                "INSERT INTO bare_postcode (postcode, latitude, longitude, area_id) VALUES ",
                "(?,?,?,?)",
                postcodes,
                " ON CONFLICT (postcode) DO NOTHING",
            )
            connection.executemany(
                "UPDATE bare_row SET status = ?, reason = ?, postcode = ?, distance_m = ?, area_id = ? WHERE id = ?",
                results,
            )

    def _insert(self, statement: str, record: str, rows: list[Record], end: str = "") -> None:
        for start in range(0, len(rows), 180):
            part = rows[start : start + 180]
            values = list(itertools.chain.from_iterable(part))
            self._connection.execute(statement + ",".join([record] * len(part)) + end, values)


Store = Postgres | Sqlite


def _arrays(records: Iterable[Record]) -> list[str]:
    """A PostgreSQL array for each column."""
    return [
        "{" + ",".join(["NULL" if value is None else f'"{value}"' for value in column]) + "}"
        for column in zip(*records, strict=True)
    ]


def chunks(path: Path) -> Iterator[list[tuple[int, float, float]]]:
    with path.open(newline="") as file:
        records = csv.reader(file)
        next(records)
        numbered = ((number, float(one), float(other)) for number, (one, other) in enumerate(records, 1))
        while chunk := list(itertools.islice(numbered, CHUNK)):
            yield chunk


class Keeper:
    """Makes records of answers. An area gets its number where it is first met."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._areas: dict[Record, int] = {}

    def keep(self, chunk: list[tuple[int, float, float]], found: dict[Location, Answer]) -> None:
        areas: list[Record] = []
        postcodes: dict[str | None, Record] = {}
        for answer in found.values():
            if (details := answer.postcode_details) and answer.postcode and answer.postcode not in postcodes:
                names = details.country, details.region, details.admin_district, details.admin_ward
                if names not in self._areas:
                    self._areas[names] = len(self._areas) + 1
                    areas.append((self._areas[names], *names))
                postcodes[answer.postcode] = (
                    answer.postcode, details.latitude, details.longitude, self._areas[names]
                )  # fmt: skip
        results = []
        for id_, latitude, longitude in chunk:
            one = found[latitude, longitude]
            area = postcodes[one.postcode][-1] if one.postcode in postcodes else None
            results.append((_STATUS[one.status], one.reason, one.postcode, one.distance_m, area, id_))
        self._store.update(results, list(postcodes.values()), areas)


Ask = Callable[[list[Location]], Awaitable[dict[Location, Answer]]]


def parts_of(locations: Sequence[Location], size: int) -> list[Sequence[Location]]:
    return [locations[start : start + size] for start in range(0, len(locations), size)]


def from_consumer(session: aiohttp.ClientSession, url: str) -> Ask:
    decoder = msgspec.json.Decoder(Answers)

    async def call(part: Sequence[Location]) -> list[Answer]:
        body = msgspec.json.encode({"locations": [{"latitude": one, "longitude": other} for one, other in part]})
        async with session.post(f"{url}/api/v1/reverse-geocode/", data=body) as response:
            response.raise_for_status()
            return decoder.decode(await response.read()).results

    async def ask(locations: list[Location]) -> dict[Location, Answer]:
        parts = parts_of(locations, PER_CALL)
        answers = await asyncio.gather(*map(call, parts))
        return dict(zip(locations, itertools.chain.from_iterable(answers), strict=True))

    return ask


def from_upstream(session: aiohttp.ClientSession, url: str) -> Ask:
    decoder = msgspec.json.Decoder(Items)

    async def call(part: Sequence[Location], radius: int) -> list[Answer]:
        asked = [{"latitude": one, "longitude": other, "limit": 1, "radius": radius} for one, other in part]
        async with session.post(f"{url}/postcodes", data=msgspec.json.encode({"geolocations": asked})) as response:
            response.raise_for_status()
            items = decoder.decode(await response.read()).result
        return [
            Answer("match", None, item.result[0].postcode, item.result[0].distance, item.result[0])
            if item.result
            else Answer("no_match", "none_within_max_distance")
            for item in items
        ]

    async def ask(locations: list[Location]) -> dict[Location, Answer]:
        found: dict[Location, Answer] = {}
        for radius in RADII:
            missing = [one for one in locations if one not in found or not found[one].postcode]
            parts = parts_of(missing, PER_UPSTREAM_CALL)
            answers = await asyncio.gather(*[call(part, radius) for part in parts])
            found.update(zip(missing, itertools.chain.from_iterable(answers), strict=True))
        return found

    return ask


async def run(path: Path, store: Store, ask: Ask) -> int:
    loaded: asyncio.Queue[Any] = asyncio.Queue(2)
    answered: asyncio.Queue[Any] = asyncio.Queue(2)
    keeper = Keeper(store)
    lock = asyncio.Lock()  # one connection

    async def load() -> None:
        pieces = chunks(path)
        while chunk := await asyncio.to_thread(next, pieces, None):
            async with lock:
                await asyncio.to_thread(store.insert, chunk)
            await loaded.put(chunk)
        for _ in range(CHUNKS_ASKED):
            await loaded.put(None)

    async def ask_in_turn() -> None:
        while chunk := await loaded.get():
            locations = list(dict.fromkeys([(latitude, longitude) for _, latitude, longitude in chunk]))
            await answered.put((chunk, await ask(locations)))

    async def ask_all() -> None:
        await asyncio.gather(*[ask_in_turn() for _ in range(CHUNKS_ASKED)])
        await answered.put(None)

    async def keep() -> int:
        count = 0
        while one := await answered.get():
            async with lock:
                await asyncio.to_thread(keeper.keep, *one)
            count += len(one[0])
        return count

    _, _, count = await asyncio.gather(load(), ask_all(), keep())
    return count


async def run_with_connections(options: argparse.Namespace, store: Store) -> int:
    headers = {"X-Internal-Token": options.token, "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=options.concurrency)
    async with aiohttp.ClientSession(headers=headers, connector=connector, trust_env=False) as session:
        one = from_upstream(session, options.upstream) if options.upstream else from_consumer(session, options.consumer)
        return await run(options.file, store, one)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--database", required=True, help="postgres://… or the path of an SQLite file")
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--consumer", help="the URL of postcode_consumer")
    whom.add_argument("--upstream", help="the URL of a server that speaks the protocol of postcodes.io")
    parser.add_argument("--token", default="-")
    parser.add_argument("--concurrency", type=int, default=IN_FLIGHT, help="calls at once")
    options = parser.parse_args()
    store = (Postgres if options.database.startswith("postgres") else Sqlite)(options.database)
    began = time.perf_counter()
    count = asyncio.run(run_with_connections(options, store))
    print(f"{count} {time.perf_counter() - began:.3f}")


if __name__ == "__main__":
    main()
