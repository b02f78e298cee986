"""Django settings of postcode_consumer. Everything that differs between installations comes from the environment."""

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from consumer.environment import (
    PUBLIC_POSTCODES_IO,
    env_cache_url,
    env_choices,
    env_contact,
    env_float,
    env_int,
    env_path,
    env_str,
    env_url,
)
from consumer.logs import LOGGING as LOGGING

DATA_DIR = env_path("DATA_DIR", Path("var"))
SECRET_KEY = env_str("SECRET_KEY")
INTERNAL_TOKEN = env_str("INTERNAL_TOKEN")

# --- The lookup ----------------------------------------------------------------------------------------------------
# Of several, each is asked what the ones before it do not know.
PROVIDER = env_choices("PROVIDER", ("postcodes_io", "local", "sandbox"), "postcodes_io")
# The folder that `build_index` writes and the provider `local` reads.
LOCAL_INDEX = env_path("LOCAL_INDEX", DATA_DIR / "index")
# A lookup that is not answered by then answers 503. It is shorter than the time a caller waits for it.
LOOKUP_DEADLINE_SECONDS = 45.0
MAX_BODY_BYTES = 1 << 20

# --- The external API ----------------------------------------------------------------------------------------------
POSTCODES_IO_URL = env_url("POSTCODES_IO_URL", PUBLIC_POSTCODES_IO)
# It is a free public service without documented limits, so ours are gentle. 0 = none.
POSTCODES_IO_CALLS_PER_SECOND = env_float("POSTCODES_IO_CALLS_PER_SECOND", 10, minimum=0, maximum=10_000)
POSTCODES_IO_MAX_CONCURRENCY = env_int("POSTCODES_IO_MAX_CONCURRENCY", 4, minimum=0, maximum=64)
# Whom its operators can write to, an address or a URL; it is part of the User-Agent.
POSTCODES_IO_CONTACT = env_contact()
# One call as a whole, from connecting to the last byte.
POSTCODES_IO_CALL_SECONDS = 10.0
# The waits between attempts are random, up to this and doubling.
POSTCODES_IO_FIRST_BACKOFF_SECONDS = 0.5

# Redis or Valkey, where processes agree on when the next call may be made; empty: a row in the database does.
CACHE_URL = env_cache_url()

# --- Django --------------------------------------------------------------------------------------------------------
DEBUG = False
# The door is the internal token: whoever holds it is let in, under whatever name the gateway passes on.
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "consumer.urls"
WSGI_APPLICATION = "consumer.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
# The views compare with MAX_BODY_BYTES before they read, and answer with a problem. This is the second lock.
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

INSTALLED_APPS = ["rest_framework", "lookups"]
MIDDLEWARE = [
    "consumer.middleware.RequestIdMiddleware",
    "consumer.middleware.InternalTokenMiddleware",
    "django.middleware.common.CommonMiddleware",
]


def _database() -> dict[str, Any]:
    url = env_str("POSTCODE_CONSUMER_DATABASE_URL", f"sqlite:///{DATA_DIR / 'postcode_consumer.sqlite3'}")
    try:
        # Connections are kept; a dead one is noticed before it is used.
        database: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=None, conn_health_checks=True))
    except (dj_database_url.ParseError, dj_database_url.UnknownSchemeError, ValueError):
        # `from None`: the message of the cause may show the password.
        raise ImproperlyConfigured(
            "POSTCODE_CONSUMER_DATABASE_URL is not understood. Accepted: sqlite:///path, postgres://user@host/name."
        ) from None
    if database["ENGINE"].endswith("sqlite3"):
        Path(database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        # IMMEDIATE: a transaction queues for the lock at its start, where waiting is harmless, and never fails
        # half-way. FULL: what was committed survives a power cut.
        database["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
    return database


DATABASES = {"default": _database()}

# Nobody is logged in here: the middleware has checked the caller.
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "consumer.problems.IgnoreAccept",
    "EXCEPTION_HANDLER": "consumer.problems.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}
