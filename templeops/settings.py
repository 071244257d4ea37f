"""Django settings, read from the environment and `.env`. Every wrong variable is reported at once."""

import sys
from pathlib import Path
from typing import cast

import django_stubs_ext
from csp.constants import NONE, SELF
from environs import Env, EnvValidationError
from marshmallow import validate

from backups_app import configuration
from backups_app.access.requests import proxies
from backups_app.access.secrecy import log_lines
from backups_app.api.shared import schema as api_schema
from templeops import environment, secret_key, wrong_settings

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

RUNNING_TESTS = "pytest" in sys.modules or "mypy" in sys.modules

if not RUNNING_TESTS:  # no test ever meets the databases of the person who runs it
    environment.load(base_dir=BASE_DIR)
env = Env(eager=False)

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "")
AUDIT_KEY = env.str("AUDIT_KEY", "")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
ALLOWED_HOSTS = [
    host.strip() for host in env.list("ALLOWED_HOSTS", list(LOOPBACK), validate=wrong_settings.are_hosts) or ()
]
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", ["127.0.0.1", "::1"], validate=proxies.require_networks)
DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
TIME_ZONE = env.str("TIME_ZONE", "Asia/Kolkata", validate=wrong_settings.is_a_time_zone)
TEMPLEOPS = configuration.read(env, base_dir=BASE_DIR)
LOG_FORMAT = env.str("LOG_FORMAT", "json", validate=validate.OneOf(sorted(log_lines.FORMATTERS)))
JOBS_BROKER_URL = env.str("JOBS_BROKER_URL", "")
DEMO = env.bool("TEMPLEOPS_DEMO", False)

problems: dict[str, list[str]] = {}
try:
    env.seal()
except EnvValidationError as error:
    problems = cast("dict[str, list[str]]", error.error_messages)
if SECRET_KEY and (problem := secret_key.problem_with(SECRET_KEY)):
    problems["SECRET_KEY"] = [problem]
if AUDIT_KEY and (problem := secret_key.problem_with(AUDIT_KEY, name="AUDIT_KEY")):
    problems["AUDIT_KEY"] = [problem]
# A debug page shows settings, variables and queries to the one who asks.
if DEBUG and not all(host in LOOPBACK for host in ALLOWED_HOSTS):
    problems["DEBUG"] = ["DEBUG=true is for this machine only: ALLOWED_HOSTS may then hold no other address."]
if DATABASES["default"] and (problem := wrong_settings.database_problem(DATABASES["default"])):
    problems["DATABASE_URL"] = [problem]
if JOBS_BROKER_URL and (problem := wrong_settings.broker_problem(JOBS_BROKER_URL)):
    problems["JOBS_BROKER_URL"] = [problem]
wrong_settings.refuse(problems)

if RUNNING_TESTS:
    SECRET_KEY = "tests-only-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2
    AUDIT_KEY = "audit-tests-only-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2
elif not SECRET_KEY:
    SECRET_KEY = secret_key.kept_in(BASE_DIR / ".secret_key")

if not AUDIT_KEY:
    AUDIT_KEY = secret_key.kept_in(BASE_DIR / ".audit_key", name="AUDIT_KEY")

# A connection is kept between requests: to open one takes longer than what a request asks it. A file is kept open for
# seconds only: one that an admin puts in its place counts soon.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["CONN_MAX_AGE"] = 5
    # Several processes share the file: without this, "database is locked" (docs/operations.md).
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
elif DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # One that the server has closed meanwhile is opened again before anything is asked.
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    # A host that swallows packets is given up by name; libpq itself would wait for two minutes. PostgreSQL ends the
    # session of a process that stands still in a transaction before the others give up waiting for its lock.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 10,
        "options": "-c idle_in_transaction_session_timeout=10s -c lock_timeout=15s",
    } | DATABASES["default"].get("OPTIONS", {})

INSTALLED_APPS = [
    "backups_app",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
]

