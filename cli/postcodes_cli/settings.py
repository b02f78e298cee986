"""What this user has set: the server, the keys, and where they are kept."""

import json
import os
from pathlib import Path

DEFAULT_SERVER = "http://127.0.0.1:8080"


def folder() -> Path:
    """Where the command keeps its own files; POSTCODES_HOME is another place."""
    import click

    return Path(os.environ.get("POSTCODES_HOME") or click.get_app_dir("postcodes"))


def _file() -> Path:
    return folder() / "login.json"


def _kept() -> tuple[str | None, dict[str, str]]:
    """The server of the last login, and the key of each server."""
    try:
        kept = json.loads(_file().read_text())
        return kept["server"], {server: str(key) for server, key in kept["keys"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None, {}


def server() -> str:
    """POSTCODES_SERVER, or the server of the last login, or the one of this machine."""
    return (os.environ.get("POSTCODES_SERVER") or _kept()[0] or DEFAULT_SERVER).rstrip("/")


def key_for(server: str) -> str | None:
    """The key for this server: POSTCODES_API_KEY, or the one of `login`."""
    return os.environ.get("POSTCODES_API_KEY") or _kept()[1].get(server)


def keep_key(server: str, key: str | None) -> Path:
    """Keeps the key of a server, which becomes the usual one; or forgets it. Only its owner reads the file."""
    usual, keys = _kept()
    keys.pop(server, None)
    if key is not None:
        keys[server] = key
    usual = server if key is not None else None if usual == server else usual
    write_private(_file(), json.dumps({"server": usual, "keys": keys}, indent=1))
    return _file()


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner reads, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    part.replace(path)
