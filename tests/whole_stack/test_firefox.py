"""The pages in a browser of another make: from a file to the rows of a reason."""

import asyncio
from pathlib import Path

from firefox import running_firefox, tab_of
from stack import running_stack

HEADING = "document.querySelector('h1').textContent"


def test_a_file_becomes_postcodes_in_firefox(tmp_path: Path) -> None:
    file = tmp_path / "stops.csv"
    file.write_text("name,lat,lon\nPalace,51.501009,-0.141588\nNull Island,0,0\nnowhere,,\n")
    (tmp_path / "profile").mkdir()

    async def send_and_look(firefox: str, url: str) -> None:
        async with tab_of(firefox) as tab:
            await tab.open(url)
            await tab.choose("#file", file)
            assert await tab.shown(f"{HEADING}.startsWith('Check') && {HEADING}") == "Check stops.csv"
            assert await tab.shown("document.querySelectorAll('[data-map] canvas').length") == 1
            await tab.shown("document.querySelector('[data-send-now]').click() || true")
            await tab.shown("document.querySelector('#state')?.innerText.includes('33.3 % of 3 rows have a postcode')")
            await tab.shown("document.querySelectorAll('#rows tbody tr').length == 3")
            reason = "document.querySelector('.reason a')"
            assert await tab.shown(f"{reason}?.textContent") == "Outside the United Kingdom"
            await tab.shown(f"{reason}.click() || true")
            await tab.shown("document.querySelectorAll('#rows tbody tr').length == 1")
            assert tab.console == []

    with running_stack(tmp_path / "stack", WORKERS="1") as stack, running_firefox(tmp_path / "profile") as firefox:
        asyncio.run(send_and_look(firefox, stack.url))
