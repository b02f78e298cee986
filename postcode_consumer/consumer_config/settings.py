"""Django settings of postcode_consumer. Everything that differs between installations comes from the environment."""

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from consumer_config.environment import (
    PUBLIC_POSTCODES_IO,
    env_cache_url,
    env_choices,
    env_contact,
    env_duration,
    env_float,
    env_int,
    env_path,
    env_str,
    env_url,
)
from consumer_config.logs import LOGGING as LOGGING

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

# --- Memory --------------------------------------------------------------------------------------------------------
# What an external API said is not asked again until it is older than this. Postcodes are published four times a year.
CACHE_TTL = env_duration("CACHE_TTL", "90d")
# That there is no postcode: new ones are more often where there was none.
CACHE_TTL_MISSES = env_duration("CACHE_TTL_MISSES", "30d")

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
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
ROOT_URLCONF = "consumer_config.urls"
WSGI_APPLICATION = "consumer_config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
# The views compare with MAX_BODY_BYTES before they read, and answer with a problem. This is the second lock.
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

INSTALLED_APPS = [
    "lookups",  # extends the admin's templates
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
]
MIDDLEWARE = [
    "consumer_config.middleware.RequestIdMiddleware",
    "consumer_config.middleware.InternalTokenMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
# Everything of the admin is below this path, which the gateway passes on to here. Its cookies have names of their own:
# the admin of file_reader is at the same address, and each would log the other one's users out.
ADMIN_PATH = "/admin/lookups/"
STATIC_URL = f"{ADMIN_PATH}static/"
WHITENOISE_USE_FINDERS = True
SESSION_COOKIE_NAME = "lookups_session"
CSRF_COOKIE_NAME = "lookups_csrf"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = ADMIN_PATH
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"


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
        database["ENGINE"] = "consumer_config.sqlite"
        # NORMAL: a power cut may take what was remembered in the last moments, which is asked again then.
        database["OPTIONS"] = {
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    return database


DATABASES = {"default": _database()}

# Nobody is logged in for a lookup: the middleware has checked the caller.
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "consumer_config.problems.IgnoreAccept",
    "EXCEPTION_HANDLER": "consumer_config.problems.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}
