"""`login`, `logout`, `status`, `completion`: this user, that server, this shell."""

import sys
from typing import Any

import click

from postcodes_cli import __version__, failures, settings
from postcodes_cli.app import App, Command, pass_app, table_of


@click.command(
    "login",
    cls=Command,
    examples="postcodes login --server https://postcodes.example.org\npostcodes login < key.txt",
    short_help="Keep the key for a server.",
)
@pass_app
def login(app: App, /) -> None:
    """Keep the key for the server, which becomes the usual one.

    The key is asked for without being shown, or read from standard input. Only you can read the file that has it.
    """
    is_asked = sys.stdin.isatty()
    key = click.prompt("Key", hide_input=True, err=True) if is_asked else sys.stdin.readline()
    key = key.strip()
    if not key:
        raise click.UsageError("No key was given")
    from postcodes_cli.client import Client

    with Client(app.server, key, app.timeout, app.retrying) as client:
        client.check_key()
    app.say(f"Kept for {app.server} in {settings.keep_key(app.server, key)}")


@click.command("logout", cls=Command, examples="postcodes logout", short_help="Forget the key for a server.")
@pass_app
def logout(app: App, /) -> None:
    """Forget the key that `login` kept for the server."""
    settings.keep_key(app.server, None)
    app.say(f"No key is kept for {app.server}")


@click.command("status", cls=Command, examples="postcodes status --json", short_help="Show server, key and readiness.")
@pass_app
def status(app: App, /) -> int:
    """Show which server is asked, whether it is ready, and whether it takes the key. Exit codes as of `geocode`."""
    with app.client() as client:
        ready = client.ready()
        client.check_key()
    facts: dict[str, Any] = {
        "server": app.server,
        "ready": ready.get("status") == "ready",
        "missing": ready.get("missing"),
        "key": "yes" if app.api_key else "none is needed",
        "version": __version__,
    }
    if app.as_json:
        app.give(facts)
    else:
        missing = "; ".join(f"{name}: {what}" for name, what in (facts["missing"] or {}).items()) or None
        words = facts | {"missing": missing}
        app.show(table_of(("", ""), ((name, value) for name, value in words.items() if value is not None)))
    return failures.OK if facts["ready"] else failures.UNREACHABLE


@click.command(
    "completion",
    cls=Command,
    examples='eval "$(postcodes completion bash)"                               in ~/.bashrc\n'
    "postcodes completion fish > ~/.config/fish/completions/postcodes.fish",
    short_help="Print the completion for a shell.",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, /, shell: str) -> None:
    """Print what makes SHELL complete commands and options."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"{shell} is not known")
    source = kind(context.find_root().command, {}, "postcodes", "_POSTCODES_COMPLETE").source()
    # For fish, a description would end at its first comma.
    click.echo(source.replace('string split ","', 'string split --max 1 ","'))
