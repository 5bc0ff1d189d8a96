"""Warnings: institutions by score, and the risk file of one with its steps."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import errors_of
from qingdan.accounts.enums import OFFICERS
from qingdan.accounts.models import Organisation, User
from qingdan.charting.drawing import answer_once, draw
from qingdan.charting.sheets import table_xlsx
from qingdan.charting.widths import DESK, WIDTHS
from qingdan.escrow import tasks_risk
from qingdan.escrow.actions import riskfile as acts
from qingdan.escrow.charts import figures
from qingdan.escrow.enums import RELEASED_STATES, SIGNED_STATES, ContractState, RiskLevel, RiskStepKind, SupervisionMode
from qingdan.escrow.forms.risk import PauseForm, RiskFilter, StepForm
from qingdan.escrow.models import (
    BankLine,
    Complaint,
    Contract,
    CustodyAgreement,
    DayBalance,
    Lesson,
    Refund,
    RegisteredInstitution,
    RiskScore,
    RiskStep,
)
from qingdan.escrow.risk import outlook
from qingdan.escrow.risk.weights import LEVELS, PARTS
from qingdan.places.calendar import today
from qingdan.storage.downloads import saved

_PER_PAGE = 20
_SHOWN = 8


def institutions_watched(user: User) -> QuerySet[Organisation]:
    """Institutions with prepaid tuition that an officer watches over."""
    agreed = CustodyAgreement.objects.visible_to(user).filter(institution=OuterRef("pk"))
    scored = RiskScore.objects.visible_to(user).filter(institution=OuterRef("pk"))
    return Organisation.objects.filter(Exists(agreed) | Exists(scored))


def _listed(request: HttpRequest) -> tuple[QuerySet[Any], RiskFilter]:
    """The scores of the newest day that were asked for, the highest first, each with its mode and the score a week before."""
    newest = RiskScore.objects.visible_to(user_of(request)).of_newest_day()
    mode = CustodyAgreement.objects.in_force(today()).filter(institution=OuterRef("institution"))
    before = RiskScore.objects.filter(institution=OuterRef("institution"), on_date__lt=OuterRef("on_date"))
    scores: QuerySet[Any] = newest.select_related("institution").annotate(
        mode=Subquery(mode.values("mode")[:1]),
        is_paused=Exists(mode.filter(is_release_paused=True)),
        score_before=Subquery(before.order_by("-on_date").values("score")[6:7]),
    )
    form = RiskFilter(request.GET)
    chosen = form.chosen()
    if chosen["level"]:
        scores = scores.filter(level=chosen["level"])
    if chosen["mode"]:
        scores = scores.filter(mode=None if chosen["mode"] == "none" else chosen["mode"])
    if chosen["q"]:
        scores = scores.filter(institution__in=Organisation.objects.matching(chosen["q"]))
    return scores.order_by("-score", "institution__pinyin", "pk"), form


@for_roles(*OFFICERS)
@require_safe
@never_cache
def risks(request: HttpRequest) -> HttpResponse:
    """Institutions by score, with what families would lose if all closed today."""
    scores, form = _listed(request)
    page = Paginator(scores, _PER_PAGE).get_page(request.GET.get("page"))
    rows = [(each, SupervisionMode(each.mode).label if each.mode else "没有协议", _change(each)) for each in page]
    context: dict[str, Any] = {"page": page, "rows": rows, "form": form, "is_filtered": any(form.chosen().values())}
    if not is_fragment(request):
        newest = RiskScore.objects.visible_to(user_of(request)).of_newest_day()
        covers = outlook.covers(newest, today())
        levels = dict(newest.order_by().values_list("level").annotate(count=Count("pk")))
        context |= {
            "covers": covers,
            "whole": outlook.total(covers),
            "levels": [(value, label, levels.get(value, 0)) for value, label in reversed(RiskLevel.choices)],
            "on": newest.values_list("on_date", flat=True).first(),
        }
    return render(request, "escrow/risk/includes/list.html" if is_fragment(request) else "escrow/risk/list.html", context)


def _change(score: Any) -> int | None:
    return None if score.score_before is None else score.score - score.score_before


@for_roles(*OFFICERS)
@require_safe
def risks_export(request: HttpRequest) -> HttpResponse:
    """The listed scores with all their parts as a workbook."""
    scores, _ = _listed(request)
    columns = (
        "机构",
        "日期",
        "分值",
        "级别",
        "监管方式",
        "未消课预收费（元）",
        "无保障（元）",
        *(part.label for part in PARTS.values()),
        "说明",
    )
    rows = []
    for each in scores:
        points = {part["kind"]: part for part in each.parts}
        heavy = "；".join(f"{part['label']}：{part['text']}" for part in each.parts if part["points"])
        rows.append(
            (
                each.institution.name, f"{each.on_date}", each.score, each.get_level_display(),
                str(SupervisionMode(each.mode).label) if each.mode else "没有协议", each.owed_fen / 100, each.uncovered_fen / 100,
                *(points[kind]["points"] if kind in points else None for kind in PARTS), heavy,
            )
        )  # fmt: skip
    return saved(table_xlsx("风险预警", columns, rows), f"风险预警{today():%Y%m%d}.xlsx")


@for_roles(*OFFICERS)
@require_POST
def risks_reckon(request: HttpRequest) -> HttpResponse:
    """Reckon all scores anew."""
    tasks_risk.watch_risks_now.defer()
    messages.success(request, "已开始重算，稍后刷新看结果。")
    return redirect("escrow:risks")


@for_roles(*OFFICERS)
@require_safe
@never_cache
def weights(request: HttpRequest) -> HttpResponse:
    """How a score comes about: every weight and threshold with its reason."""
    layer = user_of(request).employer.layer_code
    parts = [(part, list(part.shares.values()), acts.cites_of(kind, layer)) for kind, part in PARTS.items()]
    return render(request, "escrow/risk/weights.html", {"parts": parts, "levels": [(least, level.label) for least, level in LEVELS]})


def _watched(request: HttpRequest, pk: int) -> Organisation:
    return get_object_or_404(institutions_watched(user_of(request)), pk=pk)


@for_roles(*OFFICERS)
@require_safe
@never_cache
def risk(request: HttpRequest, pk: int) -> HttpResponse:
    """The risk file of an institution."""
    return _page(request, _watched(request, pk))


def _page(request: HttpRequest, institution: Organisation, form: StepForm | None = None, problems: list[str] | None = None) -> HttpResponse:
    day = today()
    score = RiskScore.objects.filter(institution=institution).select_related("institution").order_by("-on_date").first()
    agreements = list(CustodyAgreement.objects.filter(institution=institution).order_by("-starts_on"))
    running = [each for each in agreements if each.starts_on <= day and (each.ends_on is None or each.ends_on >= day)]
    contracts = Contract.objects.filter(institution=institution, state__in=SIGNED_STATES)
    if form is None:
        form = StepForm(initial={"kind": RiskStepKind.PLAN, "text": acts.proposed_plan(score) if score else ""})
    context = {
        "institution": institution,
        "score": score,
        "parts": _cited(score, institution) if score else [],
        "cover": outlook.Cover(running[0].mode if running else "", 1, score.owed_fen, score.uncovered_fen) if score else None,
        "figures": [build(institution, day) for build in figures.OF_INSTITUTION.values()] if score else [],
        "registered": RegisteredInstitution.objects.filter(institution=institution).first(),
        "agreements": agreements,
        "is_paused": any(each.is_release_paused for each in running),
        "can_pause": bool(running),
        "contract_sums": _contract_sums(contracts),
        "days": list(DayBalance.objects.filter(agreement__in=agreements).select_related("agreement").order_by("-on_date")[:_SHOWN]),
        "refunds": list(Refund.objects.open().filter(contract__in=contracts).select_related("contract").order_by("due_on", "pk")[:_SHOWN]),
        "refund_count": Refund.objects.open().filter(contract__in=contracts).count(),
        "dispute_count": Lesson.objects.disputed().filter(contract__in=contracts).count(),
        "complaints": list(Complaint.objects.filter(contract__in=contracts).select_related("contract")[:_SHOWN]),
        "flows": list(BankLine.objects.filter(agreement__in=agreements, is_large=True).order_by("-booked_on", "-pk")[:_SHOWN]),
        "steps": list(RiskStep.objects.filter(institution=institution).select_related("made_by")[:50]),
        "form": form,
        "problems": problems or [],
        "today": day,
    }  # fmt: skip
    return render(request, "escrow/risk/file.html", context, status=422 if problems or form.errors else 200)


def _cited(score: RiskScore, institution: Organisation) -> list[tuple[dict[str, Any], list[tuple[str, str]]]]:
    """The parts of a score with their clauses."""
    return [(part, acts.cites_of(part["kind"], institution.layer_code)) for part in score.parts if part["kind"] in PARTS]


def _contract_sums(contracts: QuerySet[Contract]) -> dict[str, int]:
    """Contracts in force, what they come to, their lessons, and those given."""
    live = contracts.filter(state=ContractState.ACTIVE)
    sums = live.aggregate(count=Count("pk"), fen=Sum("amount_fen", default=0), lessons=Sum("lessons", default=0))
    given = Lesson.objects.filter(contract__in=live, state__in=RELEASED_STATES).aggregate(given=Sum("lessons", default=0))
    return sums | given


@for_roles(*OFFICERS)
@require_POST
def risk_step(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter a step."""
    institution, form = _watched(request, pk), StepForm(request.POST)
    if form.is_valid():
        try:
            acts.add_step(institution, by=user_of(request), **form.cleaned_data)
        except ValidationError as error:
            return _page(request, institution, form, error.messages)
        messages.success(request, "已记入风险档案。")
        return redirect("escrow:risk", pk)
    return _page(request, institution, form, errors_of(form))


