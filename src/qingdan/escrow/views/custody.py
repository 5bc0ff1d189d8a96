"""Custody agreements: the list, one with all that hangs on it, and the officers' acts."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import errors_of
from qingdan.accounts.enums import OFFICERS, OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.escrow import bank_sheets, books
from qingdan.escrow.actions import agreements as acts
from qingdan.escrow.enums import OPEN_INSTRUCTIONS, RiskStepKind, SupervisionMode
from qingdan.escrow.forms.custody import AgreementForm, EndForm, ReasonForm
from qingdan.escrow.models import CustodyAgreement, DayBalance, RegisteredInstitution, RiskStep
from qingdan.places.calendar import today
from qingdan.storage.downloads import saved

_PER_PAGE = 20
WATCHERS = (*OFFICERS, Role.INSTITUTION)


def institutions_of(user: User) -> QuerySet[Organisation]:
    """Institutions that an officer may make agreements for: of the region; for a department, those that it watches over."""
    found = Organisation.objects.overseen_by(user.employer).filter(kind=OrganisationKind.INSTITUTION)
    registered = RegisteredInstitution.objects.filter(institution=OuterRef("pk"))
    if not user.is_bureau:
        registered = registered.filter(department=user.employer.department)
    return found.filter(Exists(registered)).order_by("pinyin", "name")


def _filtered(request: HttpRequest) -> tuple[QuerySet[CustodyAgreement], dict[str, Any]]:
    found = CustodyAgreement.objects.visible_to(user_of(request)).select_related("institution")
    mode, state, text = (request.GET.get(name, "").strip() for name in ("mode", "state", "q"))
    if mode in SupervisionMode.values:
        found = found.filter(mode=mode)
    if text:
        found = found.filter(Q(institution__in=Organisation.objects.matching(text)) | Q(bank_name__icontains=text))
    if state == "paused":
        found = found.filter(is_release_paused=True)
    elif state == "ended":
        found = found.filter(ends_on__lt=today())
    elif state != "all":
        state, found = "", found.exclude(ends_on__lt=today())
    return found, {"mode": mode, "state": state, "q": text, "modes": SupervisionMode.choices}


@for_roles(*WATCHERS)
@require_safe
@never_cache
def agreements(request: HttpRequest) -> HttpResponse:
    """Agreements in force, with what lies there by the newest statement and what should; filters for the others."""
    found, context = _filtered(request)
    page = Paginator(found.order_by("institution__pinyin", "-starts_on", "pk"), _PER_PAGE).get_page(request.GET.get("page"))
    context |= {"page": page, "rows": rows_of(list(page)), "today": today()}
    if user_of(request).is_officer and not is_fragment(request):
        covered = CustodyAgreement.objects.in_force(today()).filter(institution=OuterRef("pk"))
        context["bare"] = list(institutions_of(user_of(request)).exclude(Exists(covered))[:6])
    return render(request, "escrow/custody/includes/list.html" if is_fragment(request) else "escrow/custody/list.html", context)


def rows_of(found: list[CustodyAgreement]) -> list[tuple[CustodyAgreement, DayBalance | None]]:
    """Each with its newest reconciled day."""
    newest = DayBalance.objects.filter(agreement__in=found).order_by("agreement_id", "-on_date").distinct("agreement_id")
    latest = {each.agreement_id: each for each in newest}
    return [(each, latest.get(each.pk)) for each in found]


@for_roles(*WATCHERS)
@require_safe
def agreements_export(request: HttpRequest) -> HttpResponse:
    """The listed agreements for the province: contracts, custody, coverage."""
    found, _ = _filtered(request)
    rows = rows_of(list(found.order_by("institution__pinyin", "-starts_on", "pk")))
    return saved(bank_sheets.agreements_xlsx(rows), f"监管协议{today():%Y%m%d}.xlsx")


@for_roles(*OFFICERS)
@require_http_methods(["GET", "HEAD", "POST"])
def agreement_new(request: HttpRequest) -> HttpResponse:
    """Enter an agreement."""
    user = user_of(request)
    chosen = request.GET.get("institution", "")
    initial = {"starts_on": today(), "institution": chosen if chosen.isdecimal() and len(chosen) < 18 else None}
    form = AgreementForm(request.POST or None, institutions=institutions_of(user), initial=initial)
    if request.method == "POST" and form.is_valid():
        made: CustodyAgreement = form.save(commit=False)
        made.department = _department_of(made.institution, user)
        if _done(form, lambda: acts.enter(made, by=user)):
            messages.success(request, "已登记监管协议，机构会收到通知。")
            return redirect("escrow:agreement", made.pk)
    return render(request, "escrow/custody/edit.html", {"form": form}, status=422 if form.errors else 200)


def _department_of(institution: Organisation, user: User) -> str:
    found = RegisteredInstitution.objects.filter(institution=institution).values_list("department", flat=True).first()
    return found or user.employer.department


def _done(form: Form | AgreementForm, act: Any) -> bool:
    """Whether the act was carried out; what stands against it goes to the form's fields, or above them."""
    try:
        act()
    except ValidationError as error:
        told = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for name, texts in told.items():
            for text in texts:
                form.add_error(name if name in form.fields else None, text)
        return False
    return True


