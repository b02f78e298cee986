"""The names that `gateway/aiohttp_private.py` uses beyond aiohttp's reference are there in the installed version."""

import asyncio

import aiohttp
from aiohttp import web, web_protocol
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import StreamWriter
from servers import echo


async def test_an_upgrade_that_takes_a_private_name_away_is_named() -> None:
    loop = asyncio.get_running_loop()
    server, connector = web.Server(echo), aiohttp.TCPConnector()
    used = [
        (server, "_kwargs"),
        (
            web.RequestHandler(server, loop=loop),
            "handle_error max_line_size max_field_size max_headers _loop _messages _waiter",
        ),
        (web_protocol, "_ErrInfo"),
        (web.BaseRequest, "writer"),
        (StreamWriter, "write output_size"),
        (connector, "_factory"),
        (ResponseHandler(loop), "transport data_received set_exception connection_lost"),
    ]
    gone = [f"{owner!r} has no {name}" for owner, names in used for name in names.split() if not hasattr(owner, name)]
    assert not gone, f"aiohttp {aiohttp.__version__} has changed: gateway/aiohttp_private.py says why it needs {gone}"
    await connector.close()