@for_roles(*OFFICERS)
@require_POST
def risk_step_done(request: HttpRequest, pk: int) -> HttpResponse:
    """A planned step is done."""
    step = get_object_or_404(RiskStep.objects.visible_to(user_of(request)), pk=pk)
    acts.finish_step(step, by=user_of(request))
    messages.success(request, "已记为完成。")
    return redirect("escrow:risk", step.institution_id)


@for_roles(*OFFICERS)
@require_POST
def risk_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop releases to the institution, or let them go on."""
    institution, form = _watched(request, pk), PauseForm(request.POST)
    if not form.is_valid():
        return _page(request, institution, problems=errors_of(form))
    is_paused = form.cleaned_data["verdict"] == "pause"
    running = CustodyAgreement.objects.visible_to(user_of(request)).in_force(today()).filter(institution=institution)
    try:
        changed = acts.set_paused(running, is_paused=is_paused, reason=form.cleaned_data["reason"], by=user_of(request))
    except ValidationError as error:
        return _page(request, institution, problems=error.messages)
    done = "已暂停划拨；家长退费照常。" if is_paused else "已恢复划拨，积下的下次一并发出。"
    messages.success(request, done if changed else "没有变化：已经是这个状态，或没有生效的监管协议。")
    return redirect("escrow:risk", pk)


@for_roles(*OFFICERS)
@require_safe
def risk_chart(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """How the score went, or how what is owed will go, as SVG."""
    width = request.GET.get("width", DESK)
    institution = _watched(request, pk)
    if width not in WIDTHS or name not in figures.OF_INSTITUTION:
        raise Http404
    figure = figures.OF_INSTITUTION[name](institution, today())

    def picture() -> str | None:
        # Altair takes half a second to load: only the first chart pays for it.
        from qingdan.escrow.charts.specs import specification

        return None if figure.is_empty else draw(specification(figure, width))

    return answer_once(request, ("escrow", figure, width), picture)
