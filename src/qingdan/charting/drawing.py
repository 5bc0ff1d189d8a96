"""Draws a specification as SVG on the server; what has been drawn once is kept, and a browser that has it is told so."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.utils.http import parse_etags, quote_etag

from qingdan.charting.figures import Figure
from qingdan.charting.widths import DESK, WIDTHS

_KEPT_CHARTS = 300
_KEPT_SECONDS = 3600
#: One drawing at a time: it keeps a processor busy, and others should still be answered.
_turn = threading.Lock()


def draw(specification: dict[str, Any]) -> str:
    """A Vega-Lite specification as SVG."""
    return drawn(json.dumps(specification, ensure_ascii=False, sort_keys=True))


@lru_cache(maxsize=_KEPT_CHARTS)
def drawn(specification: str) -> str:
    """The same of a specification written as JSON."""
    import vl_convert

    with _turn:
        picture: str = vl_convert.vegalite_to_svg(specification)
    return picture


def answer_figure(request: HttpRequest, room: str, figure: Figure, specify: Callable[[str], dict[str, Any]]) -> HttpResponse:
    """A figure of a room of the house as SVG, in the width asked for, drawn once for each state of its numbers."""
    width = request.GET.get("width", DESK)
    if width not in WIDTHS:
        raise Http404
    return answer_once(request, (room, figure, width), lambda: None if figure.is_empty else draw(specify(width)))


def answer_once(request: HttpRequest, state: object, picture: Callable[[], str | None]) -> HttpResponse:
    """A picture for whoever may see it; 304 where the browser has it, 404 where there is nothing to draw.

    ``state`` is everything that the picture hangs on: drawn once for each, and asked for by an ETag made of it.
    """
    key = "chart:" + hashlib.sha256(repr(state).encode()).hexdigest()
    etag = quote_etag(key[-32:])
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response = HttpResponse(status=304)
    else:
        found: str | None = cache.get(key)
        if found is None:
            found = picture()
            if found is None:
                raise Http404
            cache.set(key, found, _KEPT_SECONDS)
        response = HttpResponse(found, content_type="image/svg+xml; charset=utf-8")
    response["ETag"] = etag
    patch_cache_control(response, private=True, no_cache=True)
    return response
