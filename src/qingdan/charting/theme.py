"""The colours and letters of the house. Colours differ in lightness as well as in hue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from qingdan.charting.figures import Figure
from qingdan.charting.widths import PHONE

INK, MUTED, LINE, CARD = "#17302c", "#5b6660", "#e2dccd", "#fffdf9"
WITHIN, BEYOND, LIMIT = "#2f7f78", "#e08a2e", "#8e1f16"
FONT = "PingFang SC, HarmonyOS Sans SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif"

Chart = Any


def source(data: Sequence[dict[str, Any]]) -> Any:
    """Records as Altair takes them."""
    return alt.Data(values=list(data))  # type: ignore[no-untyped-call]


def themed(chart: Chart, figure: Figure, width: str) -> dict[str, Any]:
    """The Vega-Lite specification of a chart, with what the figure says as its description."""
    size = 12 if width == PHONE else 13
    dressed = (
        chart.properties(description=f"{figure.title}。{figure.sentence}", background=CARD, padding=6)
        .configure(font=FONT)
        .configure_axis(
            labelFontSize=size, titleFontSize=size, labelColor=INK, titleColor=MUTED, titleFontWeight="normal",
            gridColor=LINE, domainColor="#b9b29f", tickColor="#b9b29f",
        )
        .configure_axisY(grid=False)
        .configure_text(fontSize=size)
        .configure_legend(labelFontSize=size, labelColor=INK)
        .configure_title(fontSize=size + 1, anchor="start", color=INK)
        .configure_view(stroke=None)
    )  # fmt: skip
    # Our own specifications are tested; checking each against the schema would take longer than making it.
    spec: dict[str, Any] = dressed.to_dict(validate=False)
    return spec
