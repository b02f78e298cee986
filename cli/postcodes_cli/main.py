"""The command `postcodes`: its commands, and what becomes of errors."""

import os
import sys

import click

from postcodes_cli import __version__, failures
from postcodes_cli.app import App, Group, ReaderGoneError
from postcodes_cli.commands.account import completion, login, logout, status
from postcodes_cli.commands.geocode import geocode
from postcodes_cli.commands.lookups import lookup, postcode_command, preview
from postcodes_cli.commands.server import index, serve
from postcodes_cli.commands.uploads import rows, uploads

_EXAMPLES = """\
postcodes geocode points.csv            points.postcodes.csv has the postcodes
postcodes preview points.csv            how the file would be read
postcodes lookup 51.501009 -0.141588    one location
"""


@click.group("postcodes", cls=Group, examples=_EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", message="%(prog)s %(version)s", help="Show the version.")
def cli() -> None:
    """UK postcodes for coordinates: whole files, single locations, and what has become of them."""


for command in (
    geocode,
    preview,
    lookup,
    postcode_command,
    uploads,
    rows,
    login,
    logout,
    status,
    serve,
    index,
    completion,
):
    cli.add_command(command)


def code_of(arguments: list[str]) -> int:
    """Runs a command; errors become words and an exit code, and a traceback is for -v."""
    app = App()
    try:
        result = cli.main(arguments, prog_name="postcodes", standalone_mode=False, obj=app)
        sys.stdout.flush()
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.UsageError as error:
        error.show()
        return failures.USAGE
    except click.ClickException as error:
        error.show()
        return failures.UNEXPECTED
    except (KeyboardInterrupt, click.Abort):
        click.echo("", err=True)
        return failures.INTERRUPTED
    except (BrokenPipeError, ReaderGoneError):
        # Nobody reads: what Python still has in hand for them is nothing to complain of at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return failures.BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - a traceback is for -v
        if app.verbose:
            import traceback

            traceback.print_exc()
        said = failures.said_of(error)
        first = f"postcodes: {said[0]}"
        app.say(click.style(first, fg="red") if app.colors(sys.stderr) else first, *said[1:], error=True)
        return failures.exit_code_of(error)
    return result if isinstance(result, int) else failures.OK
