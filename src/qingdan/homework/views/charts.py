"""The page of charts: the bureau sees its region, a leader the own school; every chart with its sentence and its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import Role
from qingdan.charting.drawing import answer_once
from qingdan.charting.sheets import figure_xlsx
from qingdan.charting.widths import DESK, WIDTHS
from qingdan.homework.charts.drawing import svg
from qingdan.homework.charts.figures import FIGURES, Figure, Selection, all_figures
from qingdan.homework.charts.limits import stage_label
from qingdan.homework.charts.periods import Period, chosen_period, periods, region_of
from qingdan.homework.charts.questions import Scope, data_version
from qingdan.homework.forms.supervision import PeriodForm
from qingdan.places.calendar import current_pack
from qingdan.schools.models import School
from qingdan.storage.downloads import saved


@dataclass(frozen=True)
class Asked:
    """What a request asks of the charts."""

    selection: Selection
    form: PeriodForm
    period: Period
    #: The filters as they stand in an address.
    query: str


def _asked(request: HttpRequest) -> Asked:
    """Read the filters; what does not fit is as if it had not been asked."""
    user, pack = user_of(request), current_pack()
    region = region_of(user)
    choices = periods(region)
    schools = list(School.objects.visible_to(user).select_related("organisation"))
    places = tuple((each.pk, each.organisation.layer_code) for each in schools)
    grades = {grade for each in schools for grade in each.grades}
    # A bureau's page shows the limits of its region, a leader's those of the school.
    place = user.employer.layer_code
    stages = {name: stage_label(pack, name) for name, of_stage in pack.layer(place).grades.stages.items() if grades & set(of_stage)}
    form = PeriodForm(request.GET, choices=choices, stages=list(stages.items()), schools=[(each.pk, each.name) for each in schools])
    period = chosen_period(choices, form.chosen("period"))
    school = int(form.chosen("school") or 0) or None
    selection = Selection(
        pack=pack,
        scope=Scope(places, period.first, period.last),
        names={each.pk: each.name for each in schools},
        place=next((layer for pk, layer in places if pk == school), place),
        version=data_version(),
        stage=form.chosen("stage"),
        school_id=school,
    )
    given = {"period": period.key, "stage": selection.stage, "school": school or ""}
    return Asked(selection, form, period, urlencode({name: value for name, value in given.items() if value}))


@for_roles(Role.BUREAU, Role.SCHOOL_LEADER)
@require_safe
def charts(request: HttpRequest) -> HttpResponse:
    """All charts; the pictures come by themselves, the numbers are on the page."""
    asked = _asked(request)
    context = {
        "form": asked.form,
        "period": asked.period,
        "query": asked.query,
        "figures": all_figures(asked.selection),
        "is_filtered": bool(asked.selection.stage or asked.selection.school_id),
        "state": asked.selection.version[:12],
    }
    template = "homework/charts/includes/charts.html" if is_fragment(request) else "homework/charts/charts.html"
    return render(request, template, context)


def _figure(name: str, asked: Asked) -> Figure:
    if name not in FIGURES:
        raise Http404
    return next(figure for figure in all_figures(asked.selection) if figure.name == name)


@for_roles(Role.BUREAU, Role.SCHOOL_LEADER)
@require_safe
def chart(request: HttpRequest, name: str) -> HttpResponse:
    """One chart as SVG; a browser that has the same one already is told so without drawing."""
    asked = _asked(request)
    width = request.GET.get("width", DESK)
    if name not in FIGURES or width not in WIDTHS:
        raise Http404
    selection = asked.selection

    def picture() -> str | None:
        figure = _figure(name, asked)
        return None if figure.is_empty else svg(figure, width)

    of_state = (selection.scope, selection.version, selection.stage, selection.school_id, selection.place, "homework", name, width)
    return answer_once(request, of_state, picture)


@for_roles(Role.BUREAU, Role.SCHOOL_LEADER)
@require_safe
def chart_table(request: HttpRequest, name: str) -> HttpResponse:
    """One chart's numbers as a workbook."""
    asked = _asked(request)
    figure = _figure(name, asked)
    notes = [f"{figure.title}，{asked.period.label}（{asked.period.first} 至 {asked.period.last}）", figure.sentence, figure.note]
    notes += [f"{limit.text}（{'、'.join(text for _, text in limit.cites)}）" for limit in figure.limits if limit.text]
    return saved(figure_xlsx(figure, notes), f"{figure.title}_{asked.period.label}.xlsx")
