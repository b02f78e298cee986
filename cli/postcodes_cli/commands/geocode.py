"""`postcodes geocode`: from a file of coordinates to a file with postcodes."""

import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from postcodes_cli import embedded
from postcodes_cli.answers import FORMATS, Upload
from postcodes_cli.app import App, Command, pass_app
from postcodes_cli.columns import check_columns
from postcodes_cli.geocoding import Job, Run, code_of
from postcodes_cli.progress import progress_of
from postcodes_cli.sources import find, targets
from postcodes_cli.summary import document_of, lines_of

_EXAMPLES = """\
postcodes geocode points.csv                      writes points.postcodes.csv beside it
postcodes geocode points.csv -o out.geojson       in another format, told by the name
postcodes geocode *.csv -o results/               many files, one summary
postcodes geocode points.csv --latitude y --longitude x
postcodes geocode - < points.csv > out.csv        from standard input to standard output
postcodes geocode points.csv --columns name,result_postcode -o -
postcodes geocode points.csv --detach             sends it, prints its ID, and ends
postcodes geocode points.csv --serve              needs no server: starts one, which ends with the command
"""


def reading_options(function: Any) -> Any:
    """The options that say how a file is written, where the service shall not find out by itself."""
    options = (
        click.option("--latitude", metavar="COLUMN", help="Name, or number from 1, of the column; also of northings."),
        click.option("--longitude", metavar="COLUMN", help="Name, or number from 1, of the column; also of eastings."),
        click.option("--header/--no-header", "has_header", default=None, help="Whether the first record is a header."),
        click.option("--delimiter", metavar="D", help="comma, semicolon, tab, pipe, space, or one character."),
        click.option("--quoting", type=click.Choice(["quotes", "none"]), help="Whether cells may stand in quotes."),
        click.option("--encoding", metavar="NAME", help="utf-8, utf-16, windows-1252, iso-8859-1 …"),
        click.option("--decimal", type=click.Choice([".", ","]), help="The decimal sign."),
        click.option("--coordinates", metavar="NOTATION", help="degrees, osgb36, wkt … (docs/files.md has all)."),
        click.option("--sheet", metavar="SHEET", help="Of a workbook: a name, a number from 1, or * for all alike."),
    )
    for option in reversed(options):
        function = option(function)
    return function


serve_option = click.option(
    "--serve",
    is_flag=True,
    help="By a server of its own on this machine, at free ports of loopback, which ends with the command.",
)


