"""The parts of Django's settings that both services have."""

from pathlib import Path
from typing import Any

import dj_database_url

from service_kit.environment import SettingError, env_str
from service_kit.private_files import make_private

#: Apps of Django's own that an admin needs, beside REST framework and the admin itself.
APPS_OF_THE_ADMIN = [
    "service_kit.logins.apps.LoginsConfig",
    "service_kit.maintenance.apps.MaintenanceConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "service_kit.static_files.OwnStaticFilesConfig",
    "rest_framework",
]
# What `manage.py check --deploy` would rather see here is the gateway's: it alone knows whether a browser came by TLS.
# The services are called by it alone, without TLS.
SILENCED_SYSTEM_CHECKS = [
    "security.W004",  # Strict-Transport-Security is added by the gateway
    "security.W008",  # whoever has the certificate redirects: a proxy in front of the gateway
    "security.W012",  # the gateway adds Secure to the cookie of the session
    "security.W016",  # and to that of the CSRF token
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
AUTHENTICATION_BACKENDS = ["service_kit.logins.backend.LimitedBackend"]
# In the database. The other storage is a cookie, which is signed, but which everybody on its way can read.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_COOKIE_HTTPONLY = True  # Django's default for that of the session; no script of the admin reads it
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]


#: In order. What is below ApiMiddleware is for pages only.
MIDDLEWARE_OF_BOTH = [
    "service_kit.measured_requests.MeasureMiddleware",
    "service_kit.request_ids.RequestIdMiddleware",
    "service_kit.internal_token.InternalTokenMiddleware",
    "service_kit.api_calls.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


def database(name: str, default: Path, *, password: str, pragmas: str) -> dict[str, Any]:
    """The database whose address is in that variable; by default an SQLite file. `pragmas` are for SQLite.

    `password` is that of PostgreSQL, where the address has none.

    Raises SettingError for an address of another kind.
    """
    try:
        # Connections are kept; a dead one is noticed before it is used.
        found: dict[str, Any] = dict(
            dj_database_url.parse(env_str(name, f"sqlite:///{default}"), conn_max_age=None, conn_health_checks=True)
        )
    except (dj_database_url.ParseError, dj_database_url.UnknownSchemeError, ValueError):
        found = {"ENGINE": None}  # the message of the cause may show the password
    if found["ENGINE"] not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
        raise SettingError(f"{name} is not understood. Accepted: sqlite:///path, postgres://user@host/name.")
    if found["ENGINE"].endswith("sqlite3"):
        file = Path(found["NAME"])
        file.parent.mkdir(parents=True, exist_ok=True)
        for path in file.parent.glob(f"{file.name}*"):  # with its -wal and -shm; new ones are private anyway
            make_private(path)
        found["ENGINE"] = "service_kit.sqlite"
        found["OPTIONS"] = {"timeout": 20, "init_command": f"PRAGMA journal_mode=WAL; {pragmas}"}
    else:
        found["PASSWORD"] = found["PASSWORD"] or password
        # Every statement here ends after milliseconds: helpers that are started, or code that is compiled, for what may
        # be a long one take longer than that.
        settings = "-c max_parallel_workers_per_gather=0 -c jit=off"
        options = found.setdefault("OPTIONS", {})
        options["options"] = f"{options['options']} {settings}" if "options" in options else settings
    return found
