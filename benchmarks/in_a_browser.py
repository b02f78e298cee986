"""What somebody feels who sends 2.6 million rows over the page: in a real browser, with real postcodes.

    python benchmarks/in_a_browser.py --postcodes gb_postcodes.csv.gz --index FOLDER [--database postgresql]

`--index` is the folder that `make index` has written of these postcodes. Chromium runs without a window and without a
GPU, on the same cores as the stack. Each figure has a limit of its own; it ends with 1 when one is missed.

- *preview*: from the choice of the file until the page shows how it is read.
- *frames a second*: of `requestAnimationFrame` on the page of the upload while it works, for 20 s at most, and the
  longest time between two of them.
- *map*: from the heading that says "Done" until the map has drawn all rows; and from the call of the page of a finished
  upload, in a browser that was never there, until its map is drawn.
- *weight*: what comes over the network, headers included, when a browser that was never there shows a page, in kB.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import files
from measure import Databases, new_databases, server_of, write_result
from playwright.sync_api import Browser, Page

# Both lie in tests/, which `measure` has put on the path.
from browser import real_browser  # isort: skip
from stack import Stack, running_stack, wait_for  # isort: skip

FRAMES_SECONDS = 20
#: At most, but at least so many frames.
LIMITS = {
    "preview_seconds": 1.0,
    "frames_a_second": 50.0,
    "map_seconds": 2.0,
    "map_of_a_first_visit_seconds": 2.0,
    "home_kilobytes": 200.0,
    "upload_kilobytes": 200.0,
}
#: The moments that count, as the page itself sees them, in milliseconds since it was called.
MOMENTS = """
    window.moments = {};
    const once = (name) => { window.moments[name] ??= performance.now(); };
    document.addEventListener("change", ({ target }) => { if (target.type === "file") once("chosen"); }, true);
    new MutationObserver(() => {
      const title = document.querySelector("h1")?.textContent ?? "";
      if (title.startsWith("Check ")) requestAnimationFrame(() => once("previewed"));
      if (document.querySelector(".sentence")?.textContent.startsWith("Done in")) once("done");
      // Its legend is written, and then its squares are drawn, in one go.
      if (document.querySelector("[data-legend]")?.hidden === false) requestAnimationFrame(() => once("drawn"));
    }).observe(document, { attributes: true, childList: true, subtree: true });
    const json = Response.prototype.json;
    Response.prototype.json = async function () {
      const found = await json.call(this);
      const isWhole = found.cells?.every((cell) => !cell.at(-1));
      if (isWhole && window.moments.done) requestAnimationFrame(() => requestAnimationFrame(() => once("whole")));
      return found;
    };
"""
FRAMES = """(seconds) => new Promise((told) => {
    const began = performance.now();
    let frames = 0, before = began, longest = 0;
    const frame = (now) => {
      frames += 1;
      longest = Math.max(longest, now - before);
      before = now;
      if (now - began > seconds * 1000 || window.moments.done) told({ frames, longest, seconds: (now - began) / 1000 });
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
})"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postcodes", type=Path, required=True)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=2_634_087)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, server_of(options.database) as server:
        file = Path(folder) / "stops.csv"
        files.write_locations(file, options.rows, files.read_places(options.postcodes))
        with (
            new_databases(server, Path(folder)) as databases,
            whole_stack(folder, options.index, databases) as stack,
            real_browser() as browser,
        ):
            found = measured(browser, stack, file)
        print(f"{options.rows:,} rows, {file.stat().st_size / 1e6:.0f} MB, {options.database}\n")
        wrong = [name for name, most in LIMITS.items() if (found[name] < most) == (name == "frames_a_second")]
        for name, value in found.items():
            limit = f"{LIMITS[name]:>8g}" if name in LIMITS else ""
            print(f"{name:<32} {value:>8.2f} {limit}{'  missed' if name in wrong else ''}")
        if options.json:
            write_result(options.json, [found], server=server, rows=options.rows, database=options.database)
    return int(bool(wrong))


@contextmanager
def whole_stack(folder: str, index: Path, databases: Databases) -> Iterator[Stack]:
    settings = {"PROVIDER": "local", "LOCAL_INDEX": str(index.resolve()), **databases.environment}
    with running_stack(Path(folder) / "data", **settings) as stack:
        yield stack


@contextmanager
def new_visitor(browser: Browser) -> Iterator[tuple[Page, list[int]]]:
    """A page of a browser with nothing in its cache, and the bytes of each of its answers."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(MOMENTS)
    network, sizes = context.new_cdp_session(page), []
    network.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    network.send("Network.enable")
    yield page, sizes
    context.close()


def measured(browser: Browser, stack: Stack, file: Path) -> dict[str, float]:
    with new_visitor(browser) as (page, sizes):
        page.goto(stack.url)
        page.wait_for_load_state("networkidle")
        found = {"home_kilobytes": sum(sizes) / 1_000}
        page.set_input_files("#file", file)
        found["preview_seconds"] = moment(page, "previewed") - moment(page, "chosen")
        page.get_by_role("button", name="Get postcodes").first.click()
        page.wait_for_url("**/uploads/**")
        frames = page.evaluate(FRAMES, FRAMES_SECONDS)
        found["frames_a_second"] = frames["frames"] / frames["seconds"]
        found["frames_were_counted_for_seconds"] = frames["seconds"]
        found["longest_frame_milliseconds"] = frames["longest"]
        found["map_seconds"] = moment(page, "whole") - moment(page, "done")
        upload = page.url
    with new_visitor(browser) as (page, sizes):
        page.goto(upload)
        found["map_of_a_first_visit_seconds"] = moment(page, "drawn")
        page.wait_for_load_state("networkidle")
        found["upload_kilobytes"] = sum(sizes) / 1_000
    return found


def moment(page: Page, name: str) -> float:
    """When that was, in seconds since the page was called. The policy of the pages forbids Playwright's own waiting."""
    found = wait_for(lambda: page.evaluate(f"window.moments.{name}"), name, seconds=300)
    return float(found) / 1_000


if __name__ == "__main__":
    sys.exit(main())
