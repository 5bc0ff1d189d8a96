"""Settings of the running product. Everything that differs between installations is read from the environment.

The readers refuse nonsense at once, in Chinese, instead of letting it surface as a strange page later. What only a
running server needs (a secret key, a database) is collected in ``MISSING``: tools that merely import this module, such
as a type checker, may do without, while ``wsgi``, ``asgi`` and ``manage check`` refuse to go on.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

PACKAGE = Path(__file__).resolve().parent
#: The checkout (or, when installed as a package, the folder the server is started in) under which ``var/`` lies.
BASE = PACKAGE.parent.parent if PACKAGE.parent.name == "src" else Path.cwd()

_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False, "": False}


def env_bool(name: str) -> bool:
    """A yes/no variable; raise ImproperlyConfigured on any other word."""
    text = os.environ.get(name, "").strip().lower()
    if text not in _WORDS:
        raise ImproperlyConfigured(f"环境变量 {name} 只能是 1 或 0，却是“{text}”")
    return _WORDS[text]


def env_list(name: str, separator: str = ",") -> list[str]:
    """The non-empty parts of a variable."""
    return [part.strip() for part in os.environ.get(name, "").split(separator) if part.strip()]


def env_secret(name: str) -> str:
    """A secret long enough not to be guessed, or nothing; raise ImproperlyConfigured when it is short or a sample."""
    text = os.environ.get(name, "")
    if text and (len(text) < 32 or len(set(text)) < 8):
        raise ImproperlyConfigured(f"环境变量 {name} 太短或太简单：至少 32 个字符，且不能是重复的字符")
    return text


def env_folders(name: str) -> list[Path]:
    """Folders separated as in PATH; raise ImproperlyConfigured when one does not exist."""
    folders = [Path(part).expanduser() for part in env_list(name, os.pathsep)]
    for folder in folders:
        if not folder.is_dir():
            raise ImproperlyConfigured(f"环境变量 {name} 里的文件夹不存在：{folder}")
    return folders


def read_database_url(url: str) -> dict[str, Any]:
    """A ``postgresql://`` address as Django's setting; a socket folder stands in ``?host=``."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ImproperlyConfigured("QINGDAN_DATABASE_URL 要以 postgresql:// 开头：本系统只用 PostgreSQL")
    try:
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured("QINGDAN_DATABASE_URL 里的端口不是数字") from None
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or unquote(parts.hostname or "")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ImproperlyConfigured("QINGDAN_DATABASE_URL 里没有写数据库名，例如 postgresql://user:password@host:5432/qingdan")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(options.pop("port", None) or port or ""),
        # Only statements that ask for it are prepared: the judging of a form.
        "OPTIONS": {"prepare_threshold": 1_000_000, **options},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


DEBUG = env_bool("QINGDAN_DEBUG")
#: A demonstration on one's own machine: plain http, demo accounts with a known password.
DEMO = env_bool("QINGDAN_DEMO")
_ON_A_DESK = DEBUG or DEMO

#: What a server still needs, in Chinese; empty when it may start.
MISSING: list[str] = []

SECRET_KEY = env_secret("QINGDAN_SECRET_KEY")
if not SECRET_KEY and _ON_A_DESK:
    # Known to everyone, so good for a desk only; the launcher gives the demonstration one of its own.
    SECRET_KEY = "only-for-a-desk-never-for-a-server-0123456789"  # noqa: S105
if not SECRET_KEY:
    MISSING.append("没有设置环境变量 QINGDAN_SECRET_KEY（至少 32 个随机字符）")

DATABASES: dict[str, dict[str, Any]] = {}
if _url := os.environ.get("QINGDAN_DATABASE_URL", ""):
    DATABASES["default"] = read_database_url(_url)
else:
    MISSING.append("没有设置环境变量 QINGDAN_DATABASE_URL（postgresql://…）；演示请用 ./qingdan demo，它自带数据库")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

