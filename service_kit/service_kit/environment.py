"""The settings that come from the environment: read once, checked, refused loudly when wrong.

Every helper raises `SettingError` with the variable's name, the value that was found and what is accepted; it reads
`os.environ` unless it is told of another `environ`. No Django here: the gateway uses it, too.
"""

import ipaddress
import math
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

#: The root of the repository, where relative paths begin.
_ROOT = Path(__file__).resolve().parents[2]
#: Beyond loopback, a shorter INTERNAL_TOKEN could be guessed.
_TOKEN_CHARS = 16
_REDIS_SCHEMES = ("redis", "rediss")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


class SettingError(Exception):
    """A variable is missing or wrong; the message names it, its value and what is accepted."""


def env_str(name: str, default: str | None = None, *, environ: Mapping[str, str] = os.environ) -> str:
    """The variable's text, or that of the file which `NAME_FILE` names; without a default it must not be empty."""
    if value := environ.get(name, "").strip() or _text_of_file(f"{name}_FILE", environ):
        return value
    if default is None:
        raise SettingError(f"{name} is not set. It is required: see .env.example.")
    return default


def _text_of_file(name: str, environ: Mapping[str, str]) -> str:
    """What the file says whose path is in that variable: how containers are given secrets."""
    path = environ.get(name, "").strip()
    try:
        return Path(path).read_text().strip() if path else ""
    except (OSError, UnicodeDecodeError) as error:  # the text itself is not shown: it is a secret, mostly
        raise SettingError(f"{name}={path!r} cannot be read: {type(error).__name__}.") from None


def env_choices(name: str, choices: tuple[str, ...], default: str) -> str:
    """One or more of a closed list of words, each once, separated by commas."""
    value = env_str(name, default)
    words = [word.strip() for word in value.split(",")]
    if len(set(words)) < len(words) or not set(words) <= set(choices):
        raise SettingError(
            f"{name}={value!r} is not known. Accepted: {', '.join(choices)}, or several of them with commas between."
        )
    return ",".join(words)


def env_int(name: str, default: int, *, minimum: int, maximum: int, environ: Mapping[str, str] = os.environ) -> int:
    """A whole number within limits, both included."""
    value = env_str(name, str(default), environ=environ)
    if not re.fullmatch("[0-9]{1,18}", value) or not minimum <= int(value) <= maximum:
        raise SettingError(f"{name}={value!r} is not a whole number from {minimum} to {maximum}.")
    return int(value)


def env_float(name: str, default: float, *, minimum: float, maximum: float) -> float:
    """A number within limits, both included."""
    value = env_str(name, str(default))
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not minimum <= number <= maximum:
        raise SettingError(f"{name}={value!r} is not a number from {minimum:g} to {maximum:g}.")
    return number


def env_duration(name: str, default: str) -> int:
    """A time in seconds, of at least one: `3600`, `60m`, `12h`, `30d`."""
    value = env_str(name, default)
    parts = re.fullmatch(r"([0-9]{1,9})([smhd]?)", value)
    seconds = int(parts[1]) * _SECONDS[parts[2]] if parts else 0
    if not seconds:
        raise SettingError(f"{name}={value!r} is not a time. Accepted: seconds, or 90m, 12h, 30d; not 0.")
    return seconds


def env_path(name: str, default: Path) -> Path:
    """A path; relative ones start at the repository's root, so that every service finds the same place."""
    return (_ROOT / env_str(name, str(default))).resolve()


def env_url(name: str, default: str) -> str:
    """An http or https address without query or fragment, and without its trailing slashes."""
    value = env_str(name, default)
    parts = _address(value, ("http", "https"))
    if not parts or parts.query or parts.fragment:
        raise SettingError(f"{name}={value!r} is not an address. Accepted: http(s)://host[:port][/path].")
    return value.rstrip("/")


