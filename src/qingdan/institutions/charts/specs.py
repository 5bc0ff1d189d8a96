"""How the charts of the registry are drawn: lying bars, whose words fit on a phone, and every bar with its number."""

from __future__ import annotations

from collections import Counter
from typing import Any

import altair as alt

from qingdan.charting.theme import BEYOND, INK, LIMIT, WITHIN, Chart, source, themed
from qingdan.charting.widths import PHONE, WIDTHS
from qingdan.institutions.charts.figures import Figure

_GREY = "#a9a28f"
_BLUE = "#7fa6c4"
#: What a bar is made of -> its colour.
_COLOURS = {
    "在册": WITHIN, "停业整顿": BEYOND, "已注销": _GREY, "学科类": BEYOND, "非学科类": WITHIN, "待处理": BEYOND, "已有结果": _BLUE,
    "合格": WITHIN, "限期整改": BEYOND, "不合格": LIMIT,
}  # fmt: skip


def stacked_bars(figure: Figure, width: str) -> Chart:
    """A bar for each label, its parts laid end to end, the sum beside it."""
    order = list(dict.fromkeys(each["label"] for each in figure.data))
    parts = [name for name in _COLOURS if any(each["state"] == name for each in figure.data)]
    sums: Counter[str] = Counter()
    for each in figure.data:
        sums[each["label"]] += each["count"]
    label_pixels = 96 if width == PHONE else 130
    y = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=label_pixels))
    scale = alt.Scale(domain=[0, max([*sums.values(), 4]) * 1.12], nice=False)
    colour = alt.Color(
        "state:N",
        scale=alt.Scale(domain=parts, range=[_COLOURS[name] for name in parts]),
        legend=alt.Legend(title=None, orient="top"),
    )
    numbered = [{**each, "order": parts.index(each["state"])} for each in figure.data]
    bars = (
        alt.Chart(source(numbered))
        .mark_bar(height={"band": 0.66})
        .encode(y=y, x=alt.X("count:Q", title=None, scale=scale, axis=alt.Axis(tickMinStep=1)), color=colour, order=alt.Order("order:Q"))
    )
    ends = alt.Chart(source([{"label": label, "count": count} for label, count in sums.items() if count]))
    numbers = ends.mark_text(align="left", dx=5, color=INK).encode(y=y, x=alt.X("count:Q", scale=scale), text="count:Q")
    return alt.layer(bars, numbers).properties(width=WIDTHS[width] - label_pixels - 24, height=alt.Step(28))


def then_and_now(figure: Figure, width: str) -> Chart:
    """Two bars for each way of teaching: the base day and today."""
    order = list(dict.fromkeys(each["label"] for each in figure.data))
    whens = list(dict.fromkeys(each["when"] for each in figure.data))
    most = max(each["count"] for each in figure.data)
    y = alt.Y("label:N", sort=order, title=None)
    scale = alt.Scale(domain=[0, max(most, 4) * 1.14], nice=False)
    x = alt.X("count:Q", title="学科类机构（家）", scale=scale, axis=alt.Axis(tickMinStep=1))
    offset = alt.YOffset("when:N", sort=whens)
    colour = alt.Color(
        "when:N", scale=alt.Scale(domain=whens, range=[_GREY, WITHIN]), legend=alt.Legend(title=None, orient="top", columns=2)
    )
    base = alt.Chart(source(figure.data))
    bars = base.mark_bar().encode(y=y, yOffset=offset, x=x, color=colour)
    numbers = base.mark_text(align="left", dx=5, color=INK).encode(y=y, yOffset=offset, x=x, text="count:Q")
    return alt.layer(bars, numbers).properties(width=WIDTHS[width] - 70, height=alt.Step(22))


def specification(figure: Figure, width: str) -> dict[str, Any]:
    """The Vega-Lite specification of a figure in the colours and letters of the house."""
    draw = then_and_now if figure.name == "reduction" else stacked_bars
    return themed(draw(figure, width), figure, width)
