"""Draws Architecture.png from Architecture.toml, which stands beside it."""

import tomllib
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

ROOT = Path(__file__).resolve().parent.parent
_INK = "#1f2933"
_STYLES = {
    "service": {"facecolor": "#e3f0fb", "edgecolor": "#2b6cb0", "linewidth": 1.8},
    "store": {"facecolor": "#fdf3dc", "edgecolor": "#b7791f", "linewidth": 1.5},
    "outside": {"facecolor": "#f1f3f5", "edgecolor": "#868e96", "linewidth": 1.5, "linestyle": "--"},
}


def draw_box(axes: Axes, box: dict[str, Any]) -> FancyBboxPatch:
    (x, y), (width, height) = box["at"], box["size"]
    patch = FancyBboxPatch(
        (x - width / 2, y - height / 2),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.18",
        zorder=2,
        **_STYLES[box["style"]],
    )
    axes.add_patch(patch)
    lines = box["detail"].count("\n") + 1
    top = y - 0.19 * lines
    axes.text(x, top, box["text"], ha="center", va="center", fontsize=12.5, weight="bold", color=_INK, zorder=3)
    axes.text(x, top + 0.32, box["detail"], ha="center", va="top", fontsize=9.5, color=_INK, zorder=3, linespacing=1.35)
    return patch


def draw_arrow(axes: Axes, arrow: dict[str, Any], patches: dict[str, FancyBboxPatch], at: dict[str, Any]) -> None:
    axes.add_patch(
        FancyArrowPatch(
            at[arrow["from"]],
            at[arrow["to"]],
            patchA=patches[arrow["from"]],
            patchB=patches[arrow["to"]],
            connectionstyle=f"arc3,rad={arrow.get('bend', 0)}",
            arrowstyle="-|>",
            mutation_scale=16,
            linewidth=1.5,
            color=_INK,
            zorder=1,
        )
    )
    if text := arrow.get("text"):
        here, there = at[arrow["from"]], at[arrow["to"]]
        x, y = arrow.get("label_at", [(here[0] + there[0]) / 2 - 0.3, (here[1] + there[1]) / 2 - 0.25])
        axes.text(x, y, text, ha="center", va="center", fontsize=9.5, color=_INK, style="italic", zorder=4)


def main() -> None:
    drawing = tomllib.loads((ROOT / "Architecture.toml").read_text(encoding="utf-8"))
    canvas = drawing["canvas"]
    figure, axes = plt.subplots(figsize=(canvas["width"] * 0.8, canvas["height"] * 0.8))
    axes.set_xlim(0, canvas["width"])
    axes.set_ylim(canvas["height"], 0)
    axes.axis("off")
    axes.text(canvas["width"] / 2, 0.55, canvas["title"], ha="center", fontsize=16, weight="bold", color=_INK)
    patches = {box["id"]: draw_box(axes, box) for box in drawing["box"]}
    at = {box["id"]: box["at"] for box in drawing["box"]}
    for arrow in drawing["arrow"]:
        draw_arrow(axes, arrow, patches, at)
    figure.savefig(
        ROOT / "Architecture.png",
        dpi=110,
        bbox_inches="tight",
        facecolor="white",
        metadata={"Software": ""},
    )


if __name__ == "__main__":
    main()
