"""Django settings, all from the environment; the table of variables is in docs/settings.md."""

from pathlib import Path

import environ
from celery.schedules import schedule
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

from m2m_portal import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "var")))

MODE = env.choice("PORTAL_MODE", "embedded", ("embedded", "production"))
PRODUCTION = MODE == "production"
DEBUG = env.boolean("DEBUG", False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG=1 shows secrets to visitors. Unset DEBUG in production.")
if PRODUCTION:
    env.require_for_production()
else:
    env.keep_private(DATA_DIR)

SECRET_KEY = env.secret("SECRET_KEY", production=PRODUCTION, keep_in=DATA_DIR)
FIELD_ENCRYPTION_KEYS = env.encryption_keys("FIELD_ENCRYPTION_KEYS", production=PRODUCTION, keep_in=DATA_DIR)
LEDGER_SIGNING_KEYS = env.signing_keys("LEDGER_SIGNING_KEYS", production=PRODUCTION, keep_in=DATA_DIR)

# -- where we listen -----------------------------------------------------------------------------------------
BIND_ADDRESS = env.text("BIND_ADDRESS", "0.0.0.0" if PRODUCTION else "127.0.0.1")  # noqa: S104 - a server
HTTP_PORT = env.port("HTTP_PORT", 8000)
COAP_PORT = env.port("COAP_PORT", 5683)
COAPS_PORT = env.port("COAPS_PORT", 5684)
BOOTSTRAP_COAP_PORT = env.port("BOOTSTRAP_COAP_PORT", 5783)
BOOTSTRAP_COAPS_PORT = env.port("BOOTSTRAP_COAPS_PORT", 5784)
COAP_TCP_PORT = env.port_or_none("COAP_TCP_PORT")
BOOTSTRAP_COAP_TCP_PORT = env.port_or_none("BOOTSTRAP_COAP_TCP_PORT")
NOSEC_RATE = env.integer("NOSEC_RATE", 1_000, low=0, high=1_000_000)
NOSEC_NETWORK_RATE = env.integer("NOSEC_NETWORK_RATE", 2_000, low=0, high=1_000_000)
COAP_FILES_PORT = env.integer("COAP_FILES_PORT", 5685, low=0, high=65535)  # 0: no files are served
COAP_FILES_RATE = env.integer("COAP_FILES_RATE", 300, low=1, high=100_000)
COAP_TCP_CONNECTIONS = env.integer("COAP_TCP_CONNECTIONS", 10_000, low=1, high=1_000_000)
COAP_TCP_CONNECTIONS_PER_HOST = env.integer("COAP_TCP_CONNECTIONS_PER_HOST", 0, low=0, high=1_000_000)
# The name or address that devices and browsers reach us by: written into devices and into e-mails.
PUBLIC_HOST = env.text("PUBLIC_HOST", "localhost" if PRODUCTION else "127.0.0.1")
PUBLIC_URL = (env.url("PUBLIC_URL", env.WEB_SCHEMES) or f"http://{PUBLIC_HOST}:{HTTP_PORT}").rstrip("/")
ALLOWED_HOSTS = [*env.words("ALLOWED_HOSTS", "" if PRODUCTION else "localhost,127.0.0.1,[::1]"), PUBLIC_HOST]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# -- who is here ---------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "backoffice",  # before Django's admin, some of whose templates it writes anew
    "backoffice.site.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "audit",
    "accounts",
    "devices.inventory",
    "devices.registry",
    "devices.telemetry",
    "devices.commands",
    "devices.observations",
    "devices.gateways",
    "devices.messaging",
    "devices.packages",
    "provisioning",
    "southbound",
    "api",
    "selfservice",
    "support",
    "simulator",
    "m2m_portal",
]
MIDDLEWARE = [
    "m2m_portal.content_security.ContentSecurityMiddleware",
    "m2m_portal.health.HealthMiddleware",  # a probe comes without TLS and by address: before what asks for these
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "m2m_portal.damaged_addresses.DamagedAddressMiddleware",
    "api.endpoint_paths.EndpointPathMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "audit.middleware.AuditMiddleware",  # before what reads the session: an answer without a store has its number too
    "accounts.middleware.TimeZoneMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "audit.away.AwayMiddleware",
]
ROOT_URLCONF = "m2m_portal.urls"
ASGI_APPLICATION = "m2m_portal.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "m2m_portal" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "m2m_portal.context.portal",
            ],
        },
    },
]

# -- database ------------------------------------------------------------------------------------------------
_database_url = env.url("DATABASE_URL", env.DATABASE_SCHEMES) or f"sqlite:///{DATA_DIR / 'portal.sqlite3'}"
try:
    DATABASES = {"default": environ.Env.db_url_config(_database_url)}
