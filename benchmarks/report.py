"""Writes the figures of `benchmarks/results/` into docs/performance.md, between its markers, and draws its plots.

python benchmarks/report.py
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
DOCUMENT = HERE.parent / "docs" / "performance.md"
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
MARKED = "<!-- {name} -->\n{text}\n<!-- end of {name} -->"

Result = dict[str, Any]


def results(name: str) -> list[Result]:
    """Those of one script, by file name: one for each database, or one."""
    found = sorted(RESULTS.glob(f"{name}.json")) + sorted(RESULTS.glob(f"{name}-*.json"), reverse=True)
    return [json.loads(path.read_text()) for path in found]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


# --- Sections --------------------------------------------------------------------------------------------------------
def machine() -> str:
    """Of all results, each of which names its own: where they are from, when, and by which command."""
    found = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]
    described: dict[str, set[str]] = {}
    for result in found:
        for name, value in {**result.get("machine", {}), "measured on": result.get("day")}.items():
            described.setdefault(name, set()).add(str(value))
    rows = [(name, "; ".join(sorted(values - {"None"}))) for name, values in described.items()]
    commands = "\n".join(sorted({result["command"] for result in found if "command" in result}))
    return f"{table(('', ''), rows)}\n\n```sh\nmake bench    # which runs, one after the other:\n{commands}\n```"


def end_to_end() -> str:
    head = ["", "rows", "rows/s", "bare script", "of it", "usual way", "times it", "first match", "rounds"]
    rows = []
    for result in results("end_to_end"):
        for one in result["reports"]:
            bare, usual = one.get("bare"), one.get("usual")
            rows.append([
                NAMES[result["database"]],
                f"{one['rows']:,}",
                f"{one['speed']:,.0f}",
                f"{bare['speed']:,.0f}" if bare else "",
                f"{one['of_bare']:.2f}" if bare else "",
                f"{usual['speed']:,.0f}" if usual else "",
                f"{one['times_usual']:,.0f}" if usual else "",
                f"{one['first_seconds']:.2f} s",
                len(one["rounds"]),
            ])  # fmt: skip
    return table(head, rows)


def by_process(figure: str, text: Callable[[float], str]) -> str:
    """One column for each group of processes, those of the bare script last."""
    found = [(NAMES[result["database"]], one) for result in results("end_to_end") for one in result["reports"]]
    groups = list(dict.fromkeys(name for _, one in found for name in one[figure]))
    others = list(dict.fromkeys(name for _, one in found for name in one.get("bare", {figure: {}})[figure]))
    rows = []
    for database, one in found:
        cells = [one[figure].get(group) for group in groups]
        cells += [one.get("bare", {figure: {}})[figure].get(group) for group in others]
        rows.append([database, f"{one['rows']:,}", *("" if cell is None else text(cell) for cell in cells)])
    return table(["", "rows", *groups, *(f"bare: {name}" for name in others)], rows)


def cpu() -> str:
    return by_process("cpu_per_million", lambda seconds: f"{seconds:.1f}")


def memory() -> str:
    return by_process("peak", lambda size: f"{size / 2**20:.0f}")


def upstream() -> str:
    head = ["", "rows", "calls at once", "s", "bare script, s", "ratio", "ratios of the rounds"]
    rows = [
        [
            NAMES[result["database"]],
            f"{one['rows']:,}",
            one["concurrency"],
            f"{one['seconds']:.2f}",
            f"{one['bare_seconds']:.2f}",
            f"{one['ratio']:.2f}",
            " ".join(f"{ratio:.2f}" for ratio in one["ratios"]),
        ]
        for result in results("upstream")
        for one in result["reports"]
    ]
    return table(head, rows)


def others() -> str:
    """What the other scripts found out: flat records in their results, in a list or by name, are a table."""
    texts = []
    for path in sorted(RESULTS.glob("*.json")):
        if path.stem.split("-")[0] in ("end_to_end", "upstream"):
            continue
        result = json.loads(path.read_text())
        texts.append(f"### {path.stem}\n")
        if path.stem.startswith("reads"):
            texts.append(reads(result["reports"]) + "\n")
            continue
        texts += [plain_table(records) + "\n" for value in result.values() if (records := records_of(value))]
    index = RESULTS / "local_index.txt"
    if index.exists():
        texts.append(f"### local_index\n\n```\n{index.read_text().rstrip()}\n```\n")
    return "\n".join(texts).rstrip()


def reads(report: dict[str, dict[str, float]]) -> str:
    """Median milliseconds: a question a line, and a column for each way of asking it."""
    lines: dict[str, dict[str, str]] = {}
    for label, asked in report.items():
        who, _, rest = label.rpartition(": ")
        question, _, how = rest.partition(", ")
        way = ", ".join(part for part in (who, how) if part) or "page"
        lines.setdefault(question, {})[way] = f"{asked['median']:.1f}"
    ways = list(dict.fromkeys(way for line in lines.values() for way in line))
    return table(["", *ways], [[question, *(line.get(way, "") for way in ways)] for question, line in lines.items()])


def records_of(value: object) -> list[dict[str, Any]]:
    if isinstance(value, dict) and all(isinstance(one, dict) for one in value.values()):
        return [{"": name, **record} for name, record in value.items()]
    return value if isinstance(value, list) and all(isinstance(one, dict) for one in value) else []


def plain_table(records: Sequence[dict[str, Any]]) -> str:
    names = dict.fromkeys(name for record in records for name in record)
    head = [name for name in names if not any(isinstance(record.get(name), list) for record in records)]
    return table(head, [[cell(record.get(name)) for name in head] for record in records])


def cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {cell(one)}" for name, one in value.items())
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value or "")


# --- Plots -----------------------------------------------------------------------------------------------------------
def draw() -> None:
    rate, rate_axes = plt.subplots(figsize=(7, 4))
    peak, peak_axes = plt.subplots(figsize=(7, 4))
    for number, result in enumerate(results("end_to_end")):
        reports, database, colour = result["reports"], NAMES[result["database"]], f"C{number}"
        rows = [one["rows"] for one in reports]
        rate_axes.plot(rows, [one["speed"] for one in reports], "o-", color=colour, label=database)
        if all("bare" in one for one in reports):
            limit = [one["bare"]["speed"] for one in reports]
            rate_axes.plot(rows, limit, "o--", color=colour, label=f"{database}, bare script", alpha=0.6)
        for name, style in (("worker", "-"), ("file_reader", "--"), ("postcode_consumer", ":")):
            sizes = [one["peak"][name] / 2**20 for one in reports]
            peak_axes.plot(rows, sizes, f"o{style}", color=colour, label=f"{database}, {name}")
    for figure, axes, title, name in (
        (rate, rate_axes, "rows a second", "rate"),
        (peak, peak_axes, "peak memory of a process, MiB", "memory"),
    ):
        axes.set(xscale="log", xlabel="rows of the file", title=title, ylim=(0, None))
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize=8)
        figure.tight_layout()
        figure.savefig(DOCUMENT.parent / f"performance-{name}.png", dpi=110, metadata={"Software": None})


def write() -> None:
    """Everything that there are results of."""
    text = DOCUMENT.read_text()
    for section in (machine, end_to_end, cpu, memory, upstream, others):
        name = section.__name__
        marked = re.compile(rf"<!-- {name} -->.*?<!-- end of {name} -->", re.DOTALL)
        assert marked.search(text), f"{DOCUMENT} has no place for {name}"
        new = MARKED.format(name=name, text=section())
        text = marked.sub(lambda _, new=new: new, text)
    DOCUMENT.write_text(text)
    draw()


if __name__ == "__main__":
    write()