def _found(request: HttpRequest, pk: int) -> CustodyAgreement:
    found = CustodyAgreement.objects.visible_to(user_of(request)).select_related("institution", "entered_by")
    return get_object_or_404(found, pk=pk)


@for_roles(*WATCHERS)
@require_safe
@never_cache
def agreement(request: HttpRequest, pk: int) -> HttpResponse:
    """One agreement: what lies there, what is open at the bank, its days, its history."""
    return _page(request, _found(request, pk))


def _page(request: HttpRequest, found: CustodyAgreement, problems: list[str] | None = None) -> HttpResponse:
    others = CustodyAgreement.objects.filter(institution=found.institution).exclude(pk=found.pk).order_by("-starts_on")
    steps = RiskStep.objects.filter(institution=found.institution, kind__in=[RiskStepKind.PAUSED, RiskStepKind.RESUMED])
    context = {
        "agreement": found,
        "institution": found.institution,
        "problems": problems or [],
        "days": list(found.day_balances.all()[:7]),
        "open_instructions": list(found.instructions.filter(state__in=OPEN_INSTRUCTIONS).order_by("pk")[:10]),
        "counts": acts.contract_counts(found),
        "sums": {name: books.balance_fen(found, name) for name in ("transit", "returning", "reserve")},
        "owed_fen": books.owed_by_agreement_fen(found),
        "due_fen": books.due_at_bank_fen(found),
        "others": list(others),
        "steps": list(steps[:5]) if user_of(request).is_officer else [],
        "is_over": found.ends_on is not None and found.ends_on < today(),
        "today": today(),
        "posted": request.POST,
    }
    return render(request, "escrow/custody/agreement.html", context, status=422 if problems else 200)


@for_roles(*OFFICERS)
@require_http_methods(["GET", "HEAD", "POST"])
def agreement_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Another mode, bank or account from a day on."""
    user, found = user_of(request), _found(request, pk)
    kept = ("mode", "bank_name", "channel", "account_number", "settlement_name", "settlement_account", "reserve_floor_fen")
    form = AgreementForm(request.POST or None, initial={name: getattr(found, name) for name in kept})
    if request.method == "POST" and form.is_valid():
        successor: CustodyAgreement = form.save(commit=False)
        if _done(form, lambda: acts.change(found, successor, by=user)):
            messages.success(request, "已登记变更：以前签的合同按原协议办完，以后签的按新协议。")
            return redirect("escrow:agreement", successor.pk)
    return render(request, "escrow/custody/edit.html", {"form": form, "agreement": found}, status=422 if form.errors else 200)


@for_roles(*OFFICERS)
@require_POST
def agreement_end(request: HttpRequest, pk: int) -> HttpResponse:
    """The agreement ends on a day."""
    found, form = _found(request, pk), EndForm(request.POST)
    if form.is_valid() and _done(form, lambda: acts.end(found, on=form.cleaned_data["on"], by=user_of(request))):
        messages.success(request, "已登记结束日期。已签的合同照原协议办完。")
        return redirect("escrow:agreement", pk)
    return _page(request, found, errors_of(form))


@for_roles(*OFFICERS)
@require_POST
def agreement_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop releases, or let them go on, with the reason."""
    found, form = _found(request, pk), ReasonForm(request.POST)
    act = acts.resume if request.POST.get("verdict") == "resume" else acts.pause
    if form.is_valid() and _done(form, lambda: act(found, reason=form.cleaned_data["reason"], by=user_of(request))):
        messages.success(request, "已恢复划拨，积下的下次一并发出。" if act is acts.resume else "已暂停划拨；家长退费照常。")
        return redirect("escrow:agreement", pk)
    return _page(request, found, errors_of(form))
