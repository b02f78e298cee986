"""The settings that come from the environment: read once, checked, refused loudly when wrong.

Every helper raises `ImproperlyConfigured` with the variable's name, the value that was found and what is accepted.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

BROKER_SCHEMES = ("amqp", "amqps", "redis", "rediss")
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


def env_str(name: str, default: str | None = None) -> str:
    """The variable's text; without a default it must be set and not empty."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set. It is required: see .env.example.")
    return default


def env_choice(name: str, choices: tuple[str, ...], default: str) -> str:
    """One of a closed list of words."""
    value = env_str(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name}={value!r} is not known. Accepted: {', '.join(choices)}.")
    return value


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


def env_path(name: str, default: Path) -> Path:
    """A path; relative ones start at the repository's root, so that every service finds the same place."""
    return (Path(__file__).resolve().parents[2] / env_str(name, str(default))).resolve()


def env_auth() -> str:
    """`AUTH`: "off" only while the gateway is bound to loopback, else "required".

    Refusing to start is better than standing open.
    """
    host = env_str("GATEWAY_HOST", "127.0.0.1")
    loopback = host in LOOPBACK_HOSTS
    if not loopback and not os.environ.get("AUTH"):
        raise ImproperlyConfigured(f"GATEWAY_HOST={host!r} is not loopback: set AUTH=required.")
    auth = env_choice("AUTH", ("off", "required"), "off")
    if auth == "off" and not loopback:
        raise ImproperlyConfigured(f"AUTH=off is refused while GATEWAY_HOST={host!r} is not loopback.")
    return auth


def env_broker_url() -> str:
    """`CELERY_BROKER_URL`: RabbitMQ, or Redis or Valkey; empty when there is no broker."""
    url = env_str("CELERY_BROKER_URL", "")
    if url and not _is_broker_url(url):  # the message does not show it: it may hold a password
        raise ImproperlyConfigured(
            "CELERY_BROKER_URL is not understood. Accepted: amqp://user:password@host/vhost and amqps:// (RabbitMQ),"
            " redis://host/number and rediss:// (Redis and Valkey)."
        )
    return url


def _is_broker_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        known = parts.scheme in BROKER_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return known and (parts.scheme.startswith("amqp") or parts.path.strip("/").isdecimal() or parts.path in ("", "/"))