@click.command("geocode", cls=Command, examples=_EXAMPLES, short_help="Give every row of a file its UK postcode.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=click.Path(),
    help="The result: a file, a folder for the results of many (it is made if it is not there), or - for standard"
    " output. If not given: points.csv → points.postcodes.csv beside it; of standard input: standard output.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), help="If not given: told by OUT's name, else csv.")
@click.option("--columns", metavar="NAMES", help="Only these columns, with commas between, in this order.")
@reading_options
@click.option("--max-distance", type=float, metavar="M", help="No postcode further away, in metres; 2000 if not given.")
@click.option("--webhook-url", metavar="URL", help="Whom the server tells when it has ended.")
@click.option("--compress", is_flag=True, help="Pack the file by gzip on its way: for slow lines.")
@click.option("--detach", is_flag=True, help="Send, print the ID, and end. The same line without it takes the result.")
@click.option("--again", is_flag=True, help="Send the file even if the same was sent before.")
@click.option("--strict", is_flag=True, help="Exit code 3 for rejected rows, too.")
@click.option("--force", is_flag=True, help="Write over OUT if it is there.")
@serve_option
@pass_app
def geocode(
    app: App,
    /,
    files: tuple[str, ...],
    output: str | None,
    form: str | None,
    columns: str | None,
    compress: bool,
    detach: bool,
    again: bool,
    strict: bool,
    force: bool,
    serve: bool,
    **options: Any,
) -> int:
    """Give every row of FILE its UK postcode.

    FILE is a CSV, a workbook, GeoJSON, GPX, KML …, also in gzip or zip; - is standard input. The columns are found by
    themselves; `postcodes preview FILE` shows what would be read.

    The same line again goes on where it was: a file that is at the server is not sent again, and of a download that
    broke off only the rest is fetched. Ctrl-C does not end the work at the server.

    \b
    Exit codes:
      0  every row was answered       4  key missing or refused
      1  something unexpected         5  server not reachable, or too busy
      2  wrong usage                  6  file refused, or upload failed or cancelled
      3  rows failed                  130  Ctrl-C
    Of many files it is the most serious: 1, then 2, 6, 3.
    """
    sources, left_out = find(files)
    form = form or _told_by(output) or "csv"
    where = targets(sources, output, form)
    if serve and (detach or app.server_option):
        raise click.UsageError(
            "The server of --serve ends with the command: neither --server nor --detach goes with it"
        )
    if serve:
        app.server_option = embedded.local_server()
    if app.as_json and where == [None] and not detach:
        raise click.UsageError("--json and the result would both be on standard output: pass -o FILE")
    for name in left_out:
        app.say(f"Left out: {name}, which is a result")
    wanted = {name: value for name, value in options.items() if value is not None}
    jobs = [Job.of(app, source, target, wanted) for source, target in zip(sources, where, strict=True)]
    for job in jobs:
        if job.target and job.target.exists() and not (force or detach or job.known.is_written(job.target)):
            raise click.UsageError(
                f"{job.target} is there already, and not the result of this line: --force, or -o OUT"
            )
    with embedded.server_for(app) if serve else nullcontext(), app.client() as client, progress_of(app) as progress:
        run = Run(
            client,
            progress,
            jobs,
            wanted,
            form,
            columns,
            sys.stdout.buffer,
            compress=compress,
            again=again,
            force=force,
            strict=strict,
            detach=detach,
        )
        try:
            if columns is not None:
                new = [job for job in jobs if again or not job.known.upload]  # of others the server says it at once
                check_columns(client, columns, new, wanted)
            run.all()
        except KeyboardInterrupt:
            _say_it_goes_on(app, jobs)
            raise
        if not detach:
            _wait_for_reasons(client, jobs)
    _tell(app, run)
    return code_of(jobs)


def _told_by(output: str | None) -> str | None:
    suffix = Path(output).suffix.lstrip(".").lower() if output else ""
    return suffix if suffix in FORMATS else None


def _tell(app: App, run: Run) -> None:
    if app.as_json:
        app.give({"files": [document_of(job) for job in run.jobs]})
    for job in run.jobs:
        if job.error is not None:
            app.say(*lines_of(job), error=True)
        elif run.detach and job.upload:
            if not app.as_json:
                click.echo(job.upload["id"])
            app.say(f"{job.source.name} is at the server. Follow it: postcodes uploads watch {job.upload['id']}")
        else:
            app.say(*lines_of(job))
    if app.address:
        app.say("The server has ended. For more of what it knows: postcodes serve")
    if len(run.jobs) > 1 and not run.detach:
        _tell_all(app, run.jobs)


def _tell_all(app: App, jobs: list[Job]) -> None:
    uploads = [job.upload for job in jobs if job.upload and job.error is None]
    counts = {name: sum(upload["rows"][name] for upload in uploads) for name in ("read", "matched", "failed")}
    bad = sum(1 for job in jobs if job.code)
    told = f"{len(jobs)} files: {counts['read']:,} rows, {counts['matched']:,} match, {counts['failed']:,} failed"
    app.say(told + (f"; {bad} of the files need a look" if bad else ""))


def _say_it_goes_on(app: App, jobs: list[Job]) -> None:
    uploads: list[Upload] = [job.upload for job in jobs if job.upload and not job.ended]
    if not uploads or app.address:
        app.say("Stopped. The same line again goes on where it was.", error=True)
        return
    for upload in uploads:
        app.say(f"The upload goes on at the server. Follow it: postcodes uploads watch {upload['id']}", error=True)


def _wait_for_reasons(client: Any, jobs: list[Job]) -> None:
    """Why rows have no postcode is known soon after the end; for what is not there within a second nobody waits."""
    until = time.monotonic() + 1.0
    for job in jobs:
        while (upload := job.upload) and job.error is None and upload["reasons"] is None:
            if upload["rows"]["read"] == upload["rows"]["matched"] or time.monotonic() > until:
                break
            time.sleep(0.1)
            job.upload = client.state(upload["id"])
