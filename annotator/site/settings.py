"""Settings of the site. Everything a deployment may change is an environment variable named CONCORD_*.

Without any, this is the embedded form: SQLite in the data folder, no broker, loopback only.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from annotator import places

BASE_DIR = Path(__file__).resolve().parent.parent.parent
ENV = os.environ.get


def _flag(name: str, default: bool) -> bool:
    return ENV(name, "1" if default else "0").lower() in ("1", "true", "yes", "on")


DATA = Path(
    ENV("CONCORD_DATA") or Path(ENV("XDG_DATA_HOME") or Path.home() / ".local/share") / "concord"
).resolve()
PRODUCTION = _flag("CONCORD_PRODUCTION", False)
DEBUG = _flag("CONCORD_DEBUG", False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("CONCORD_DEBUG must be off when CONCORD_PRODUCTION is on.")


def _secret() -> str:
    """CONCORD_SECRET_KEY, else a random key made once and kept (mode 0600) in the data folder."""
    key = ENV("CONCORD_SECRET_KEY", "")
    if key:
        if PRODUCTION and len(key) < 32:
            raise ImproperlyConfigured("CONCORD_SECRET_KEY must have at least 32 characters.")
        return key
    path = DATA / "keys" / "secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass  # another process of the same start was first; its key counts
        else:
            with os.fdopen(fd, "w") as out:
                out.write(secrets.token_urlsafe(48))
    return path.read_text()


SECRET_KEY = _secret()
ALLOWED_HOSTS = [h for h in ENV("CONCORD_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if h]
CSRF_TRUSTED_ORIGINS = [o for o in ENV("CONCORD_ORIGINS", "").split(",") if o]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "channels",
    "annotator",
    "review",
    "prelabel",
]
AUTH_USER_MODEL = "annotator.Account"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "annotator.site.middleware.RequestId",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "annotator.site.middleware.Reader",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "annotator.site.middleware.Errors",
]
ROOT_URLCONF = "annotator.site.urls"
WSGI_APPLICATION = "annotator.site.wsgi.application"
ASGI_APPLICATION = "annotator.site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [places.templates()],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "annotator.pages.context.site",
            ],
        },
    }
]

if ENV("CONCORD_DATABASE", "").startswith("postgres"):
    from urllib.parse import unquote, urlsplit

    _url = urlsplit(ENV("CONCORD_DATABASE", ""))
    DATABASES: dict[str, dict[str, Any]] = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(_url.path.lstrip("/")),
            "USER": unquote(_url.username or ""),
            "PASSWORD": unquote(_url.password or ""),
            "HOST": _url.hostname or "",
            "PORT": str(_url.port or ""),
            "CONN_MAX_AGE": None,
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA / "concord.sqlite3",
            # Kept for the life of a pool thread; see annotator.site.asgi.
            "CONN_MAX_AGE": None,
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
            "TEST": {"NAME": DATA / "test.sqlite3"},
        }
    }
WRITE_LOCK_FILE = DATA / "run" / "write.lock"
# A read must never take the write lock of SQLite, so no transaction around each request.
ATOMIC_REQUESTS = False

PASSWORD_HASHERS = (
    [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",  # tests and the demo's many annotators of a benchmark only
    ]
    if _flag("CONCORD_FAST_PASSWORDS", False)
    else ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
)
if _flag("CONCORD_FAST_PASSWORDS", False):
    if PRODUCTION:
        raise ImproperlyConfigured("CONCORD_FAST_PASSWORDS must be off when CONCORD_PRODUCTION is on.")
    PASSWORD_HASHERS.reverse()
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "annotator" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
# Sources under static/workbench are never served: only what the build made and hand-made assets.
STATICFILES_DIRS = places.static_roots()
STATIC_ROOT = DATA / "static"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["annotator.api.auth.Session", "annotator.api.auth.Token"],
    "DEFAULT_PERMISSION_CLASSES": ["annotator.api.auth.SignedIn"],
    "DEFAULT_PARSER_CLASSES": ["annotator.api.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["annotator.api.parsing.StrictJSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "annotator.api.openapi.DoorSchema",
    "EXCEPTION_HANDLER": "annotator.api.errors.handler",
    "UNAUTHENTICATED_USER": None,
}
REST_KNOX = {
    "USER_SERIALIZER": None,
    "TOKEN_TTL": None,  # set per token by its maker
    "AUTO_REFRESH": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Concord",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "session": {"type": "apiKey", "in": "cookie", "name": "concord_session"},
            "token": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Token …"},
        }
    },
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "connect-src": ["'self'", "ws:", "wss:"] if not PRODUCTION else ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "concord_session"
CSRF_COOKIE_NAME = "concord_csrf"
SESSION_COOKIE_AGE = 14 * 86400
CSRF_FAILURE_VIEW = "annotator.site.middleware.csrf_failure"
if PRODUCTION:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-concord_session", "__Host-concord_csrf"
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Budgets and times, published in docs/reference. Bytes unless named otherwise.
BODY_LIMIT = 8 * 2**20  # of a JSON body; imports are spooled and have their own budget
IMPORT_LIMIT = 4 * 2**30
ASSET_LIMIT = 2 * 2**30
PIXEL_LIMIT = 178_000_000
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
FILE_UPLOAD_TEMP_DIR = None
HTTP_THREADS = int(ENV("CONCORD_THREADS", "8"))
GRACE_S = None if ENV("CONCORD_GRACE_S") is None else int(ENV("CONCORD_GRACE_S", "0"))  # overrides workflows
LOGIN_TRIES = int(ENV("CONCORD_LOGIN_TRIES", "10"))  # wrong passwords a minute, per account and per address

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": ENV("CONCORD_LOG", "WARNING")},
}
