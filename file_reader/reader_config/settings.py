"""Django settings of file_reader. Everything that differs between installations comes from the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from reader_config.environment import env_auth, env_broker_url, env_int, env_path, env_str

BASE_DIR = Path(__file__).resolve().parent.parent

DATA_DIR = env_path("DATA_DIR", Path("var"))
UPLOADS_DIR = DATA_DIR / "uploads"
SECRET_KEY = env_str("SECRET_KEY")
INTERNAL_TOKEN = env_str("INTERNAL_TOKEN")
AUTH = env_auth()
MAX_UPLOAD_BYTES = env_int("MAX_UPLOAD_BYTES", 1 << 30, minimum=1, maximum=1 << 40)
POSTCODE_CONSUMER_URL = env_str(
    "POSTCODE_CONSUMER_URL",
    f"http://127.0.0.1:{env_int('POSTCODE_CONSUMER_PORT', 7000, minimum=1, maximum=65535)}",
).rstrip("/")

# --- The work engine ---------------------------------------------------------------------------------------------
# The most rows that are claimed, looked up and written together. Large ones are quicker to write; while answers come
# slowly, workers make smaller ones by themselves.
CHUNK_ROWS = env_int("CHUNK_ROWS", 20_000, minimum=1, maximum=100_000)
# How long a worker may be silent before others take its work. The deadline of a chunk is shorter, with room for
# writing the results, so that a living worker never outlives its lease and needs no heartbeat.
LEASE = timedelta(seconds=env_int("LEASE_SECONDS", 90, minimum=2, maximum=3_600))
CHUNK_DEADLINE = LEASE * 0.7
MAX_ATTEMPTS = 5
# How long a worker that is told to stop waits for the lookup in flight. Whoever stops it should wait a little longer
# before a kill: a killed worker leaves its lease behind.
STOP_GRACE_SECONDS = env_int("STOP_GRACE_SECONDS", 20, minimum=0, maximum=3_600)
# Calls to postcode_consumer that one worker keeps in flight, and the locations in each: its limit is 1,000.
FAN_OUT = env_int("FAN_OUT", 4, minimum=1, maximum=64)
LOCATIONS_PER_CALL = 1_000
# Wakes Celery's workers; empty: the poll loop alone does the work (reader_config/celery.py).
CELERY_BROKER_URL = env_broker_url()

# --- Django ------------------------------------------------------------------------------------------------------
DEBUG = False
# Whoever holds the internal token is let in, under whatever name: the gateway passes on the Host that people typed.
ALLOWED_HOSTS = ["*"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
ROOT_URLCONF = "reader_config.urls"
WSGI_APPLICATION = "reader_config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"

INSTALLED_APPS = [
    # In this order: uploads replaces knox's page of keys in the admin, and extends the admin's templates.
    "knox",
    "uploads",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
]
MIDDLEWARE = [
    "reader_config.middleware.RequestIdMiddleware",
    "reader_config.middleware.InternalTokenMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "reader_config.middleware.SlashMiddleware",
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
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
# The embedded stack and PostgreSQL's network alike keep connections; a dead one is noticed before it is used.
_DATABASE_OPTIONS: dict[str, Any] = {"conn_max_age": None, "conn_health_checks": True}


def _database() -> dict[str, Any]:
    url = env_str("FILE_READER_DATABASE_URL", f"sqlite:///{DATA_DIR / 'file_reader.sqlite3'}")
    try:
        database: dict[str, Any] = dict(dj_database_url.parse(url, **_DATABASE_OPTIONS))
    except (dj_database_url.ParseError, dj_database_url.UnknownSchemeError, ValueError):
        database = {"ENGINE": None}  # the message of the cause may show the password
    if database["ENGINE"] not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
        raise ImproperlyConfigured(
            "FILE_READER_DATABASE_URL is not understood. Accepted: sqlite:///path, postgres://user@host/name."
        )
    if database["ENGINE"].endswith("sqlite3"):
        Path(database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        database["ENGINE"] = "reader_config.sqlite"
        # FULL: what was committed survives a power cut. 4,000 pages (16 MB) of log before it is copied into the
        # database: postcodes of many places come together on the pages of their index.
        database["OPTIONS"] = {
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;",
        }
    else:
        # Every statement here ends after milliseconds: helpers that are started, or code that is compiled, for what may
        # be a long one take longer than that.
        settings = "-c max_parallel_workers_per_gather=0 -c jit=off"
        options = database.setdefault("OPTIONS", {})
        options["options"] = f"{options['options']} {settings}" if "options" in options else settings
    return database


DATABASES = {"default": _database()}

# --- REST framework and keys ---------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["uploads.web.api.callers.GatewayAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["uploads.web.api.callers.MayCall"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "reader_config.problems.exception_handler",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "reader_config.problems.IgnoreAccept",
}
# Keys are for programs: they are valid until they are deleted.
REST_KNOX = {"TOKEN_TTL": None, "AUTH_HEADER_PREFIX": "Bearer"}

# --- Logs: one line per event on stderr ----------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "reader_config.middleware.RequestIdFilter"}},
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s file_reader %(request_id)s %(message)s"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # What answers 4xx is the caller's affair, and is in the access log of the gateway.
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "CRITICAL"},  # a strange Host or too many fields: the caller's affair too
        "celery": {"level": "WARNING"},  # it would tell of every look
    },
}
