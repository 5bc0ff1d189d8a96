"""Draws a figure as SVG on the server."""

from __future__ import annotations

from qingdan.charting.drawing import draw
from qingdan.homework.charts.figures import Figure


def svg(figure: Figure, width: str) -> str:
    """The chart of a figure that is not empty; ``width`` is one of ``charting.widths.WIDTHS``."""
    # Altair takes half a second to load: only the first chart pays for it, not every start of the server.
    from qingdan.homework.charts.specs import specification

    return draw(specification(figure, width))
