"""Writes postcodes.1, the manual page, from the commands and docs/cli.md: `.venv/bin/python cli/manual.py`."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from postcodes_cli import __version__
from postcodes_cli.app import Command, Group, shared_options
from postcodes_cli.main import cli

HERE = Path(__file__).resolve().parent
PAGE = HERE / "postcodes.1"
_EXIT_CODES = re.compile(r"^\| (\d+) \| (.+) \|$", re.MULTILINE)
_VARIABLES = re.compile(r"^\| `([A-Z_]+)` \| (.+) \|$", re.MULTILINE)


def page() -> str:
    """The whole page as roff, in ASCII."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    context = click.Context(cli, info_name="postcodes", **cli.context_settings)
    summary, _, rest = (cli.help or "").partition(":")
    yield f'.TH POSTCODES 1 "" "postcodes {__version__}" "User Commands"'
    yield ".nh"  # a name that is hyphenated cannot be copied
    yield from (".SH NAME", f"postcodes \\- {_text(summary)}")
    yield from (".SH SYNOPSIS", f".B {_text(_usage(context))}")
    yield from (".SH DESCRIPTION", f"{_text(summary)}:{_text(rest)}", *_examples(cli))
    yield ".SH COMMANDS"
    yield from _commands(cli, "postcodes")
    yield ".SH OPTIONS OF EVERY COMMAND"
    yield from _options(context, [*shared_options(), cli.get_help_option(context)])
    document = (HERE.parent / "docs" / "cli.md").read_text()
    for title, table in (("EXIT STATUS", _EXIT_CODES), ("ENVIRONMENT", _VARIABLES)):
        yield f".SH {title}"
        for name, meaning in table.findall(document):
            yield from (".TP", f".B {_text(name)}", _text(meaning.replace("`", "")))


def _commands(group: click.Group, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        context = click.Context(command, info_name=f"{path} {name}")
        yield f'.SS "{_text(_usage(context))}"'
        for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
            yield ".PP"
            if paragraph.startswith("\b"):  # click's sign for lines that stay as they are
                yield from (".nf", *(_text(line) for line in paragraph.splitlines()[1:]), ".fi")
            else:
                yield _text(" ".join(paragraph.split()))
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
            continue
        shared = {parameter.name for parameter in shared_options()}
        yield from _options(context, [one for one in command.params if one.name not in shared])
        yield from _examples(command)


def _usage(context: click.Context) -> str:
    return " ".join((context.info_name or "", *context.command.collect_usage_pieces(context)))


def _options(context: click.Context, parameters: list[click.Parameter | None]) -> Iterator[str]:
    for parameter in parameters:
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context)):
            yield from (".TP", f".B {_text(record[0])}", _text(record[1]))


def _examples(command: click.Command) -> Iterator[str]:
    if isinstance(command, Command | Group) and command.examples:
        yield from (".PP", "Examples:", ".PP", ".nf", ".RS 4")
        yield from (_text(line) for line in command.examples.strip().splitlines())
        yield from (".RE", ".fi")


def _text(text: str) -> str:
    """As roff shows it, letter by letter: a hyphen stays one that can be copied into a shell."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq").replace("'", r"\(aq")
    escaped = escaped.replace("`", r"\(ga").replace("~", r"\(ti").replace("^", r"\(ha")
    ascii_only = "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in escaped)
    return f"\\&{ascii_only}" if ascii_only.startswith(".") else ascii_only


if __name__ == "__main__":
    PAGE.write_text(page())
