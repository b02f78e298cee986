"""What all commands share: the options that each of them takes, the client, and where words go.

stdout is for data, stderr for people.
"""

import json
import os
import sys
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from postcodes_cli import settings
from postcodes_cli.errors import RetryableError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from postcodes_cli.client import Client

T = TypeVar("T")
#: How often a silence is told of, in seconds.
TOLD_EVERY = 30.0


@dataclass
class App:
    """The options that every command takes."""

    server_option: str | None = None
    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    timeout: float = 60.0
    #: Where a server listens that was started for this command; `server` is still the name that it goes by.
    address: str | None = None
    #: While a bar is drawn, words go above it.
    above: Any = None
    #: How often a call had to be tried again so far.
    outages: int = 0

    @property
    def server(self) -> str:
        return (self.server_option or settings.server()).rstrip("/")

    @property
    def api_key(self) -> str | None:
        return settings.key_for(self.server)

    def client(self) -> "Client":
        from postcodes_cli.client import Client

        try:
            return Client(self.address or self.server, self.api_key, self.timeout, self.retrying)
        except ValueError as error:
            raise click.UsageError(str(error)) from None

    def retrying(self, error: RetryableError, seconds: float) -> None:
        """Tells that the server is away, at once and not too often after that."""
        import time

        self.outages += 1
        now = time.monotonic()
        if now - getattr(self, "_told_at", -TOLD_EVERY) >= TOLD_EVERY:
            self._told_at = now
            until = f" until {time.strftime('%H:%M:%S', time.localtime(error.until))}" if error.until else ""
            self.say(f"{error} Trying again{until} …")

    def say(self, *lines: str, error: bool = False) -> None:
        """Words for people, on stderr; -q leaves out all but errors."""
        if self.quiet and not error:
            return
        for line in lines:
            if self.above is not None:
                self.above(line)
            else:
                click.echo(line, err=True, color=self.colors(sys.stderr))

    def give(self, document: Any) -> None:
        """A JSON document on stdout."""
        text = json.dumps(document, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None)
        click.echo(text)

    def give_line(self, document: Any) -> None:
        """One of many JSON documents, each in a line."""
        click.echo(json.dumps(document, ensure_ascii=False))

    def colors(self, stream: Any) -> bool:
        """Colours are for terminals that have them. NO_COLOR beats FORCE_COLOR."""
        if self.no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        return bool(os.environ.get("FORCE_COLOR") or stream.isatty())

    def console(self, stream: Any) -> "Console":
        """Rich on that stream. Where it is no terminal, lines are as long as they are."""
        from rich.console import Console

        has_colors = self.colors(stream)
        wide = None if stream.isatty() else 10_000
        # Without colours there is nothing bold or faint either.
        system: Any = "auto" if has_colors else None
        return Console(file=stream, color_system=system, force_terminal=has_colors or None, width=wide, highlight=False)

    def show(self, table: "Table") -> None:
        """A table on stdout."""
        self.console(sys.stdout).print(table)


def table_of(
    columns: Iterable[str], rows: Iterable[Iterable[object]], *, title: str | None = None, whole: Container[str] = ()
) -> "Table":
    """A plain table: headings in bold, no frame. What stands in cells is never taken for markup.

    Where a terminal is too narrow, cells are cut, but not those of the columns that are to stay `whole`.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, show_edge=False)
    lines = [[_in_words(cell) for cell in row] for row in rows]
    for place, name in enumerate(columns):
        width = max((len(line[place]) for line in lines), default=0) if name in whole else None
        table.add_column(Text(name), overflow="ellipsis", no_wrap=True, min_width=width)
    for line in lines:
        table.add_row(*map(Text, line))
    return table


def begun(answers: Iterable[T]) -> Iterator[T]:
    """The same once the first has come: what is refused is refused now, before a header is printed."""
    rest = iter(answers)
    return chain(list(islice(rest, 1)), rest)


def _in_words(cell: object) -> str:
    if cell is None or isinstance(cell, bool):
        return "yes" if cell else "" if cell is None else "no"
    return " ".join(str(cell).split())


def _set(name: str) -> Any:
    def callback(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value is not None and value is not False:
            setattr(context.ensure_object(App), name, value)

    return callback


def shared_options() -> list[click.Parameter]:
    """Taken before and after the name of a command."""

    def option(*names: str, **more: Any) -> click.Option:
        return click.Option(names, expose_value=False, **more)

    return [
        option(
            "--server",
            metavar="URL",
            callback=_set("server_option"),
            help=f"The server. Also POSTCODES_SERVER, or that of `login`; else {settings.DEFAULT_SERVER}.",
        ),
        option("--json", is_flag=True, callback=_set("as_json"), help="JSON on stdout, for programs."),
        option("-q", "--quiet", is_flag=True, callback=_set("quiet"), help="Only errors on stderr."),
        option("-v", "--verbose", is_flag=True, callback=_set("verbose"), help="Where an error comes from, in full."),
        option("--no-color", is_flag=True, callback=_set("no_color"), help="No colours; also NO_COLOR=1."),
        option(
            "--timeout",
            type=click.FloatRange(0, min_open=True),
            metavar="S",
            callback=_set("timeout"),
            help="Seconds for which a server that is away is tried again; 60 if not given.",
        ),
    ]


class _Help:
    """Help in which examples keep their lines, and the shared options stand apart."""

    params: list[click.Parameter]
    examples: str

    def parts(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        shared = {parameter.name for parameter in shared_options()}
        own: list[tuple[str, str]] = []
        global_ones: list[tuple[str, str]] = []
        for parameter in self.params:
            if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context)):
                (global_ones if parameter.name in shared else own).append(record)
        if help_option := context.command.get_help_option(context):
            record = help_option.get_help_record(context)
            if record and record not in global_ones:
                global_ones.append(record)
        if own:
            with formatter.section("Options"):
                formatter.write_dl(own)
        if global_ones:
            with formatter.section("Options of every command"):
                formatter.write_dl(global_ones)
        if self.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {line}\n" for line in self.examples.strip().splitlines()))


class Command(click.Command, _Help):
    """A command with examples, which takes the shared options, too."""

    def __init__(self, *arguments: Any, examples: str = "", **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.examples = examples
        self.params += shared_options()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.parts(ctx, formatter)


class Group(click.Group, _Help):
    """The same for a command that has commands."""

    command_class = Command

    def __init__(self, *arguments: Any, examples: str = "", **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.examples = examples
        self.params += shared_options()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        self.parts(ctx, formatter)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order in which they are of use

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:  # click would make exit code 1 of it
            raise ReaderGoneError from error


class ReaderGoneError(Exception):
    """Nobody reads our standard output any more."""


Group.group_class = Group
pass_app = click.make_pass_decorator(App, ensure=True)


def existing_file(text: str) -> Path:
    """A file that can be read. Raises a UsageError otherwise."""
    path = Path(text)
    if not path.exists():
        raise click.UsageError(f"There is no file {text}")
    if path.is_dir():
        raise click.UsageError(f"{text} is a folder; for its files: {text.rstrip('/')}/*.csv")
    if not os.access(path, os.R_OK):
        raise click.UsageError(f"{text} cannot be read: no permission")
    return path