except Exception as error:
    raise ImproperlyConfigured(
        f"DATABASE_URL cannot be read ({error}). Write it as postgres://USER:PASSWORD@HOST:PORT/NAME."
    ) from None
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # writers queue at BEGIN instead of failing half way
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000; "
        "PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;",
    }
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}  # threads need a file, not memory
else:
    DATABASES["default"] |= env.pooled_postgresql(DATABASES["default"].get("OPTIONS", {}))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- channels and celery ------------------------------------------------------------------------------------
REDIS_URL = env.url("REDIS_URL", {"redis", "rediss", "unix"})
REDIS_PREFIX = env.text("REDIS_PREFIX", "m2m")
if REDIS_URL:
    # Limits of sign-ins and sign-ups are counted here, so that all web processes count together.
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": REDIS_PREFIX,
        }
    }
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL], "prefix": REDIS_PREFIX},
        }
    }
    CELERY_BROKER_URL = REDIS_URL
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "m2m_portal.channel_layer.InProcessChannelLayer"}}
    CELERY_BROKER_URL = "memory://localhost/"
    CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.05}
CELERY_TASK_IGNORE_RESULT = True
# Three queues, so that 50,000 bells hold up no sweep, and an hour of tidying no bell: see deploy/README.md.
CELERY_TASK_DEFAULT_QUEUE = env.text("CELERY_QUEUE", "portal")
_beat, _long = f"{CELERY_TASK_DEFAULT_QUEUE}.beat", f"{CELERY_TASK_DEFAULT_QUEUE}.long"
CELERY_TASK_QUEUES = [Queue(name) for name in (CELERY_TASK_DEFAULT_QUEUE, _beat, _long)]
CELERY_TASK_ROUTES = {
    "provisioning.sweep": {"queue": _beat},
    "provisioning.climb": {"queue": _beat},
    "provisioning.look_for_silent": {"queue": _beat},
    "audit.tell_held_back": {"queue": _beat},
    "audit.seal": {"queue": _beat},
    "audit.close_epochs": {"queue": _long},
    "audit.make_partitions": {"queue": _long},
    "backoffice.sweep_bulk": {"queue": _beat},
    "provisioning.prune_attempts": {"queue": _long},
    "provisioning.prune_records": {"queue": _long},
    "accounts.clear_expired": {"queue": _long},
    "backoffice.bulk": {"queue": _long},
}
CELERY_TASK_TIME_LIMIT = 300
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
RECORDS_KEPT_DAYS = env.integer("RECORDS_KEPT_DAYS", 180, low=1, high=3660)
SWEEP_SECONDS = env.integer("SWEEP_SECONDS", 5, low=1, high=3600)
CELERY_BEAT_SCHEDULE = {
    "sweep-jobs": {"task": "provisioning.sweep", "schedule": schedule(SWEEP_SECONDS)},
    "climb": {"task": "provisioning.climb", "schedule": schedule(SWEEP_SECONDS)},
    "look-for-silent": {"task": "provisioning.look_for_silent", "schedule": schedule(60)},
    "prune-attempts": {"task": "provisioning.prune_attempts", "schedule": schedule(6 * 3600)},
    "prune-history": {"task": "provisioning.prune_records", "schedule": schedule(3600)},
    "seal": {"task": "audit.seal", "schedule": schedule(SWEEP_SECONDS)},
    "close-epochs": {"task": "audit.close_epochs", "schedule": schedule(3600)},
    "make-partitions": {"task": "audit.make_partitions", "schedule": schedule(6 * 3600)},
    "tell-held-back": {"task": "audit.tell_held_back", "schedule": schedule(600)},
    "sweep-bulk": {"task": "backoffice.sweep_bulk", "schedule": schedule(30)},
    "clear-expired-logins": {"task": "accounts.clear_expired", "schedule": schedule(6 * 3600)},
}

# -- signing in ----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.backends.RoleBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.OperatorChoice"
ACCOUNT_FORMS = {
    "login": "accounts.address_forms.SignIn",
    "reset_password": "accounts.address_forms.ResetPassword",
    "add_email": "accounts.address_forms.ChangeEmail",
}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CONFIRM_EMAIL_ON_GET = True
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_CHANGE_EMAIL = True  # one address a person; the old one stays until the new one is confirmed
ACCOUNT_DEFAULT_HTTP_PROTOCOL = PUBLIC_URL.split(":", 1)[0]
ACCOUNT_RATE_LIMITS = {} if not PRODUCTION else {"login": "30/m/ip", "signup": "20/m/ip"}
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SAMESITE = "Lax"

EMAIL_URL = env.url(
    "EMAIL_URL",
    {"smtp", "smtps", "smtp+tls", "smtp+ssl", "consolemail", "filemail", "memorymail", "dummymail"},
)
if EMAIL_URL:
    vars().update(environ.Env.email_url_config(EMAIL_URL))
