"""Files on their way out: always saved under their own names, never shown in the browser."""

from __future__ import annotations

from urllib.parse import quote

from django.http import HttpResponse

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def saved(content: bytes | memoryview, name: str, content_type: str = XLSX) -> HttpResponse:
    """A file that the browser saves under a Chinese name, byte for byte."""
    response = HttpResponse(bytes(content), content_type=content_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response
