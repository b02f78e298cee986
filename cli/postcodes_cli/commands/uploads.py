"""`uploads` and `rows`: what has become of files that were sent."""

import csv
import itertools
import sys
import uuid
from pathlib import Path
from typing import Any

import click

from postcodes_cli import failures
from postcodes_cli.answers import ENDED, FORMATS, Upload
from postcodes_cli.app import App, Command, Group, begun, pass_app, table_of
from postcodes_cli.errors import UploadEndedError
from postcodes_cli.progress import progress_of, short


def _checked(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    """The ID of an upload as the server writes it. Raises UsageError."""
    try:
        return given and str(uuid.UUID(given))
    except ValueError:
        raise click.UsageError(f"{given} is not the ID of an upload: `postcodes uploads list` shows them") from None


_ID = click.argument("upload_id", metavar="ID", callback=_checked)
_LISTED = 20


@click.group(
    "uploads",
    cls=Group,
    examples="postcodes uploads list\npostcodes uploads watch ID\npostcodes uploads download ID -o out.csv",
    short_help="List, watch, download, cancel … what was sent.",
)
def uploads() -> None:
    """The files that were sent, and what has become of them."""


@uploads.command("list", examples="postcodes uploads list\npostcodes uploads list --state done --all --json")
@click.option("--state", type=click.Choice(["received", "loading", "geocoding", *ENDED]), help="Only these.")
@click.option("--all", "everything", is_flag=True, help=f"Not only the newest {_LISTED}.")
@pass_app
def list_uploads(app: App, /, state: str | None, everything: bool) -> None:
    """Your uploads, newest first. With --json, one in each line."""
    with app.client() as client:
        wanted = (upload for upload in client.uploads() if state in (None, upload["state"]))
        found = itertools.islice(wanted, None if everything else _LISTED)
        if app.as_json:
            for upload in found:
                app.give_line(upload)
            return
        rows = [
            (
                one["id"],
                one["state"],
                f"{one['progress']:.0%}",
                one["filename"],
                short(one["rows"]["read"]),
                one["created_at"][:16],
            )
            for one in found
        ]
    names = ("id", "state", "done", "file", "rows", "created (UTC)")
    # The id is there to be copied; a narrow terminal shows the first of these only.
    app.show(table_of(names, rows, whole=("id", "state", "done")))


def _show(app: App, upload: Upload) -> None:
    if app.as_json:
        app.give(upload)
        return
    names = ("id", "filename", "state", "created_at", "finished_at", "max_distance")
    facts: list[tuple[str, object]] = [(name.replace("_", " "), upload[name]) for name in names]  # type: ignore[literal-required]
    facts += [(f"rows {name.replace('_', ' ')}", f"{count:,}") for name, count in upload["rows"].items()]
    if upload["paused"]:
        facts.append(("paused", "yes"))
    if waiting := upload["waiting"]:
        facts.append(("waiting", f"since {waiting['since']}: {waiting['detail']}"))
    if error := upload["error"]:
        facts.append(("error", error.get("detail")))
    app.show(table_of(("", ""), facts))


@uploads.command("show", examples="postcodes uploads show ID --json")
@_ID
@pass_app
def show(app: App, /, upload_id: str) -> None:
    """Show one upload as it is now."""
    with app.client() as client:
        _show(app, client.state(upload_id))


@uploads.command("watch", examples="postcodes uploads watch ID\npostcodes uploads watch ID --json")
@_ID
@pass_app
def watch(app: App, /, upload_id: str) -> int:
    """Follow an upload to its end. Exit codes as of `geocode`."""
    with app.client() as client, progress_of(app) as progress:
        progress.begin(upload_id)
        for upload in client.watch(upload_id, interval=progress.interval, every_look=not app.as_json):
            last = upload
            if app.as_json:
                app.give_line(upload)
            else:
                progress.geocoding(upload)
    if last["state"] != "done":
        raise UploadEndedError(last)
    app.say(f"Done: {last['rows']['read']:,} rows. Take the result: postcodes uploads download {upload_id}")
    return failures.INCOMPLETE if last["rows"]["failed"] else failures.OK


@uploads.command("download", examples="postcodes uploads download ID\npostcodes uploads download ID -o out.geojson")
@_ID
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=click.Path(),
    help="A file, or - for standard output; if not given, named after the file.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), help="If not given: told by OUT's name, else csv.")
@click.option("--columns", metavar="NAMES", help="Only these columns, with commas between, in this order.")
@click.option("--force", is_flag=True, help="Write over OUT if it is there.")
@pass_app
def download(
    app: App, /, upload_id: str, output: str | None, form: str | None, columns: str | None, force: bool
) -> None:
    """Take the result of an upload, at its end or on the way. What broke off goes on."""
    suffix = Path(output or "").suffix.lstrip(".")
    form = form or (suffix if suffix in FORMATS else "csv")
    with app.client() as client, progress_of(app) as progress:
        upload = client.state(upload_id)
        if output == "-":
            for piece in client.result(upload_id, format=form, columns=columns, progress=progress.receiving):
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return
        target = Path(output or f"{Path(upload['filename']).stem}.postcodes.{form}")
        if target.exists() and not force:
            raise click.UsageError(f"{target} is there already. Write over it: --force")
        progress.begin(target.name)
        client.download(upload, target, format=form, columns=columns, progress=progress.receiving)
    app.say(f"Written to {target}")


def _telling(name: str, text: str) -> None:
    @uploads.command(name, help=text, examples=f"postcodes uploads {name} ID")
    @_ID
    @pass_app
    def tell(app: App, /, upload_id: str) -> None:
        with app.client() as client:
            _show(app, getattr(client, name)(upload_id))


_telling("pause", "Have nothing more of an upload begun.")
_telling("resume", "Go on with a paused upload.")
_telling("cancel", "End the work on an upload; answers that are there stay.")
_telling("retry", "Put the failed rows of an upload back to work.")


@uploads.command("delete", examples="postcodes uploads delete ID --yes")
@_ID
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def delete(app: App, /, upload_id: str, yes: bool) -> None:
    """Remove an upload for good, with its rows and its file."""
    if not yes:
        click.confirm(f"Remove {upload_id} and its rows for good?", abort=True, err=True)
    with app.client() as client:
        client.delete(upload_id)
    app.say("Removed")


_ROW_COLUMNS = (
    "upload",
    "row",
    "latitude",
    "longitude",
    "status",
    "reason",
    "postcode",
    "distance_m",
    "admin_district",
    # Of rejected rows: where they stand in the file, and what.
    "line",
    "raw",
)
_ROWS_EXAMPLES = """\
postcodes rows --postcode "SW1A 1AA"
postcodes rows --upload ID --status rejected
postcodes rows --near 51.5,-0.12 --radius 500 --all > near.csv
"""


@click.command("rows", cls=Command, examples=_ROWS_EXAMPLES, short_help="Find rows of all uploads, or of one.")
@click.option("--upload", "upload_id", metavar="ID", callback=_checked, help="Of one upload.")
@click.option("--status", help="match, no_match, failed, rejected or pending.")
@click.option("--reason", metavar="R", help="Why there is no postcode, such as outside_uk.")
@click.option("--postcode", metavar="P", help="With this postcode.")
@click.option("--outcode", metavar="O", help="With this outcode, such as SW1A.")
@click.option("--admin-district", metavar="NAME", help="The whole name of the district.")
@click.option("--country", metavar="NAME", help="The whole name of the country.")
@click.option("--bbox", metavar="BOX", help="minlon,minlat,maxlon,maxlat in degrees.")
@click.option("--near", metavar="LAT,LON", help="In a circle around; with --radius.")
@click.option("--radius", metavar="M", help="In metres, with --near.")
@click.option("--all", "everything", is_flag=True, help="All of them; 100 if not given.")
@pass_app
def rows(app: App, /, upload_id: str | None, everything: bool, **filters: Any) -> None:
    """Find rows by what is asked, as CSV; with --json, one document in each line.

    Of a rejected row, `line` is where it stands in the file, and `raw` is what stands there.
    """
    with app.client() as client:
        rows = itertools.islice(client.rows(upload_id, **filters), None if everything else 101)
        table = csv.writer(sys.stdout, lineterminator="\n")
        found = begun(rows)
        if not app.as_json:
            table.writerow(_ROW_COLUMNS)
        for number, row in enumerate(found):
            if number == 100 and not everything:
                app.say("There are more: --all")
                break
            if app.as_json:
                app.give_line(row)
            else:
                table.writerow("" if row.get(name) is None else row.get(name) for name in _ROW_COLUMNS)
