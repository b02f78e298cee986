"""The settings that come from the environment: read once, checked, refused loudly when wrong."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from yarl import URL

from gateway.addresses import Network
from gateway.limits import Limits
from gateway.routes import Service
from service_kit.environment import SettingError, env_auth, env_int, env_str, env_tiles_url


@dataclass(frozen=True, slots=True)
class Settings:
    """The address to listen on, the services' addresses, and the rules for callers."""

    host: str
    port: int
    services: Mapping[Service, URL]
    #: How many processes each of them has.
    processes: Mapping[Service, int]
    internal_token: str
    keys_required: bool
    max_upload_bytes: int
    #: Whose X-Forwarded-For and X-Forwarded-Proto are believed.
    trusted_proxies: tuple[Network, ...] = ()
    #: Of each user, or of each address where there is no key. 0 is no limit.
    requests_per_minute: int = 0
    #: Streams of events at once: all, and those of one user, or of one address where there is no key.
    listeners: int = Limits().listeners
    listeners_per_caller: int = Limits().listeners_per_caller
    #: Where metrics are shown; None: nowhere.
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None
    #: Of pages that may use the API: scheme, host and port.
    cors_allowed_origins: frozenset[str] = frozenset()
    #: How long `/readyz` says that the gateway is about to stop before it does.
    stop_ready_seconds: int = 0
    #: Where the pages may get pictures of maps besides; empty: nowhere.
    tiles_origin: str = ""

    @property
    def internal_headers(self) -> Mapping[str, str]:
        """What every call to a service carries: that it comes from the gateway, and which AUTH that has."""
        return {"X-Internal-Token": self.internal_token, "X-Internal-Auth": "required" if self.keys_required else "off"}


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`, usually `os.environ`.

    Raises `SettingError`.
    """
    host = env_str("GATEWAY_HOST", "127.0.0.1", environ=environ)
    file_reader_port = env_int("FILE_READER_PORT", 8000, minimum=1, maximum=65_535, environ=environ)
    postcode_consumer_port = env_int("POSTCODE_CONSUMER_PORT", 7000, minimum=1, maximum=65_535, environ=environ)
    keys_required = env_auth(environ=environ) == "required"
    return Settings(
        host=host,
        port=env_int("GATEWAY_PORT", 8080, minimum=0, maximum=65_535, environ=environ),
        services={
            Service.FILE_READER: env_url(environ, "FILE_READER_URL", f"http://127.0.0.1:{file_reader_port}"),
            Service.POSTCODE_CONSUMER: env_url(
                environ, "POSTCODE_CONSUMER_URL", f"http://127.0.0.1:{postcode_consumer_port}"
            ),
        },
        processes={
            Service.FILE_READER: env_int("FILE_READER_PROCESSES", 1, minimum=1, maximum=64, environ=environ),
            Service.POSTCODE_CONSUMER: env_int(
                "POSTCODE_CONSUMER_PROCESSES", 1, minimum=1, maximum=64, environ=environ
            ),
        },
        internal_token=env_token(environ, "INTERNAL_TOKEN"),
        keys_required=keys_required,
        max_upload_bytes=env_int("MAX_UPLOAD_BYTES", Limits().upload_bytes, minimum=1, maximum=2**50, environ=environ),
        trusted_proxies=env_networks(environ, "TRUSTED_PROXIES"),
        # Without keys there is one caller, on this machine: it is held to a limit only when it asks for one.
        requests_per_minute=env_int(
            "REQUESTS_PER_MINUTE", 600 if keys_required else 0, minimum=0, maximum=1_000_000, environ=environ
        ),
        listeners=env_int("LISTENERS", Limits().listeners, minimum=0, maximum=1_000_000, environ=environ),
        listeners_per_caller=env_int(
            "LISTENERS_PER_CALLER", Limits().listeners_per_caller, minimum=0, maximum=1_000_000, environ=environ
        ),
        metrics_host=env_str("METRICS_HOST", "127.0.0.1", environ=environ),
        metrics_port=env_int("GATEWAY_METRICS_PORT", 8081, minimum=0, maximum=65_535, environ=environ) or None,
        cors_allowed_origins=env_origins(environ, "CORS_ALLOWED_ORIGINS"),
        stop_ready_seconds=env_int("STOP_READY_SECONDS", 0, minimum=0, maximum=300, environ=environ),
        # Of an address of tiles, scheme, host and port.
        tiles_origin="/".join(env_tiles_url("MAP_TILES_URL", environ=environ).split("/")[:3]),
    )


def env_networks(environ: Mapping[str, str], name: str) -> tuple[Network, ...]:
    """Addresses and networks, with commas between."""
    value = env_str(name, "", environ=environ)
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise SettingError(
            f"{name}={value!r}: {error}. Accepted: addresses and networks, such as 127.0.0.1,10.0.0.0/8."
        ) from None


def env_origins(environ: Mapping[str, str], name: str) -> frozenset[str]:
    """Origins of pages as browsers send them, with commas between."""
    value = env_str(name, "", environ=environ)
    origins = frozenset(part.strip() for part in value.split(",") if part.strip())
    if not all(re.fullmatch(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", origin) for origin in origins):
        raise SettingError(
            f"{name}={value!r} is not a list of origins. Accepted: scheme, host and port in small letters, such as"
            " https://maps.example.org,http://localhost:3000."
        )
    return origins


def env_url(environ: Mapping[str, str], name: str, default: str) -> URL:
    """The root of a service: scheme, host and port, nothing more."""
    value = env_str(name, default, environ=environ)
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
    value = env_str(name, environ=environ)
    if not (value.isascii() and value.isprintable()):
        raise SettingError(f"{name} holds characters that a header cannot carry. Accepted: printable ASCII.")
    return value
