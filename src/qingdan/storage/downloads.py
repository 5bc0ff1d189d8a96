"""Files on their way out: always saved under their own names, never shown in the browser."""

from __future__ import annotations

from typing import cast
from urllib.parse import quote

from django.http import HttpResponse
from django.http.response import HttpResponseBase

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def under_name(response: HttpResponseBase, name: str) -> HttpResponse:
    """The answer as something that the browser saves under a Chinese name and never opens as another kind of file."""
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return cast("HttpResponse", response)  # a streamed answer, too, is one that a view may give


def saved(content: bytes | memoryview, name: str, content_type: str = XLSX) -> HttpResponse:
    """A file that the browser saves under a Chinese name, byte for byte."""
    return under_name(HttpResponse(bytes(content), content_type=content_type), name)
