"""The limit: a script that reads, asks and stores with nothing else. No leases, no retries, no memory of how far it is.

It asks the same postcode_consumer, and writes the same columns and indexes by the same statements as file_reader.
Reading and inserting, asking, and updating overlap.
"""

import argparse
import asyncio
import csv
import io
import itertools
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psycopg2

CHUNK, PER_CALL, IN_FLIGHT = 5_000, 1_000, 4
_STATUS = {"match": 1, "no_match": 2, "failed": 3}
_TABLE = """
CREATE TABLE bare_row (id bigint PRIMARY KEY, upload_id bigint NOT NULL, latitude double precision,
    longitude double precision, status smallint NOT NULL, reason varchar(40), postcode varchar(8),
    distance_m double precision, line bigint, raw text)
"""
_INDEX = "CREATE INDEX bare_row_postcode ON bare_row (postcode) WHERE postcode IS NOT NULL"


class Answer(msgspec.Struct):
    status: str
    reason: str | None
    postcode: str | None
    distance_m: float | None


class Answers(msgspec.Struct):
    results: list[Answer]


class Postgres:
    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url)
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS bare_row")
            cursor.execute(_TABLE)
            cursor.execute(_INDEX)

    def insert(self, rows: list[tuple[Any, ...]]) -> None:
        text = "".join([f"{id_}\t1\t{latitude!r}\t{longitude!r}\t0\n" for id_, latitude, longitude in rows])
        with self._connection, self._connection.cursor() as cursor:
            cursor.copy_expert(
                "COPY bare_row (id, upload_id, latitude, longitude, status) FROM STDIN", io.StringIO(text)
            )

    def update(self, results: list[tuple[Any, ...]]) -> None:
        columns = [
            "{" + ",".join(["NULL" if value is None else f'"{value}"' for value in column]) + "}"
            for column in zip(*results, strict=True)
        ]
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "UPDATE bare_row SET status = new.status, reason = new.reason, postcode = new.postcode,"
                " distance_m = new.distance_m FROM unnest(%s::smallint[], %s::text[], %s::text[],"
                " %s::double precision[], %s::bigint[]) AS new (status, reason, postcode, distance_m, id)"
                " WHERE bare_row.id = new.id AND bare_row.id BETWEEN %s AND %s",
                [*columns, results[0][-1], results[-1][-1]],
            )


class Sqlite:
    def __init__(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_TABLE}; {_INDEX};")

    def insert(self, rows: list[tuple[Any, ...]]) -> None:
        with self._connection as connection:
            for start in range(0, len(rows), 180):
                part = rows[start : start + 180]
                values = ",".join(["(?,1,?,?,0)"] * len(part))
                connection.execute(
                    f"INSERT INTO bare_row (id, upload_id, latitude, longitude, status) VALUES {values}",
                    [value for row in part for value in row],
                )

    def update(self, results: list[tuple[Any, ...]]) -> None:
        with self._connection as connection:
            connection.executemany(
                "UPDATE bare_row SET status = ?, reason = ?, postcode = ?, distance_m = ? WHERE id = ?", results
            )


def chunks(path: Path) -> Iterator[list[tuple[int, float, float]]]:
    with path.open(newline="") as file:
        records = csv.reader(file)
        next(records)
        numbered = ((number, float(one), float(other)) for number, (one, other) in enumerate(records, 1))
        while chunk := list(itertools.islice(numbered, CHUNK)):
            yield chunk


async def run(path: Path, store: Postgres | Sqlite, url: str, token: str) -> int:
    loaded: asyncio.Queue[Any] = asyncio.Queue(2)
    answered: asyncio.Queue[Any] = asyncio.Queue(2)
    lock = asyncio.Lock()  # one connection
    headers = {"X-Internal-Token": token, "Content-Type": "application/json"}
    decoder = msgspec.json.Decoder(Answers)

    async def load() -> None:
        pieces = chunks(path)
        while chunk := await asyncio.to_thread(next, pieces, None):
            async with lock:
                await asyncio.to_thread(store.insert, chunk)
            await loaded.put(chunk)
        await loaded.put(None)

    async def ask(session: aiohttp.ClientSession) -> None:
        async def call(part: list[tuple[float, float]]) -> list[Answer]:
            body = msgspec.json.encode({"locations": [{"latitude": one, "longitude": other} for one, other in part]})
            async with session.post(f"{url}/api/v1/reverse-geocode/", data=body) as response:
                response.raise_for_status()
                return decoder.decode(await response.read()).results

        while chunk := await loaded.get():
            locations = list(dict.fromkeys([(latitude, longitude) for _, latitude, longitude in chunk]))
            parts = [locations[start : start + PER_CALL] for start in range(0, len(locations), PER_CALL)]
            found: dict[tuple[float, float], Answer] = {}
            for part, answers in zip(parts, await asyncio.gather(*map(call, parts)), strict=True):
                found.update(zip(part, answers, strict=True))
            await answered.put([(id_, found[latitude, longitude]) for id_, latitude, longitude in chunk])
        await answered.put(None)

    async def keep() -> int:
        count = 0
        while results := await answered.get():
            rows = [(_STATUS[a.status], a.reason, a.postcode, a.distance_m, id_) for id_, a in results]
            async with lock:
                await asyncio.to_thread(store.update, rows)
            count += len(rows)
        return count

    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(headers=headers, connector=connector, trust_env=False) as session:
        _, _, count = await asyncio.gather(load(), ask(session), keep())
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--database", required=True, help="postgres://… or the path of an SQLite file")
    parser.add_argument("--consumer", required=True)
    parser.add_argument("--token", required=True)
    options = parser.parse_args()
    store = (Postgres if options.database.startswith("postgres") else Sqlite)(options.database)
    began = time.perf_counter()
    count = asyncio.run(run(options.file, store, options.consumer, options.token))
    print(f"{count} {time.perf_counter() - began:.3f}")


if __name__ == "__main__":
    main()
