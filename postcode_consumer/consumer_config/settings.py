"""Django settings of postcode_consumer. Everything that differs between installations comes from the environment."""

from typing import Any

from consumer_config.postcodes_io import PUBLIC_POSTCODES_IO, env_contact
from service_kit.django_settings import APPS_OF_THE_ADMIN, database
from service_kit.django_settings import AUTH_PASSWORD_VALIDATORS as AUTH_PASSWORD_VALIDATORS
from service_kit.django_settings import AUTHENTICATION_BACKENDS as AUTHENTICATION_BACKENDS
from service_kit.django_settings import CSRF_COOKIE_HTTPONLY as CSRF_COOKIE_HTTPONLY
from service_kit.django_settings import MESSAGE_STORAGE as MESSAGE_STORAGE
from service_kit.django_settings import MIDDLEWARE_OF_BOTH as MIDDLEWARE  # noqa: F401 - a setting
from service_kit.django_settings import SILENCED_SYSTEM_CHECKS as SILENCED_SYSTEM_CHECKS
from service_kit.django_settings import TEMPLATES as TEMPLATES
from service_kit.environment import (
    env_auth,
    env_choices,
    env_duration,
    env_float,
    env_int,
    env_path,
    env_redis_url,
    env_str,
    env_url,
)
from service_kit.logs import log_settings
from service_kit.private_files import private_data_dir

#: The name of this service in its metrics.
SERVICE = "postcode_consumer"
DATA_DIR = private_data_dir()
SECRET_KEY = env_str("SECRET_KEY")
INTERNAL_TOKEN = env_str("INTERNAL_TOKEN")
# It has no keys itself; this is compared with what the gateway says.
AUTH = env_auth()

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
CACHE_URL = env_redis_url("CACHE_URL")

# What `manage.py maintenance` does (service_kit.maintenance).
MAINTENANCE_JOBS = "lookups.management.jobs.JOBS"
# What `manage.py backup` keeps (service_kit.maintenance.backup).
BACKUP_CONTENT = "lookups.management.jobs.BACKUP_CONTENT"

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
    "service_kit.logins.apps.AdminConfig",
    *APPS_OF_THE_ADMIN,
]
# Everything of the admin is below this path, which the gateway passes on to here. Its cookies have names of their own:
# the admin of file_reader is at the same address, and each would log the other one's users out.
ADMIN_PATH = "/admin/lookups/"
STATIC_URL = f"{ADMIN_PATH}static/"
WHITENOISE_USE_FINDERS = True
SESSION_COOKIE_NAME = "lookups_session"
CSRF_COOKIE_NAME = "lookups_csrf"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = ADMIN_PATH

DATABASES = {
    "default": database(
        "POSTCODE_CONSUMER_DATABASE_URL",
        DATA_DIR / "postcode_consumer.sqlite3",
        password=env_str("POSTCODE_CONSUMER_DATABASE_PASSWORD", ""),
        # NORMAL: a power cut may take what was remembered in the last moments, which is asked again then.
        pragmas="PRAGMA synchronous=NORMAL;",
    )
}

# Nobody is logged in for a lookup: the middleware has checked the caller.
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "service_kit.problems.IgnoreAccept",
    "EXCEPTION_HANDLER": "lookups.web.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}

# A strange Host is the caller's affair.
LOGGING = log_settings("postcode_consumer", {"django.security": "CRITICAL"})
