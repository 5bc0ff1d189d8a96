"""Charts of the registry for those who oversee institutions; a department sees its own institutions only."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import OFFICERS
from qingdan.charting.drawing import answer_figure
from qingdan.charting.sheets import figure_xlsx
from qingdan.institutions.charts.figures import FIGURES, Asked, Figure
from qingdan.places.calendar import current_pack, today
from qingdan.storage.downloads import saved


def _asked(request: HttpRequest) -> Asked:
    return Asked(user_of(request), today(), current_pack())


def _figure(request: HttpRequest, name: str) -> Figure:
    if name not in FIGURES:
        raise Http404
    return FIGURES[name](_asked(request))


@for_roles(*OFFICERS)
@require_safe
@never_cache
def charts(request: HttpRequest) -> HttpResponse:
    """All charts; the pictures come by themselves, the numbers are on the page."""
    asked = _asked(request)
    return render(request, "institutions/charts/charts.html", {"figures": [build(asked) for build in FIGURES.values()]})


@for_roles(*OFFICERS)
@require_safe
def chart(request: HttpRequest, name: str) -> HttpResponse:
    """One chart as SVG, drawn once for each state of its numbers."""
    figure = _figure(request, name)

    def specify(width: str) -> dict[str, Any]:
        # Altair takes half a second to load: only the first chart pays for it.
        from qingdan.institutions.charts.specs import specification

        return specification(figure, width)

    return answer_figure(request, "institutions", figure, specify)


@for_roles(*OFFICERS)
@require_safe
def chart_table(request: HttpRequest, name: str) -> HttpResponse:
    """One chart's numbers as a workbook, with what they are counted by."""
    figure = _figure(request, name)
    notes = [f"{figure.title}，{user_of(request).employer.name}，{today()}", figure.sentence or figure.advice, figure.note]
    notes += [f"{each.title}：{each.formula}（{'、'.join(text for _, text in each.cites)}）" for each in figure.indicators]
    return saved(figure_xlsx(figure, notes), f"{figure.title.replace('：', '_')}_{today():%Y%m%d}.xlsx")
