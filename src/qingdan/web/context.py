"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Whether this is the demonstration, and which door of the house the page belongs to."""
    match = getattr(request, "resolver_match", None)
    section = (match.app_name or match.url_name) if match else ""
    return {"is_demo": settings.DEMO, "section": section}
