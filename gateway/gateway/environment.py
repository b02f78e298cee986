"""The settings that come from the environment: read once, checked, refused loudly when wrong."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from yarl import URL

from gateway.limits import Limits
from gateway.routes import Service


class SettingError(Exception):
    """A variable is missing or wrong; the message names it, its value and the accepted ones."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The address to listen on, the services' addresses, and the rules for callers."""

    host: str
    port: int
    services: Mapping[Service, URL]
    internal_token: str
    keys_required: bool
    max_upload_bytes: int


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`, usually `os.environ`.

    Raises `SettingError`.
    """
    host = env_str(environ, "GATEWAY_HOST", "127.0.0.1")
    file_reader_port = env_int(environ, "FILE_READER_PORT", 8000, minimum=1, maximum=65_535)
    postcode_consumer_port = env_int(environ, "POSTCODE_CONSUMER_PORT", 7000, minimum=1, maximum=65_535)
    return Settings(
        host=host,
        port=env_int(environ, "GATEWAY_PORT", 8080, minimum=0, maximum=65_535),
        services={
            Service.FILE_READER: env_url(environ, "FILE_READER_URL", f"http://127.0.0.1:{file_reader_port}"),
            Service.POSTCODE_CONSUMER: env_url(
                environ, "POSTCODE_CONSUMER_URL", f"http://127.0.0.1:{postcode_consumer_port}"
            ),
        },
        internal_token=env_token(environ, "INTERNAL_TOKEN"),
        keys_required=env_auth(environ, host=host) == "required",
        max_upload_bytes=env_int(environ, "MAX_UPLOAD_BYTES", Limits().upload_bytes, minimum=1, maximum=2**50),
    )


def env_str(environ: Mapping[str, str], name: str, default: str | None = None) -> str:
    """The variable's text; without a default it must be set and not empty."""
    value = environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise SettingError(f"{name} is not set. It is required: see .env.example.")
    return default


def env_int(environ: Mapping[str, str], name: str, default: int, *, minimum: int, maximum: int) -> int:
    """A whole number within limits, both included."""
    value = env_str(environ, name, str(default))
    if not (value.isascii() and value.isdigit() and minimum <= int(value) <= maximum):
        raise SettingError(f"{name}={value!r} is not a whole number from {minimum} to {maximum}.")
    return int(value)


def env_url(environ: Mapping[str, str], name: str, default: str) -> URL:
    """The root of a service: scheme, host and port, nothing more."""
    value = env_str(environ, name, default)
    refusal = SettingError(f"{name}={value!r} is not the address of a service. Accepted: http://host:port.")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise refusal from None
    beside = parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or beside:
        raise refusal
    return URL.build(scheme=parts.scheme, host=parts.hostname, port=port)


def env_token(environ: Mapping[str, str], name: str) -> str:
    """A secret that can be sent in a header. Its value is never shown."""
    value = env_str(environ, name)
    if not (value.isascii() and value.isprintable()):
        raise SettingError(f"{name} holds characters that a header cannot carry. Accepted: printable ASCII.")
    return value


def env_auth(environ: Mapping[str, str], *, host: str) -> str:
    """`AUTH`: "off" only while the gateway is bound to loopback, else "required".

    Refusing to start is better than standing open.
    """
    loopback = _is_loopback(host)
    value = environ.get("AUTH", "").strip()
    if not value and not loopback:
        raise SettingError(f"GATEWAY_HOST={host!r} is not loopback: set AUTH=required.")
    value = value or "off"
    if value not in ("off", "required"):
        raise SettingError(f"AUTH={value!r} is not known. Accepted: off, required.")
    if value == "off" and not loopback:
        raise SettingError(f"AUTH=off is refused while GATEWAY_HOST={host!r} is not loopback. Set AUTH=required.")
    return value


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
