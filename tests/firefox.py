"""Firefox for a test of the pages, driven by WebDriver BiDi, which it speaks itself: no driver is needed."""

import asyncio
import contextlib
import itertools
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from stack import free_port

START_SECONDS = 60
ANSWER_SECONDS = 60


def find_firefox() -> str | None:
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Tab:
    """A tab, and what its console said."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._tab = ""
        self.console: list[str] = []

    async def begin(self) -> None:
        await self._call("session.new", capabilities={})
        await self._call("session.subscribe", events=["log.entryAdded"])
        self._tab = (await self._call("browsingContext.getTree"))["contexts"][0]["context"]

    async def open(self, url: str) -> None:
        await self._call("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    async def choose(self, selector: str, file: Path) -> None:
        """Chooses a file in the field."""
        locator = {"type": "css", "value": selector}
        found = await self._call("browsingContext.locateNodes", context=self._tab, locator=locator)
        element = {"sharedId": found["nodes"][0]["sharedId"]}
        await self._call("input.setFiles", context=self._tab, element=element, files=[str(file)])

    async def shown(self, expression: str) -> Any:
        """What the expression has, as soon as it is true; fails when that takes too long."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                answer = await self._call(
                    "script.evaluate", expression=expression, target={"context": self._tab}, awaitPromise=True
                )
                if value := answer.get("result", {}).get("value"):
                    return value
                await asyncio.sleep(0.1)

    async def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = json.loads((await self._socket.receive(timeout=ANSWER_SECONDS)).data)
            if message.get("method") == "log.entryAdded":
                self.console.append(str(message["params"].get("text")))
            if message.get("id") == number:
                assert message["type"] == "success", message
                return dict(message["result"])


@contextmanager
def running_firefox(profile: Path) -> Iterator[str]:
    """A Firefox of its own, without a window; where it is driven."""
    port = free_port()
    command = [str(find_firefox()), "--headless", "--no-remote", "--profile", str(profile)]
    browser = subprocess.Popen(
        [*command, "--remote-debugging-port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield f"ws://127.0.0.1:{port}/session"
    finally:
        browser.terminate()
        browser.wait(timeout=30)


@asynccontextmanager
async def tab_of(firefox: str) -> AsyncIterator[Tab]:
    """Its first tab."""
    async with aiohttp.ClientSession() as session:
        tab = Tab(await _connected(session, firefox))
        await tab.begin()
        yield tab


async def _connected(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    async with asyncio.timeout(START_SECONDS):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                return await session.ws_connect(url, max_msg_size=0)
            await asyncio.sleep(0.2)