else:
    EMAIL_BACKEND = "m2m_portal.local_mail.LocalMailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"
LOCAL_MAIL_PAGE = not EMAIL_URL and not PRODUCTION
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"M2M Portal <portal@{PUBLIC_HOST}>")

# -- REST ----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "api.paging.Pages",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "api.problems.problem",
    "DEFAULT_PARSER_CLASSES": [
        "api.parsers.BoundedJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["api.throttles.ByClient"],
    "DEFAULT_THROTTLE_RATES": {"login": env.text("API_LOGIN_RATE", "30/min"), "signup": "20/min"},
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "M2M portal",
    "DESCRIPTION": "Subscribers, devices, provisioning jobs and registrations. Errors are "
    '`{"code": <cause code>, "detail": <what to do>}`.',
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {"BootstrapSessionStateEnum": "provisioning.models.SessionState"},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# -- southbound ----------------------------------------------------------------------------------------------
AWAKE_SECONDS = env.integer("AWAKE_SECONDS", 93, low=1, high=86400)
LIFETIME_GRACE_SECONDS = env.integer("LIFETIME_GRACE_SECONDS", 0, low=0, high=86400)
DTLS_BACKEND = env.choice("DTLS_BACKEND", "auto", ("auto", "cryptography", "ctypes"))

# -- how much one may hold --------------------------------------------------------------------------------------
DEVICES_PER_ACCOUNT = env.integer("DEVICES_PER_ACCOUNT", 1000, low=1, high=1_000_000)
COMMANDS_PER_DEVICE = env.integer("COMMANDS_PER_DEVICE", 100, low=1, high=100_000)
PACKAGES_MB_PER_OPERATOR = env.integer("PACKAGES_MB_PER_OPERATOR", 256, low=0, high=1_000_000)
TOKENS_PER_PERSON = env.integer("TOKENS_PER_PERSON", 50, low=1, high=10_000)

# -- SMS -----------------------------------------------------------------------------------------------------
# The loopback SMSC of the demo; any other is set by SMPP_URL or in the admin.
SMSC_PORT = env.port("SMSC_PORT", 2775)
SMPP_URL = env.url("SMPP_URL", {"smpp", "smpps"})
# Operators type host and port of their SMSC: no way into the network that the portal stands in.
SMSC_NETWORKS = env.networks("SMSC_NETWORKS", "public" if PRODUCTION else "public,127.0.0.0/8,::1/128")
SMSC_PORTS = env.port_range("SMSC_PORTS", "1024-65535")
SMS_ACK_SECONDS = env.integer("SMS_ACK_SECONDS", 300, low=1, high=86400)
SMS_REPETITIONS = env.integer("SMS_REPETITIONS", 0, low=0, high=10)
SMS_RESPONSE_SECONDS = env.integer("SMS_RESPONSE_SECONDS", 600, low=1, high=86400)
SMS_AWAKE_SECONDS = env.integer("SMS_AWAKE_SECONDS", 600, low=1, high=86400)

# -- trail ---------------------------------------------------------------------------------------------------
AUDIT_CHAIN_NAMES = "m2m_portal.chain_names.by_operator_id"
TRUSTED_PROXY_COUNT = env.integer("TRUSTED_PROXY_COUNT", 0, low=0, high=10)

# -- pages, language, security --------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(DATA_DIR / "static")))
if not PRODUCTION:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # embedded, files are found where they are written
STATICFILES_DIRS = [BASE_DIR / "m2m_portal" / "static"]
WHITENOISE_USE_FINDERS = not PRODUCTION
if PRODUCTION:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.text("TIME_ZONE", "UTC")  # of whoever has chosen none
USE_I18N = True
USE_TZ = True
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = env.boolean("SECURE_SSL_REDIRECT", True)
    SECURE_HSTS_SECONDS = env.integer("SECURE_HSTS_SECONDS", 31536000, low=0, high=63072000)
    # Both bind every other site of the domain, preload for years: only when the domain's owner asks for it.
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.boolean("SECURE_HSTS_INCLUDE_SUBDOMAINS", False)
    SECURE_HSTS_PRELOAD = env.boolean("SECURE_HSTS_PRELOAD", False)
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # which would have them on
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# -- logs ----------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {
        "request_faults": {"()": "m2m_portal.quiet_logs.RequestFaults"},
        "repetitions": {"()": "m2m_portal.quiet_logs.Repetitions"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_faults", "repetitions"],
        }
    },
    "root": {
        "handlers": ["console"],
        "level": env.choice("LOG_LEVEL", "warning", ("debug", "info", "warning", "error")).upper(),
    },
}
