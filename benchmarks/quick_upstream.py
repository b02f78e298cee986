"""A stand-in of postcodes.io that costs almost nothing: every call is answered after LATENCY seconds, however many.

It speaks the bulk protocol in the size of the real one (1 kB a match), for callers that make no mistakes, and makes
its answers up from the coordinates: of 100 locations, 20 have a postcode beyond 100 m only, and 2 have none. The
stand-in of the tests (`tests/fakes/postcodes_io.py`) is faithful instead.
"""

import argparse
import asyncio

import msgspec
from aiohttp import web

#: Of a hundred locations.
NOWHERE, FAR = 2, 20
POSTCODES = 1_700_000
_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
_OUTCODES = [f"{one}{other}{number}" for one in _LETTERS for other in _LETTERS for number in range(1, 12)]
_INCODES = [f"{number}{one}{other}" for number in range(10) for one in _LETTERS for other in _LETTERS]
#: As many wards as there are.
_AREAS = [
    f'"country":"England","region":"Region {number % 9}","admin_district":"District {number % 350}",'
    f'"admin_ward":"Ward {number}"'
    for number in range(8_000)
]
_OTHER = (
    '"quality":1,"eastings":530047,"northings":179951,"codes":{'
    + ",".join(f'"code_{number}":"E{number:08d}","name_{number}":"Something {number}"' for number in range(14))
    + "}"
)


class _Asked(msgspec.Struct):
    longitude: float
    latitude: float
    radius: int = 100
    widesearch: bool = False


class _Question(msgspec.Struct):
    geolocations: list[_Asked]


_decoder = msgspec.json.Decoder(_Question)


def _result(one: _Asked) -> str:
    # Files have six decimals. Any mixture of them will do, as long as it is the same in the next run.
    mixed = (round(one.latitude * 1e6) * 2_654_435_761 + round(one.longitude * 1e6) * 40_503) >> 7
    kind = mixed % 100
    if kind < NOWHERE or (kind < NOWHERE + FAR and one.radius <= 100 and not one.widesearch):
        return "null"
    number = mixed % POSTCODES
    outcode, incode = _OUTCODES[number // 400], _INCODES[number % 400]
    distance = 500.25 if kind < NOWHERE + FAR else 50.25
    return (
        f'[{{"postcode":"{outcode} {incode}","outcode":"{outcode}","incode":"{incode}",{_OTHER},'
        f'"longitude":{one.longitude!r},"latitude":{one.latitude!r},{_AREAS[number % 8_000]},"distance":{distance}}}]'
    )


def answer(body: bytes) -> bytes:
    items = [
        f'{{"query":{{"longitude":{one.longitude!r},"latitude":{one.latitude!r}}},"result":{_result(one)}}}'
        for one in _decoder.decode(body).geolocations
    ]
    return f'{{"status":200,"result":[{",".join(items)}]}}'.encode()


def application(latency: float) -> web.Application:
    async def bulk(request: web.Request) -> web.Response:
        loop = asyncio.get_running_loop()
        due = loop.time() + latency
        text = answer(await request.read())
        await asyncio.sleep(due - loop.time())
        return web.Response(body=text, content_type="application/json")

    app = web.Application()
    app.router.add_post("/postcodes", bulk)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, default=50)
    options = parser.parse_args()
    web.run_app(
        application(options.latency_ms / 1000), host="127.0.0.1", port=options.port, access_log=None, print=None
    )


if __name__ == "__main__":
    main()
