"""Draws a figure as SVG on the server; what has been drawn once is kept."""

from __future__ import annotations

import json
import threading
from functools import lru_cache

from qingdan.homework.charts.figures import Figure

_KEPT_CHARTS = 300
#: One drawing at a time: it keeps a processor busy, and others should still be answered.
_turn = threading.Lock()


def svg(figure: Figure, width: str) -> str:
    """The chart of a figure that is not empty; ``width`` is one of ``specs.WIDTHS``."""
    # Altair takes half a second to load: only the first chart pays for it, not every start of the server.
    from qingdan.homework.charts.specs import specification

    return _drawn(json.dumps(specification(figure, width), ensure_ascii=False, sort_keys=True))


@lru_cache(maxsize=_KEPT_CHARTS)
def _drawn(spec: str) -> str:
    import vl_convert

    with _turn:
        drawn: str = vl_convert.vegalite_to_svg(spec)
    return drawn