ALLOWED_HOSTS = env_list("QINGDAN_ALLOWED_HOSTS") or (["localhost", "127.0.0.1", "[::1]"] if _ON_A_DESK else [])
if not ALLOWED_HOSTS:
    MISSING.append("没有设置环境变量 QINGDAN_ALLOWED_HOSTS（本站的域名，多个用逗号隔开）")

#: From which identities' digests are keyed; another key than SECRET_KEY lets that one be changed without losing them.
QINGDAN_IDENTITY_KEY = env_secret("QINGDAN_IDENTITY_KEY")

#: Policy packs of one's own, layered on the built-in one.
POLICIES = env_folders("QINGDAN_POLICIES")
#: Where the bank of prepaid tuition is spoken to (``escrow.banks``), and the folder in which files are exchanged with banks.
BANK_URL = os.environ.get("QINGDAN_BANK_URL", "")
BANK_TOKEN = os.environ.get("QINGDAN_BANK_TOKEN", "")
BANK_FOLDER = Path(_folder).expanduser().resolve() if (_folder := os.environ.get("QINGDAN_BANK_FOLDER", "")) else None
VAR = Path(os.environ.get("QINGDAN_VAR") or BASE / "var").expanduser().resolve()

INSTALLED_APPS = [
    "qingdan.web",
    "qingdan.demo",
    "qingdan.library",
    "qingdan.uploads",
    "qingdan.findings",
    "qingdan.homework",
    "qingdan.institutions",
    "qingdan.escrow",
    "qingdan.ledger",
    "qingdan.schools",
    "qingdan.judging",
    "qingdan.draws",
    "qingdan.notices",
    "qingdan.places",
    "qingdan.accounts",
    "pgtrigger",
    "pghistory",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "bootstrap",
    "csp",
    "axes",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    # Every change of a tracked record is kept with who made it and from where.
    "pghistory.middleware.HistoryMiddleware",
    # Closed by default: a view is public only where it says so.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "qingdan.urls"
WSGI_APPLICATION = "qingdan.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "qingdan.web.context.site",
            ],
            "builtins": ["qingdan.web.templatetags.qingdan"],
        },
    }
]
FORM_RENDERER = "qingdan.web.renderer.Bootstrap"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "qingdan.accounts.backends.OrganisationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
# Name and address together: nobody can lock another out from elsewhere.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "qingdan.accounts.views.locked_out"
AXES_RESET_ON_SUCCESS = True
# A try during the lock does not lengthen it, so that the page's promise holds.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_VERBOSE = False

#: What the app on the phone calls us.
OTP_TOTP_ISSUER = "轻担"

_PLAIN_HTTP = _ON_A_DESK
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not _PLAIN_HTTP
SESSION_COOKIE_AGE = 60 * 60 * 12
SECURE_HSTS_SECONDS = 0 if _PLAIN_HTTP else 60 * 60 * 24 * 30
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env_bool("QINGDAN_BEHIND_TLS_PROXY"):
    # Only where a proxy of one's own sets (and never passes on) this header; otherwise anyone could claim to be on TLS.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_FAILURE_VIEW = "qingdan.web.views.csrf_failed"

# No inline script or style anywhere; Bootstrap's icons are data: pictures in its stylesheet.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["qingdan.formats"]

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

#: A workbook's size and how many one upload may hold.
UPLOAD_FILE_BYTES_MAX = 20 * 1024 * 1024
UPLOAD_FILES_MAX = 20
#: Days for which a deleted upload can be taken back.
UPLOAD_UNDO_DAYS = 7
DATA_UPLOAD_MAX_NUMBER_FILES = UPLOAD_FILES_MAX + 1

# Two at once: a long workbook does not hold up the upkeep that finds interrupted ones.
PROCRASTINATE_WORKER_DEFAULTS = {"concurrency": 2, "update_heartbeat_interval": 10}

# Standard output belongs to results; talk goes to standard error.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": sys.stderr}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "qingdan": {"level": "INFO"},
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        # One line a poll of every waiting page would bury everything else.
        "procrastinate": {"level": "WARNING"},
    },
}
