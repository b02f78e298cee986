"""Draws Architecture.png: the services, their rooms, and what goes between them. `make architecture` runs it.

Boxes have the x and y of their upper left corner, width and height, in the units of the canvas; y grows downwards.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

ROOT = Path(__file__).resolve().parent.parent
_WIDTH, _HEIGHT = 19.6, 14.0
_INK = "#1f2933"
_SERVICE: dict[str, Any] = {"facecolor": "#e3f0fb", "edgecolor": "#2b6cb0", "linewidth": 1.8}
_ROOM: dict[str, Any] = {"facecolor": "#ffffff", "edgecolor": "#2b6cb0", "linewidth": 1.1}
_STORE: dict[str, Any] = {"facecolor": "#fdf3dc", "edgecolor": "#b7791f", "linewidth": 1.5}
_OUTSIDE: dict[str, Any] = {"facecolor": "#f1f3f5", "edgecolor": "#868e96", "linewidth": 1.5, "linestyle": "--"}

Box = tuple[float, float, float, float]
Point = tuple[float, float]

#: The way of a file through file_reader, and that of a lookup through postcode_consumer: room, and its work.
FILE_ROOMS = (
    ("accepting", "a body, an address\nor a source → 202"),
    ("files", "hashed, synced,\nunder a lock"),
    ("work", "in workers, by turns:\nload, ask, write"),
    ("rows", "in bulk; found by\nfilter and page"),
    ("results", "the file again,\nwith answers"),
)
LOOKUP_ROOMS = (
    ("web", "HTTP → lookup\n→ HTTP"),
    ("lookup", "distinct,\nin the UK"),
    ("memory", "known, claimed,\nremembered"),
    ("politeness", "slots, limiter,\nretry, breaker"),
    ("providers", "postcodes_io,\nlocal, sandbox"),
)


def draw_box(axes: Axes, box: Box, style: dict[str, Any], title: str, detail: str = "", *, size: float = 12.5) -> None:
    """A box; its title is in its middle, or at its top above the detail."""
    x, y, width, height = box
    axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=0.14", zorder=2, **style))
    middle, lines = x + width / 2, detail.count("\n") + 1 if detail else 0
    top = y + height / 2 - 0.17 * lines
    axes.text(middle, top, title, ha="center", va="center", fontsize=size, weight="bold", color=_INK, zorder=4)
    axes.text(middle, top + 0.24, detail, ha="center", va="top", fontsize=9, color=_INK, zorder=4, linespacing=1.3)


def draw_service(axes: Axes, box: Box, title: str, detail: str) -> None:
    """A large box with its words at its top, which leaves the rest to its rooms."""
    x, y, width, height = box
    axes.add_patch(
        FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=0.2", zorder=1, **_SERVICE)
    )
    axes.text(x + 0.3, y + 0.42, title, ha="left", va="center", fontsize=13, weight="bold", color=_INK, zorder=4)
    axes.text(x + width - 0.3, y + 0.42, detail, ha="right", va="center", fontsize=9.5, color=_INK, zorder=4)


def draw_arrow(axes: Axes, *points: Point, text: str = "", at: Point = (0, 0)) -> None:
    """An arrow along these points, with its words around `at`."""
    for here, there in pairwise(points[:-1]):
        axes.plot(*zip(here, there, strict=True), linewidth=1.4, color=_INK, zorder=3)
    head = FancyArrowPatch(
        *points[-2:], shrinkA=0, shrinkB=0, arrowstyle="-|>", mutation_scale=14, linewidth=1.4, color=_INK, zorder=3
    )
    axes.add_patch(head)
    axes.text(*at, text, ha="center", va="center", fontsize=9.5, color=_INK, style="italic", zorder=5)


def draw_rooms(axes: Axes, rooms: tuple[tuple[str, str], ...], x: float, y: float) -> None:
    """Rooms from left to right, with an arrow from each to the next."""
    width, height, step = 2.9, 1.45, 3.45
    for number, (title, detail) in enumerate(rooms):
        left = x + number * step
        draw_box(axes, (left, y, width, height), _ROOM, title, detail, size=11)
        if number:
            draw_arrow(axes, (left - step + width, y + height / 2), (left, y + height / 2))


def main() -> None:
    figure, axes = plt.subplots(figsize=(_WIDTH * 0.75, _HEIGHT * 0.75))
    axes.set_xlim(0, _WIDTH)
    axes.set_ylim(_HEIGHT, 0)
    axes.axis("off")
    title = "Every row of a coordinate file gets its UK postcode"
    axes.text(_WIDTH / 2, 0.4, title, ha="center", va="center", fontsize=16, weight="bold", color=_INK)

    draw_box(axes, (0.3, 1.0, 4.6, 1.4), _OUTSIDE, "people · CLI · programs", "a file in, a file with postcodes out")
    draw_box(
        axes, (7.2, 1.0, 5.6, 1.4), _SERVICE, "gateway  :8080", "routes · keys · limits · places · events · spools"
    )
    draw_arrow(axes, (4.9, 1.7), (7.2, 1.7), text="HTTP", at=(6.0, 1.45))

    beside = "the way of a file; beside it: web (API, pages), admin, reading"
    draw_service(axes, (0.3, 3.3, 17.6, 2.7), "file_reader  :8000", beside)
    draw_rooms(axes, FILE_ROOMS, 0.6, 4.2)
    draw_box(axes, (3.8, 7.0, 3.4, 1.3), _STORE, "disk", "the uploaded files")
    draw_box(
        axes, (9.8, 7.0, 5.2, 1.3), _STORE, "SQLite | PostgreSQL", "uploads · chunks · rows · index · keys · audit"
    )
    draw_box(axes, (15.4, 7.0, 2.9, 1.3), _OUTSIDE, "webhooks", "told of the end")
    draw_arrow(axes, (16.85, 6.0), (16.85, 7.0))
    draw_arrow(axes, (10.0, 2.4), (10.0, 3.3), text="uploads, rows, results, admin", at=(7.5, 2.85))
    draw_arrow(axes, (5.5, 5.65), (5.5, 7.0))
    draw_arrow(axes, (12.4, 5.65), (12.4, 7.0))

    draw_service(axes, (0.3, 9.1, 17.6, 2.7), "postcode_consumer  :7000", "the way of a lookup; beside it: index")
    draw_rooms(axes, LOOKUP_ROOMS, 0.6, 10.0)
    draw_box(
        axes, (7.2, 12.6, 6.6, 1.2), _STORE, "SQLite | PostgreSQL", "known locations · claims · limiter (or Redis)"
    )
    draw_box(axes, (14.3, 12.6, 3.6, 1.2), _OUTSIDE, "postcodes.io", "≤ 100 locations a call")
    draw_arrow(axes, (8.95, 5.65), (8.95, 9.1), text="≤ 5,000 locations,\nin columns", at=(10.35, 8.7))
    draw_arrow(
        axes,
        (12.8, 1.7),
        (18.9, 1.7),
        (18.9, 8.6),
        (14.0, 8.6),
        (14.0, 9.1),
        text="single and bulk lookups, admin",
        at=(15.9, 1.45),
    )
    draw_arrow(axes, (8.95, 11.45), (8.95, 12.6))
    draw_arrow(axes, (12.4, 11.45), (12.4, 12.6))
    draw_arrow(axes, (16.1, 11.45), (16.1, 12.6))
    figure.savefig(
        ROOT / "Architecture.png", dpi=110, bbox_inches="tight", facecolor="white", metadata={"Software": ""}
    )


if __name__ == "__main__":
    main()
