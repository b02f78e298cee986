"""`lookup`, `postcode`, `preview`: questions that leave nothing behind."""

import csv
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from typing import Any

import click

from postcodes_cli import embedded, failures
from postcodes_cli.app import App, Command, begun, existing_file, pass_app, table_of
from postcodes_cli.commands.geocode import reading_options, serve_option

_LOOKUP_EXAMPLES = """\
postcodes lookup 51.501009 -0.141588
postcodes lookup 51.501009,-0.141588 --json
printf '51.501009,-0.141588\\n55.9479,-3.1991\\n' | postcodes lookup -
postcodes lookup --file pairs.txt --max-distance 500
"""
_SHOWN = ("latitude", "longitude", "status", "postcode", "distance_m", "reason")


@click.command(
    "lookup",
    cls=Command,
    examples=_LOOKUP_EXAMPLES,
    short_help="Find the postcode of one location, or of a few lines.",
    # A negative longitude is no option.
    context_settings={"ignore_unknown_options": True},
)
@click.argument("location", nargs=-1, metavar="LAT LON | -")
@click.option("--file", "file_name", metavar="F", type=click.Path(), help="A file with a line LAT,LON for each.")
@click.option("--max-distance", type=float, metavar="M", help="No postcode further away, in metres; 2000 if not given.")
@pass_app
def lookup(app: App, /, location: tuple[str, ...], file_name: str | None, max_distance: float | None) -> int:
    """Find the postcode that is nearest to LAT LON, in degrees.

    - reads lines LAT,LON from standard input; the answers are CSV in the same order, with --json a document in each
    line. Exit code 3 when a location could not be answered.
    """
    if bool(location) == bool(file_name):
        raise click.UsageError("Pass one location (LAT LON), or - for standard input, or --file F")
    if file_name or location == ("-",):
        with existing_file(file_name).open() if file_name else sys.stdin as lines, app.client() as client:
            return _many(app, client.lookup_many(_locations(lines), max_distance=max_distance))
    parts = [part for text in location for part in text.replace(",", " ").split()]
    if len(parts) != 2:
        raise click.UsageError(f"A location is LAT LON, such as 51.501009 -0.141588, and not {' '.join(location)}")
    with app.client() as client:
        found = client.lookup(*(_number(part) for part in parts), max_distance=max_distance)
    if app.as_json:
        app.give(found)
    elif found["status"] == "match":
        click.echo(found["postcode"])
        app.say(f"{found['distance_m']:g} m away, {(found['postcode_details'] or {}).get('admin_district') or '?'}")
    else:
        app.say(f"{found['status'].replace('_', ' ')}: {(found['reason'] or '').replace('_', ' ')}", error=True)
    return failures.INCOMPLETE if found["status"] == "failed" else failures.OK


def _many(app: App, answers: Iterable[Any]) -> int:
    code = failures.OK
    table = csv.writer(sys.stdout, lineterminator="\n")
    answers = begun(answers)
    if not app.as_json:
        table.writerow(_SHOWN)
    for found in answers:
        if found["status"] == "failed":
            code = failures.INCOMPLETE
        if app.as_json:
            app.give_line(found)
        else:
            table.writerow("" if found[name] is None else found[name] for name in _SHOWN)
    return code


def _locations(lines: Iterable[str]) -> Iterator[tuple[float, float]]:
    for number, line in enumerate(lines, 1):
        parts = line.replace(",", " ").split()
        if not parts:
            continue
        if len(parts) != 2:
            raise click.UsageError(f"Line {number} is not LAT,LON: {line.strip()}. For tables: postcodes geocode")
        yield _number(parts[0]), _number(parts[1])


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"{text} is no number of degrees, such as 51.501009 or -0.141588") from None


@click.command(
    "postcode",
    cls=Command,
    examples='postcodes postcode "SW1A 1AA"\npostcodes postcode sw1a1aa --json',
    short_help="Show what is known about a postcode.",
)
@click.argument("postcode", nargs=-1, required=True, metavar="POSTCODE")
@pass_app
def postcode_command(app: App, /, postcode: tuple[str, ...]) -> None:
    """Show where POSTCODE is, and how many of your rows have it."""
    with app.client() as client:
        known = client.postcode(" ".join(postcode))
    if app.as_json:
        app.give(known)
    else:
        app.show(table_of(("", ""), ((name.replace("_", " "), value) for name, value in known.items())))


@click.command(
    "preview",
    cls=Command,
    examples="postcodes preview points.csv\npostcodes preview points.csv --latitude y --longitude x\n"
    "postcodes preview points.csv --serve     needs no server",
    short_help="Show how a file would be read; nothing is stored.",
)
@click.argument("file_name", metavar="FILE", type=click.Path())
@reading_options
@serve_option
@pass_app
def preview(app: App, /, file_name: str, serve: bool, **options: Any) -> None:
    """Show how FILE would be read: what was found out, and the first rows. Nothing is stored."""
    path = existing_file(file_name)
    if serve and app.server_option:
        raise click.UsageError("--serve starts a server of its own: --server does not go with it")
    with embedded.server_for(app) if serve else nullcontext(), app.client() as client:
        shown = client.preview(path, **{name: value for name, value in options.items() if value is not None})
    if app.as_json:
        app.give(shown)
        return
    dialect = shown["dialect"]
    names = ("format", "delimiter", "encoding", "has_header", "decimal", "latitude", "longitude", "coordinates")
    found = [(name.replace("_", " "), dialect.get(name)) for name in names]
    if shown["sure"] is not None:
        found.append(("rows with coordinates", f"{shown['sure']:.0%} of the first {shown['looked_at']['rows']:,}"))
    app.show(table_of(("", ""), found))
    columns = ("row", "latitude", "longitude", "reason", *shown["columns"])
    rows = [(row["row"], row["latitude"], row["longitude"], row["reason"], *row["fields"]) for row in shown["rows"]]
    app.show(table_of(columns, (row[: len(columns)] for row in rows)))
    for warning in shown["warnings"]:
        app.say(f"Note: {warning['detail']}", *failures.options_of(warning))
    if shown["error"]:
        app.say(f"Not all can be read: {shown['error'].get('detail')}", error=True)