MIDDLEWARE = [
    "backups_app.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "backups_app.middleware.BodyLimitMiddleware",
    "backups_app.metrics.health.ProbeMiddleware",
    "backups_app.middleware.PlainHttpMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "backups_app.middleware.ForeignOriginMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "backups_app.middleware.PageSessionMiddleware",
    "backups_app.middleware.EnhancedJWTAuthMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "templeops.urls"
WSGI_APPLICATION = "templeops.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "templeops.constant_templates.ConstantLoader",
                    ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "backups_app.pages.shared.shell.context",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "backups_app.pages.shared.wording",
                "backups_app.pages.audit.audit_wording",
                "backups_app.templatetags.run_tags",
                "backups_app.templatetags.copy_tags",
                "backups_app.templatetags.viewer_tags",
                "backups_app.pages.form_fields",
                "backups_app.templatetags.restore_tags",
                "backups_app.pages.shared.translation",
            ],
        },
    },
]

AUTH_USER_MODEL = "backups_app.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "/login/"

LANGUAGE_CODE = "en-in"
LANGUAGES = [("en-in", "English"), ("hi", "हिन्दी")]
LOCALE_PATHS = [BASE_DIR / "templates" / "locale"]
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "templeops.static_files.StaticFiles"},
}
WHITENOISE_USE_FINDERS = True  # served from where they lie: no collectstatic, no STATIC_ROOT

QUEUE = "backups_app.jobs.backend.WakingBackend" if JOBS_BROKER_URL else "django_tasks_db.DatabaseBackend"
TASKS = {"default": {"BACKEND": QUEUE, "QUEUES": ["default"]}}

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    # Deny by default: a view that declares nothing is for roles 0 and 1 in local mode only.
    "DEFAULT_AUTHENTICATION_CLASSES": ["backups_app.api.shared.permissions.LoginSessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["backups_app.api.shared.permissions.MayManageBackups"],
    "DEFAULT_PARSER_CLASSES": ["backups_app.api.shared.strict_json.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "backups_app.api.shared.permissions.AlwaysJSON",
    "EXCEPTION_HANDLER": "backups_app.api.shared.errors.answer",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = api_schema.SETTINGS

# HTTPS, or by a named setting plain HTTP on a temple's own network; the status says so.
PLAIN_HTTP = DEBUG or TEMPLEOPS.allow_plain_http or RUNNING_TESTS
PREFIX = "" if PLAIN_HTTP else "__Host-"
SESSION_COOKIE_NAME = f"{PREFIX}sessionid"
SESSION_COOKIE_SECURE = not PLAIN_HTTP
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_NAME = f"{PREFIX}csrftoken"
CSRF_COOKIE_SECURE = not PLAIN_HTTP
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "backups_app.pages.shared.failures.csrf"
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = not PLAIN_HTTP
SECURE_HSTS_SECONDS = 0 if PLAIN_HTTP else 365 * 24 * 60 * 60
# Set by the proxy that ends TLS. From any other peer it is taken out before it is read (access/requests/proxies.py).
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Not no-referrer: Chromium then sends "Origin: null" and no Referer with every form, to its own origin too, and rightly
# Django refuses that (asserted in tests/browser/test_origins.py). To other sites both say nothing.
SECURE_REFERRER_POLICY = "same-origin"
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # HSTS for subdomains: they are the temple's, not ours
    "security.W008",  # no redirect to HTTPS: PlainHttpMiddleware refuses plain HTTP, loopback excepted
    "security.W021",  # HSTS preload: a decision about the whole domain, not about this program
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = ["backups_app.access.requests.request_body.RefusesFiles"]

# One line an event on stderr, without secrets (access/secrecy/redaction.py). A person at a terminal sees warnings only.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": log_lines.FORMATTERS[LOG_FORMAT]}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["stderr"], "level": "WARNING" if sys.stderr and sys.stderr.isatty() else "INFO"},
    "loggers": {"django": {"handlers": [], "propagate": True}, "django.server": {"handlers": [], "propagate": True}},
}
DEFAULT_EXCEPTION_REPORTER = "backups_app.access.secrecy.log_lines.ScrubbedReport"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    },
}
