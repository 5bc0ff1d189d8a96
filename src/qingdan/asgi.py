"""The ASGI door; refuses to open while something a server needs is not set."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qingdan.settings")
if settings.MISSING:
    raise ImproperlyConfigured("；".join(settings.MISSING))
application = get_asgi_application()