def env_hosts(name: str) -> frozenset[tuple[str, int]]:
    """Pairs of host and port, from `host` (ports 80 and 443) and `host:port` with commas between; empty: none."""
    hosts: set[tuple[str, int]] = set()
    for text in filter(None, (part.strip() for part in env_str(name, "").split(","))):
        parts = _address(f"http://{text}", ("http",))
        if not parts or parts.netloc != text or "@" in text:
            raise SettingError(f"{name}: {text!r} is not a host. Accepted: host or host:port, with commas between.")
        hosts.update((str(parts.hostname).rstrip("."), port) for port in ([parts.port] if parts.port else [80, 443]))
    return frozenset(hosts)


def env_tiles_url(name: str, *, environ: Mapping[str, str] = os.environ) -> str:
    """The address of the pictures of a map, with {z}, {x} and {y} in it; empty: none."""
    value = env_str(name, "", environ=environ)
    parts = _address(value, ("http", "https"))
    # It becomes a part of a header and of a page: nothing that would end either.
    is_plain = re.fullmatch(r"https?://[a-z0-9.:\[\]-]+/[\w./~%?&=+,@{}-]*", value, re.ASCII)
    if value and not (parts and is_plain and sorted(re.findall("{.*?}", value)) == ["{x}", "{y}", "{z}"]):
        raise SettingError(
            f"{name}={value!r} is not the address of map tiles. Accepted: http(s)://host[:port]/ and a path with {{z}},"
            " {x} and {y}, the host in small letters."
        )
    return value


def env_redis_url(name: str) -> str:
    """The address of Redis or Valkey; empty when there is none."""
    url = env_str(name, "")
    if url and not _is_redis(url):  # the message does not show it: it may hold a password
        raise SettingError(
            f"{name} is not understood. Accepted: redis://host[:port][/number] and rediss:// (Redis and Valkey)."
        )
    return url


def env_broker_url(name: str) -> str:
    """The address of RabbitMQ, or of Redis or Valkey; empty when there is no broker."""
    url = env_str(name, "")
    if url and not _address(url, ("amqp", "amqps")) and not _is_redis(url):  # not shown, for the same reason
        raise SettingError(
            f"{name} is not understood. Accepted: amqp://user:password@host/vhost and amqps:// (RabbitMQ),"
            " redis://host/number and rediss:// (Redis and Valkey)."
        )
    return url


def env_auth(*, environ: Mapping[str, str] = os.environ) -> str:
    """`AUTH`: "off" only while the gateway and the services are bound to loopback, else "required".

    Refusing to start is better than standing open.
    """
    auth = env_str("AUTH", "off", environ=environ)
    if auth not in ("off", "required"):
        raise SettingError(f"AUTH={auth!r} is not known. Accepted: off, required.")
    for name in ("GATEWAY_HOST", "FILE_READER_HOST", "POSTCODE_CONSUMER_HOST"):
        refuse_to_stand_open(name, env_str(name, "127.0.0.1", environ=environ), environ=environ)
    return auth


def refuse_to_stand_open(name: str, host: str, *, environ: Mapping[str, str] = os.environ) -> None:
    """Raise SettingError when something listens beyond loopback without AUTH=required, or with an INTERNAL_TOKEN that
    can be guessed; `name` says what."""
    if _is_loopback(host):
        return
    auth = env_str("AUTH", "", environ=environ)
    if auth == "required":
        if len(env_str("INTERNAL_TOKEN", "", environ=environ)) < _TOKEN_CHARS:
            raise SettingError(
                f"INTERNAL_TOKEN is too short while {name}={host!r} is not loopback. Accepted: {_TOKEN_CHARS} or more"
                " characters."
            )
        return
    if auth:
        raise SettingError(f"AUTH={auth} is refused while {name}={host!r} is not loopback. Set AUTH=required.")
    raise SettingError(f"{name}={host!r} is not loopback: set AUTH=required.")


def _is_redis(url: str) -> bool:
    parts = _address(url, _REDIS_SCHEMES)
    return parts is not None and not parts.query and (parts.path in ("", "/") or parts.path[1:].isdecimal())


def _address(url: str, schemes: Collection[str]) -> SplitResult | None:
    """The parts of an address with one of these schemes and a host; None for anything else."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
