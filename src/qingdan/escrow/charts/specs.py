"""How the charts of prepaid tuition are drawn."""

from __future__ import annotations

from collections import Counter
from typing import Any

import altair as alt

from qingdan.charting.figures import Figure
from qingdan.charting.theme import BEYOND, INK, LIMIT, MUTED, WITHIN, Chart, source, themed
from qingdan.charting.widths import PHONE, WIDTHS
from qingdan.escrow.charts.figures import COVERED, PAID, REFUNDED, RELEASED, UNCOVERED
from qingdan.escrow.enums import RiskLevel
from qingdan.escrow.risk.weights import LEVELS

_BLUE = "#7fa6c4"
_COLOURS = {
    COVERED: WITHIN, UNCOVERED: LIMIT, PAID: WITHIN, RELEASED: _BLUE, REFUNDED: BEYOND,
    RiskLevel.WATCHED.label: "#e6c36a", RiskLevel.WARNED.label: BEYOND, RiskLevel.ALARM.label: LIMIT,
}  # fmt: skip

#: Sums of money as people here say them: 50万, not 500k.
_YUAN_AXIS = alt.Axis(
    labelExpr="abs(datum.value) >= 10000 ? format(datum.value / 10000, ',~g') + '万' : format(datum.value, ',~g')", tickCount=5
)


def _days(width: str) -> Any:
    return alt.X("day:T", title=None, axis=alt.Axis(format="%-m/%-d", tickCount=5 if width == PHONE else 8, grid=False))


def _colour(field: str, shown: list[str]) -> Any:
    scale = alt.Scale(domain=shown, range=[_COLOURS[name] for name in shown])
    return alt.Color(f"{field}:N", scale=scale, legend=alt.Legend(title=None, orient="top"))


def score_line(figure: Figure, width: str) -> Chart:
    """The score as a line, with where levels begin."""
    begins = [{"score": least, "label": str(level.label)} for least, level in LEVELS if least]
    y = alt.Y("score:Q", title=None, scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(tickCount=5))
    rules = alt.Chart(source(begins)).mark_rule(strokeDash=[4, 3], color=BEYOND, opacity=0.7).encode(y=y)
    names = alt.Chart(source(begins)).mark_text(align="left", baseline="bottom", dx=2, dy=-2, color=MUTED)
    line = alt.Chart(source(figure.data)).mark_line(color=WITHIN, strokeWidth=2.5, point=alt.OverlayMarkDef(size=28, color=WITHIN))
    last = alt.Chart(source(figure.data[-1:])).mark_text(align="right", dy=-12, fontWeight="bold", color=INK)
    return alt.layer(
        rules, names.encode(y=y, x=alt.value(0), text="label:N"), line.encode(x=_days(width), y=y),
        last.encode(x=_days(width), y=y, text="score:Q"),
    ).properties(width=WIDTHS[width] - 60, height=200)  # fmt: skip


def owed_line(figure: Figure, width: str) -> Chart:
    """What is owed as an area that steps down."""
    area = alt.Chart(source(figure.data)).mark_area(interpolate="step-after", color=_BLUE, opacity=0.55, line={"color": WITHIN})
    y = alt.Y("yuan:Q", title="元", scale=alt.Scale(domainMin=0), axis=_YUAN_AXIS)
    return area.encode(x=_days(width), y=y).properties(width=WIDTHS[width] - 70, height=180)


def level_bars(figure: Figure, width: str) -> Chart:
    """Institutions of each level, day by day, piled up with the gravest below."""
    shown = [str(level.label) for _, level in LEVELS if level != RiskLevel.CALM]
    numbered = [{**each, "order": shown.index(each["level"])} for each in figure.data]
    many = len({each["day"] for each in figure.data})
    bars = alt.Chart(source(numbered)).mark_bar(width=max(2, min(16, (WIDTHS[width] - 80) // max(many, 1) - 2)))
    days = Counter[str]()
    for each in figure.data:
        days[each["day"]] += each["count"]
    most = max(4, *days.values())
    axis = alt.Axis(values=list(range(0, most + 1, -(-most // 5))), format="d")
    y = alt.Y("count:Q", title="家", scale=alt.Scale(domain=[0, most]), axis=axis)
    return bars.encode(x=_days(width), y=y, color=_colour("level", shown), order="order:Q").properties(width=WIDTHS[width] - 60, height=200)


def cover_bars(figure: Figure, width: str) -> Chart:
    """A bar for each mode, what is covered and what is not laid end to end."""
    order = list(dict.fromkeys(each["label"] for each in figure.data))
    shown = [name for name in (COVERED, UNCOVERED) if any(each["state"] == name for each in figure.data)]
    sums: Counter[str] = Counter()
    for each in figure.data:
        sums[each["label"]] += each["yuan"]
    y = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=110))
    scale = alt.Scale(domain=[0, max(sums.values()) * 1.25], nice=False)
    x = alt.X("yuan:Q", title="元", scale=scale, axis=_YUAN_AXIS)
    numbered = [{**each, "order": shown.index(each["state"])} for each in figure.data]
    bars = alt.Chart(source(numbered)).mark_bar(height={"band": 0.62}).encode(y=y, x=x, color=_colour("state", shown), order="order:Q")
    ends = alt.Chart(source([{"label": label, "yuan": fen} for label, fen in sums.items()]))
    numbers = ends.mark_text(align="left", dx=5, color=INK).encode(y=y, x=x, text=alt.Text("yuan:Q", format=",.0f"))
    return alt.layer(bars, numbers).properties(width=WIDTHS[width] - 130, height=alt.Step(38))


def month_bars(figure: Figure, width: str) -> Chart:
    """Three bars for each month."""
    shown = [PAID, RELEASED, REFUNDED]
    y = alt.Y("yuan:Q", title="元", axis=_YUAN_AXIS)
    x = alt.X("month:O", title=None, axis=alt.Axis(labelAngle=0))
    bars = alt.Chart(source(figure.data)).mark_bar()
    offset = alt.XOffset("what:N", sort=shown)
    return bars.encode(x=x, xOffset=offset, y=y, color=_colour("what", shown)).properties(width=WIDTHS[width] - 70, height=200)


_SPECS = {"history": score_line, "ahead": owed_line, "levels": level_bars, "cover": cover_bars, "months": month_bars}


def specification(figure: Figure, width: str) -> dict[str, Any]:
    """The Vega-Lite specification of a figure in the colours and letters of the house."""
    return themed(_SPECS[figure.name](figure, width), figure, width)
