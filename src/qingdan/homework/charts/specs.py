"""How each chart is drawn: data in, an Altair chart out. Every mark has its number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import altair as alt

from qingdan.charting.theme import BEYOND, CARD, INK, LIMIT, WITHIN, Chart, source, themed
from qingdan.charting.widths import WIDTHS
from qingdan.homework.charts.figures import Figure

_STAGE_COLOURS = ("#7c6bb0", "#2f7f78", "#b5541c", "#2b5478")


def bars_of_grades(figure: Figure, width: str) -> Chart:
    """A bar for each grade with its limit as a mark."""
    return _bars(figure.data, width, label_pixels=56)


def bars_of_schools(figure: Figure, width: str) -> Chart:
    """Bars of schools, a block for each stage."""
    stages = list(dict.fromkeys(each["stage"] for each in figure.data))
    most = max([*(each["minutes"] for each in figure.data), *(each["limit"] or 0 for each in figure.data)])
    label_pixels = 112 if width == "phone" else 160
    blocks = [
        _bars([each for each in figure.data if each["stage"] == stage], width, label_pixels=label_pixels, most=most, title=stage)
        for stage in stages
    ]
    return alt.vconcat(*blocks, spacing=18)


def _bars(data: Sequence[dict[str, Any]], width: str, *, label_pixels: int, most: float = 0, title: str = "") -> Chart:
    most = most or max([*(each["minutes"] for each in data), *(each["limit"] or 0 for each in data)])
    records = source(data)
    y = alt.Y("label:N", sort=[each["label"] for each in data], title=None, axis=alt.Axis(labelLimit=label_pixels))
    scale = alt.Scale(domain=[0, max(most, 10) * 1.14], nice=False)
    x = alt.X("minutes:Q", title="平均每天书面家庭作业（分钟）", scale=scale)
    base = alt.Chart(records)
    bars = base.mark_bar(height={"band": 0.62}).encode(y=y, x=x, color=alt.condition("datum.is_over", alt.value(BEYOND), alt.value(WITHIN)))
    # On the side of the bar's end that the limit is not on.
    number = alt.Text("minutes:Q", format=".0f")
    is_inside = f"!datum.is_over && datum.minutes >= {0.16 * most}"
    inside = base.transform_filter(is_inside).mark_text(align="right", dx=-7, color="#fff").encode(y=y, x=x, text=number)
    outside = base.transform_filter(f"!({is_inside})").mark_text(align="left", dx=5, color=INK).encode(y=y, x=x, text=number)
    with_limit = base.transform_filter("isValid(datum.limit)")
    limits = with_limit.mark_tick(color=LIMIT, thickness=3, size=24).encode(y=y, x=alt.X("limit:Q", scale=scale))
    inner = WIDTHS[width] - label_pixels - 24
    chart = alt.layer(bars, limits, inside, outside).properties(width=inner, height=alt.Step(30))
    return chart.properties(title=title) if title else chart


def lines_of_weeks(figure: Figure, width: str) -> Chart:
    """A line for each stage over the weeks, its limit dashed in the same colour."""
    stages = list(dict.fromkeys(each["stage"] for each in figure.data))
    weeks = _weeks(figure)
    records = source(figure.data)
    colour = alt.Color(
        "stage:N",
        scale=alt.Scale(domain=stages, range=list(_STAGE_COLOURS[: len(stages)])),
        legend=alt.Legend(title=None, orient="top", symbolType="stroke"),
    )
    x = alt.X("week:N", sort=weeks, title="周（周一日期）", axis=alt.Axis(labelAngle=0, labelOverlap=True), scale=alt.Scale(padding=0.3))
    most = max(max(each["minutes"], each["limit"] or 0) for each in figure.data)
    y = alt.Y("minutes:Q", title="平均分钟", scale=alt.Scale(domain=[0, max(most, 10) * 1.15], nice=False))
    base = alt.Chart(records)
    lines = base.mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour)
    points = base.mark_point(filled=True, size=64, opacity=1).encode(
        x=x, y=y, color=colour, shape=alt.Shape("stage:N", scale=alt.Scale(domain=stages), legend=None)
    )
    # Only where a line begins and ends, on a halo: numbers at every point would lie on the lines of other stages.
    ends = base.transform_filter(alt.FieldOneOfPredicate(field="week", oneOf=[weeks[0], weeks[-1]]))
    number: dict[str, Any] = {"x": x, "y": y, "text": alt.Text("minutes:Q", format=".0f")}
    limits = base.transform_filter("isValid(datum.limit) && datum.limit > 0").transform_aggregate(limit="max(limit)", groupby=["stage"])
    limits = limits.transform_calculate(told="'上限 ' + datum.limit")
    rules = limits.mark_rule(strokeDash=[6, 4], strokeWidth=1.5).encode(y=alt.Y("limit:Q"), color=colour)
    name: dict[str, Any] = {"x": alt.value((WIDTHS[width] - 64) / 2), "y": alt.Y("limit:Q"), "text": alt.Text("told:N")}
    halo: dict[str, Any] = {"stroke": CARD, "strokeWidth": 5, "strokeJoin": "round"}
    words = [
        ends.mark_text(dy=-14, color=CARD, **halo).encode(**number),
        ends.mark_text(dy=-14, color=INK).encode(**number),
        limits.mark_text(color=CARD, **halo).encode(**name),
        limits.mark_text(color=INK).encode(**name),
    ]
    return alt.layer(rules, lines, points, *words).properties(width=WIDTHS[width] - 64, height=260)


def squares_of_weeks(figure: Figure, width: str) -> Chart:
    """A square for each row and week; the lower the share, the darker."""
    records = source(figure.data)
    label_pixels = 112 if width == "phone" else 160
    order = list(dict.fromkeys(each["label"] for each in figure.data))
    x = alt.X("week:N", sort=_weeks(figure), title="周（周一日期）", axis=alt.Axis(labelAngle=0, orient="top", labelOverlap=True))
    y = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=label_pixels))
    scale = alt.Scale(domain=[0, 50, 99, 100], range=["#8a3b0e", "#d97f2b", "#f3d9a8", "#dcebe7"])
    base = alt.Chart(records)
    squares = base.mark_rect(stroke=CARD, strokeWidth=2).encode(x=x, y=y, color=alt.Color("percent:Q", scale=scale, legend=None))
    numbers = base.mark_text(fontSize=11).encode(
        x=x, y=y, text=alt.Text("percent:Q", format=".0f"), color=alt.condition("datum.percent < 40", alt.value("#fff"), alt.value(INK))
    )
    return alt.layer(squares, numbers).properties(width=WIDTHS[width] - label_pixels - 20, height=alt.Step(26))


def columns_of_differences(figure: Figure, width: str) -> Chart:
    """How many reports lie how far from the estimate; lying bars, whose words fit on a phone."""
    records = source(figure.data)
    sides = {"比预计短": "#8fb7d6", "相差不到 10 分钟": WITHIN, "比预计长": BEYOND}
    y = alt.Y("label:N", sort=[each["label"] for each in figure.data], title="实际比预计", axis=alt.Axis(labelLimit=110))
    most = max(each["percent"] for each in figure.data)
    x = alt.X("percent:Q", title="占全部反馈（%）", scale=alt.Scale(domain=[0, max(most, 5) * 1.18], nice=False))
    base = alt.Chart(records)
    bars = base.mark_bar(height={"band": 0.72}).encode(
        y=y,
        x=x,
        color=alt.Color(
            "side:N",
            scale=alt.Scale(domain=list(sides), range=list(sides.values())),
            legend=alt.Legend(title=None, orient="top", columns=3),
        ),
    )
    numbers = base.mark_text(align="left", dx=4, color=INK).encode(y=y, x=x, text=alt.Text("percent:Q", format=".1f"))
    return alt.layer(bars, numbers).properties(width=WIDTHS[width] - 140, height=alt.Step(28))


def _weeks(figure: Figure) -> list[str]:
    """The weeks in the order of the calendar."""
    mondays = {each["week"]: each["monday"] for each in figure.data}
    return sorted(mondays, key=mondays.__getitem__)


SPECS: dict[str, Callable[[Figure, str], Chart]] = {
    "by-grade": bars_of_grades,
    "by-school": bars_of_schools,
    "trend": lines_of_weeks,
    "published": squares_of_weeks,
    "reported": columns_of_differences,
}


def specification(figure: Figure, width: str) -> dict[str, Any]:
    """The Vega-Lite specification of a figure in the colours and letters of the house."""
    return themed(SPECS[figure.name](figure, width), figure, width)
