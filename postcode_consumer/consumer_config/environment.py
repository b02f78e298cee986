"""The settings that come from the environment: read once, checked, refused loudly when wrong.

Every helper raises `ImproperlyConfigured` with the variable's name, the value that was found and what is accepted.
"""

import math
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

PUBLIC_POSTCODES_IO = "https://api.postcodes.io"


def env_str(name: str, default: str | None = None) -> str:
    """The variable's text; without a default it must be set and not empty."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set. It is required: see .env.example.")
    return default


def env_choices(name: str, choices: tuple[str, ...], default: str) -> str:
    """One or more of a closed list of words, each once, separated by commas."""
    value = env_str(name, default)
    words = [word.strip() for word in value.split(",")]
    if len(set(words)) < len(words) or not set(words) <= set(choices):
        raise ImproperlyConfigured(
            f"{name}={value!r} is not known. Accepted: {', '.join(choices)}, or several of them with commas between."
        )
    return ",".join(words)


def env_int(name: str, default: int, *, minimum: int, maximum: int) -> int:
    """A whole number within limits, both included."""
    value = env_str(name, str(default))
    try:
        number = int(value)
    except ValueError:
        number = minimum - 1
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number from {minimum} to {maximum}.")
    return number


def env_float(name: str, default: float, *, minimum: float, maximum: float) -> float:
    """A number within limits, both included."""
    value = env_str(name, str(default))
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name}={value!r} is not a number from {minimum:g} to {maximum:g}.")
    return number


_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def env_duration(name: str, default: str) -> int:
    """A time in seconds, of at least one: `3600`, `60m`, `12h`, `30d`."""
    value = env_str(name, default)
    parts = re.fullmatch(r"([0-9]{1,9})([smhd]?)", value)
    seconds = int(parts[1]) * _SECONDS[parts[2]] if parts else 0
    if not seconds:
        raise ImproperlyConfigured(f"{name}={value!r} is not a time. Accepted: seconds, or 90m, 12h, 30d; not 0.")
    return seconds


def env_url(name: str, default: str) -> str:
    """An http or https address without query or fragment, and without its trailing slashes."""
    value = env_str(name, default)
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{name}={value!r} is not an address. Accepted: http(s)://host[:port][/path].")
    return value.rstrip("/")


def env_cache_url() -> str:
    """`CACHE_URL`: Redis or Valkey; empty when there is none."""
    url = env_str("CACHE_URL", "")
    if url and not _is_redis_url(url):  # the message does not show it: it may hold a password
        raise ImproperlyConfigured(
            "CACHE_URL is not understood. Accepted: redis://host[:port][/number] and rediss:// (Redis and Valkey)."
        )
    return url


def _is_redis_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return known and not parts.query and (parts.path in {"", "/"} or parts.path[1:].isdecimal())


def env_contact() -> str:
    """`POSTCODES_IO_CONTACT`: what can be part of a User-Agent."""
    value = env_str("POSTCODES_IO_CONTACT", "")
    if not value.isascii() or not value.isprintable():
        raise ImproperlyConfigured(
            f"POSTCODES_IO_CONTACT={value!r} is not understood. Accepted: an e-mail address or the address of a page."
        )
    return value


def env_path(name: str, default: Path) -> Path:
    """A path; relative ones start at the repository's root, so that every service finds the same place."""
    return (Path(__file__).resolve().parents[2] / env_str(name, str(default))).resolve()
