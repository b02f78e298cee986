"""Django settings of file_reader. Everything that differs between installations comes from the environment."""

from datetime import timedelta
from pathlib import Path

from service_kit.django_settings import APPS_OF_THE_ADMIN, MIDDLEWARE_OF_BOTH, database
from service_kit.django_settings import AUTH_PASSWORD_VALIDATORS as AUTH_PASSWORD_VALIDATORS
from service_kit.django_settings import AUTHENTICATION_BACKENDS as AUTHENTICATION_BACKENDS
from service_kit.django_settings import CSRF_COOKIE_HTTPONLY as CSRF_COOKIE_HTTPONLY
from service_kit.django_settings import MESSAGE_STORAGE as MESSAGE_STORAGE
from service_kit.django_settings import SILENCED_SYSTEM_CHECKS as SILENCED_SYSTEM_CHECKS
from service_kit.django_settings import TEMPLATES as TEMPLATES
from service_kit.environment import (
    env_auth,
    env_broker_url,
    env_float,
    env_hosts,
    env_int,
    env_path,
    env_str,
    env_tiles_url,
)
from service_kit.logs import log_settings
from service_kit.private_files import private_data_dir

BASE_DIR = Path(__file__).resolve().parent.parent

#: The name of this service in its metrics.
SERVICE = "file_reader"
DATA_DIR = private_data_dir()
UPLOADS_DIR = DATA_DIR / "uploads"
SECRET_KEY = env_str("SECRET_KEY")
INTERNAL_TOKEN = env_str("INTERNAL_TOKEN")
AUTH = env_auth()
MAX_UPLOAD_BYTES = env_int("MAX_UPLOAD_BYTES", 1 << 30, minimum=1, maximum=1 << 40)
POSTCODE_CONSUMER_URL = env_str(
    "POSTCODE_CONSUMER_URL",
    f"http://127.0.0.1:{env_int('POSTCODE_CONSUMER_PORT', 7000, minimum=1, maximum=65535)}",
).rstrip("/")
# Uploads are deleted so many days after they ended; 0: they are kept.
UPLOAD_KEEP_DAYS = env_int("UPLOAD_KEEP_DAYS", 0, minimum=0, maximum=36_500)

# What `manage.py maintenance` does (service_kit.maintenance).
MAINTENANCE_JOBS = "uploads.work.housekeeping.JOBS"
# What `manage.py backup` keeps (service_kit.maintenance.backup).
BACKUP_CONTENT = "uploads.work.keeping.CONTENT"

# Hosts and ports that webhooks, and files that are named by an address, may lead to although they are inside.
WEBHOOK_ALLOWED_HOSTS = env_hosts("WEBHOOK_ALLOWED_HOSTS")
# Files below it may be named instead of sent, by everybody who may upload; None: there are none.
IMPORT_DIR = env_path("IMPORT_DIR", DATA_DIR) if env_str("IMPORT_DIR", "") else None

# How long the audit log says who did what.
AUDIT_KEEP_DAYS = env_int("AUDIT_KEEP_DAYS", 365, minimum=1, maximum=36_500)
# --- Quotas and limits; 0 is none ---------------------------------------------------------------------------------
# Of each owner, so with AUTH=required only.
QUOTA_OPEN_UPLOADS = env_int("QUOTA_OPEN_UPLOADS", 20, minimum=0, maximum=1_000_000)
QUOTA_ROWS_PER_DAY = env_int("QUOTA_ROWS_PER_DAY", 0, minimum=0, maximum=10**12)
QUOTA_STORED_BYTES = env_int("QUOTA_STORED_BYTES", 0, minimum=0, maximum=1 << 50)
# Of all together.
MAX_BACKLOG_ROWS = env_int("MAX_BACKLOG_ROWS", 50_000_000, minimum=0, maximum=10**12)
MIN_FREE_BYTES = env_int("MIN_FREE_BYTES", 1 << 28, minimum=0, maximum=1 << 50)

# How long all statements of a question about rows may take together.
ROW_QUERY_SECONDS = env_float("ROW_QUERY_SECONDS", 2.0, minimum=0.1, maximum=60.0)
# The row index of an upload is written by segments of so many rows. Those that are there keep theirs: with another
# number, every upload needs a new index.
INDEX_SEGMENT_ROWS = 131_072

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
LOCATIONS_PER_CALL = env_int("LOCATIONS_PER_CALL", 5_000, minimum=1, maximum=5_000)
# Wakes Celery's workers; empty: the poll loop alone does the work (reader_config/celery.py).
CELERY_BROKER_URL = env_broker_url("CELERY_BROKER_URL")

# Where a worker shows its metrics; the port 0: nowhere.
METRICS_HOST = env_str("METRICS_HOST", "127.0.0.1")
WORKER_METRICS_PORT = env_int("WORKER_METRICS_PORT", 8001, minimum=0, maximum=65_535)

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
LANGUAGES = [("en-gb", "English"), ("cy", "Cymraeg")]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60  # seconds
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"

INSTALLED_APPS = [
    "uploads",  # extends the admin's templates
    "js_lib_leaflet",  # static files of the map
    "reader_config.apps.AdminConfig",
    *APPS_OF_THE_ADMIN,
    "drf_spectacular_sidecar",  # only its static files: Swagger UI
]
MIDDLEWARE = [
    "uploads.web.audited.AuditMiddleware",
    *MIDDLEWARE_OF_BOTH,
    "uploads.web.pages.language.PageLanguageMiddleware",
]
# A map that lies under the rows, from a server of tiles that whoever runs this one chooses, and whose it is.
MAP_TILES_URL = env_tiles_url("MAP_TILES_URL")
MAP_TILES_ATTRIBUTION = env_str("MAP_TILES_ATTRIBUTION", "")
STATIC_URL = "/static/"
# `manage.py collectstatic` writes them there, before the service starts. Without that, they are found where they lie.
STATIC_ROOT = env_path("STATIC_ROOT", DATA_DIR / "static")
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES = {"staticfiles": {"BACKEND": "service_kit.static_files.HashedStaticFiles"}}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# What is collected has the rights that the umask leaves, as all files have.
FILE_UPLOAD_PERMISSIONS = None
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "staticfiles.json").exists()
DATABASES = {
    "default": database(
        "FILE_READER_DATABASE_URL",
        DATA_DIR / "file_reader.sqlite3",
        password=env_str("FILE_READER_DATABASE_PASSWORD", ""),
        # FULL: what was committed survives a power cut. 4,000 pages (16 MB) of log before it is copied into the
        # database: postcodes of many places come together on the pages of their index.
        pragmas="PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;",
    )
}

# --- REST framework ------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["uploads.web.api.callers.GatewayAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "uploads.web.errors.exception_handler",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "service_kit.problems.IgnoreAccept",
}

# --- Logs: one line per event on stderr ----------------------------------------------------------------------------
LOGGING = log_settings(
    "file_reader",
    {
        "django.security": "CRITICAL",  # a strange Host or too many fields: the caller's affair too
        "celery": "WARNING",  # it would tell of every look
    },
)
