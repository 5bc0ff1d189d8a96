"""The WSGI door; refuses to open while something a server needs is not set."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qingdan.settings")
if settings.MISSING:
    raise ImproperlyConfigured("；".join(settings.MISSING))
application = get_wsgi_application()
