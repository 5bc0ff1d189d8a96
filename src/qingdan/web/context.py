"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from qingdan.web.doors import doors_for, more_doors_for


def site(request: HttpRequest) -> dict[str, Any]:
    """Whether this is the demonstration, the menu of whoever asks, and which entry of it the page belongs to."""
    match = getattr(request, "resolver_match", None)
    page = match.view_name if match else ""
    user = getattr(request, "user", None)
    doors = doors_for(user) if user is not None else ()
    more = more_doors_for(user) if user is not None else ()
    here = next((door for door in (*doors, *more) if page and page.startswith(door.covers)), None)
    return {"is_demo": settings.DEMO, "doors": doors, "more_doors": more, "here": here}
