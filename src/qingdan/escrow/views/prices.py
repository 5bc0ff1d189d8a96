"""Pages of prices: the bureau's guided prices, the fees that institutions file, and what the public sees of both."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import OFFICERS, OrganisationKind, Role
from qingdan.accounts.models import Organisation
from qingdan.escrow.actions.pricing import (
    PriceRow,
    delete_price,
    end_price,
    file_fee,
    prepare_filing,
    price_of,
    publish_fee,
    set_price,
    take_prices,
    withdraw_fee,
)
from qingdan.escrow.forms.prices import EndPriceForm, FeeForm, PriceFilter, PriceForm, PricesUploadForm
from qingdan.escrow.models import CustodyAgreement, FeeFiling, GuidedPrice, OfferedCourse
from qingdan.escrow.sheets import prices_xlsx, read_prices
from qingdan.escrow.trial import longest_span
from qingdan.escrow.wording import yuan
from qingdan.judging.trying import Refused
from qingdan.places.calendar import today
from qingdan.places.models import Region
from qingdan.storage.downloads import saved
from qingdan.workbooks.model import FileFault

_PER_PAGE = 50
_PROBLEMS_SHOWN = 50


def _own_prices(request: HttpRequest) -> QuerySet[GuidedPrice]:
    """Those that this bureau may change."""
    return GuidedPrice.objects.filter(region__in=Region.objects.visible_to(user_of(request)))


@for_roles(Role.BUREAU, Role.DEPARTMENT, Role.INSTITUTION)
@require_safe
def prices(request: HttpRequest) -> HttpResponse:
    """Guided prices of one's region; the past ones are the history."""
    user = user_of(request)
    form = PriceFilter(request.GET)
    seen = GuidedPrice.objects.filter(region__code=user.employer.region_code) if not user.is_bureau else _own_prices(request)
    found = form.apply(GuidedPrice.objects.filter(pk__in=seen.values("pk")), today()).select_related("region", "entered_by")
    context = {
        "page": Paginator(found, _PER_PAGE).get_page(request.GET.get("page")),
        "form": form,
        "asked": request.GET.urlencode(),
        "day": today(),
        "has_regions": Region.objects.visible_to(user).count() > 1,
    }
    template = "escrow/prices/includes/list.html" if is_fragment(request) else "escrow/prices/list.html"
    return render(request, template, context)


@for_roles(Role.BUREAU)
def price_new(request: HttpRequest) -> HttpResponse:
    """A new guided price; the one of the same bands ends by it."""
    user = user_of(request)
    form = PriceForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        try:
            before = set_price(price=form.save(commit=False), by=user)
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
        else:
            told = f"；同一档原来的 {yuan(before.price_fen)} 到 {before.ends_on} 为止" if before else ""
            messages.success(request, f"指导价已保存{told}。")
            return redirect("escrow:prices")
    return render(request, "escrow/prices/price.html", {"form": form}, status=400 if form.errors else 200)


@for_roles(Role.BUREAU)
def price_end(request: HttpRequest, pk: int) -> HttpResponse:
    """The last day of a guided price."""
    price = get_object_or_404(_own_prices(request).select_related("region"), pk=pk)
    form = EndPriceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            end_price(price=price, on=form.cleaned_data["on"], by=user_of(request))
        except ValidationError as error:
            form.add_error("on", ValidationError(error.messages))
        else:
            messages.success(request, "已写明废止日期。")
            return redirect("escrow:prices")
    return render(request, "escrow/prices/end.html", {"form": form, "price": price}, status=400 if form.errors else 200)


@for_roles(Role.BUREAU)
@require_POST
def price_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete one that has not been in force yet."""
    try:
        delete_price(price=get_object_or_404(_own_prices(request), pk=pk), by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        messages.success(request, "指导价已删除。")
    return redirect("escrow:prices")


@for_roles(Role.BUREAU)
@require_safe
def prices_export(request: HttpRequest) -> HttpResponse:
    """What the list shows, in the columns in which it is read."""
    found = PriceFilter(request.GET).apply(GuidedPrice.objects.filter(pk__in=_own_prices(request).values("pk")), today())
    return saved(prices_xlsx(found), f"政府指导价-{today()}.xlsx")


def _read(file: UploadedFile[Any]) -> list[PriceRow]:
    with tempfile.NamedTemporaryFile(suffix=Path(file.name or "").suffix.lower()) as kept:
        for chunk in file.chunks():
            kept.write(chunk)
        kept.flush()
        return read_prices(Path(kept.name))


@for_roles(Role.BUREAU)
def prices_import(request: HttpRequest) -> HttpResponse:
    """Take a workbook in: whole rows are kept, the others are told one by one."""
    user = user_of(request)
    form = PricesUploadForm(request.POST or None, request.FILES or None, user=user)
    taken = None
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["workbook"]
        region = form.cleaned_data["region"] or Region.objects.visible_to(user).first()
        try:
            rows = _read(file)
        except FileFault as fault:
            form.add_error("workbook", f"“{Path(file.name).name[:80]}”：{fault}")
        else:
            if region is None:
                form.add_error(None, "您的单位还没有对应的地区；请先请管理员建立地区")
            else:
                taken = take_prices(region=region, rows=rows, by=user)
    context = {"form": form, "taken": taken, "refused": taken.refused[:_PROBLEMS_SHOWN] if taken else ()}
    return render(request, "escrow/prices/import.html", context, status=400 if form.errors else 200)


@for_roles(Role.INSTITUTION, *OFFICERS)
@require_safe
def fees(request: HttpRequest) -> HttpResponse:
    """Filed fees: an institution's own, or for officers those of their institutions."""
    user = user_of(request)
    is_past = request.GET.get("when") == "past"
    found = FeeFiling.objects.visible_to(user).select_related("institution").order_by("institution__pinyin", "item", "-filed_on")
    found = found.exclude(withdrawn_on=None) if is_past else found.filter(withdrawn_on=None)
    text = request.GET.get("q", "").strip()[:60]
    if text and user.is_officer:
        found = found.filter(institution__in=Organisation.objects.matching(text))
    page = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    unfiled: list[OfferedCourse] = []
    if user.role == Role.INSTITUTION and not is_past:
        filed = FeeFiling.objects.filter(institution=user.organisation_id, withdrawn_on=None).values("course_number")
        unfiled = list(OfferedCourse.objects.filter(institution=user.organisation_id).open_on(today()).exclude(number__in=filed))
    context = {"page": page, "unfiled": unfiled, "is_past": is_past, "q": text, "is_narrowed": bool(text)}
    template = "escrow/prices/includes/fees.html" if is_fragment(request) else "escrow/prices/fees.html"
    return render(request, template, context)


def _fee_aid(form: FeeForm) -> dict[str, Any]:
    """The guided price of the chosen course, and whether what is typed is above it."""
    courses = {str(each.number): each for each in form.fields["course"].queryset}  # type: ignore[attr-defined]
    course = courses.get(str(form["course"].value() or ""))
    if course is None:
        return {}
    found = price_of(course.institution, category=course.category, class_size=course.class_size, lesson_minutes=course.lesson_minutes)
    known: dict[str, Any] = {"course": course, "guided": found}
    try:
        fen = form.fields["standard_yuan"].clean(form["standard_yuan"].value())
    except ValidationError:
        return known
    return known | {"fen": fen, "is_above": found is not None and fen > found.price_fen, "over_fen": fen - found.price_fen if found else 0}


@for_roles(Role.INSTITUTION)
def fee_new(request: HttpRequest) -> HttpResponse:
    """File what a course costs; above the guided price it is refused with the clause."""
    user = user_of(request)
    form = FeeForm(request.POST or None, institution=user.employer, initial={"course": request.GET.get("course")})
    objections: Any = ()
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        filing = prepare_filing(course=data["course"], standard_fen=data["standard_yuan"], by=user)
        if data["is_published"]:
            filing.published_on = filing.filed_on
        try:
            before = file_fee(filing=filing, by=user)
        except Refused as refused:
            objections = refused.objections
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
        else:
            shown, ended = "并公示" if filing.published_on else "", "，原来的标准今天停用" if before else ""
            messages.success(request, f"“{filing.item}”已备案{shown}{ended}。")
            return redirect("escrow:fees")
    context = {"form": form, "objections": objections, **_fee_aid(form)}
    return render(request, "escrow/prices/fee.html", context, status=400 if form.errors or objections else 200)


@for_roles(Role.INSTITUTION)
@require_POST
def fee_aid(request: HttpRequest) -> HttpResponse:
    """The guided price while a fee is typed; nothing is kept."""
    form = FeeForm(request.POST, institution=user_of(request).employer)
    return render(request, "escrow/prices/includes/fee_aid.html", _fee_aid(form))


@for_roles(Role.INSTITUTION)
@require_POST
def fee_publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a filed fee to the public."""
    filing = get_object_or_404(FeeFiling.objects.visible_to(user_of(request)), pk=pk)
    try:
        publish_fee(filing=filing, by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        messages.success(request, f"“{filing.item}”的收费标准已公示。")
    return redirect("escrow:fees")


@for_roles(Role.INSTITUTION)
@require_POST
def fee_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """A fee is charged no longer."""
    filing = get_object_or_404(FeeFiling.objects.visible_to(user_of(request)), pk=pk)
    withdraw_fee(filing=filing, by=user_of(request))
    messages.success(request, f"“{filing.item}”的收费标准已停用，不再公示，也不能再签新合同。")
    return redirect("escrow:fees")


@login_not_required
@require_safe
def public_fees(request: HttpRequest, pk: int) -> HttpResponse:
    """What an institution charges, beside the guided price, and who watches over money paid in advance."""
    organisation = get_object_or_404(Organisation.objects.filter(kind=OrganisationKind.INSTITUTION), pk=pk)
    filings = list(FeeFiling.objects.filter(institution=organisation).published().order_by("item"))
    guided = list(_in_force().filter(region__code=organisation.region_code))
    rows = [(each, next((price for price in guided if price.covers(each)), None)) for each in filings]
    agreement = CustodyAgreement.objects.in_force(today()).filter(institution=organisation).first()
    context = {"organisation": organisation, "rows": rows, "agreement": agreement, "longest": longest_span(organisation)}
    return _public(request, "escrow/prices/public_fees.html", context)


def _in_force() -> QuerySet[GuidedPrice]:
    return PriceFilter({"when": "now"}).apply(GuidedPrice.objects.all(), today())


@login_not_required
@require_safe
def public_prices(request: HttpRequest) -> HttpResponse:
    """The guided prices in force, by region."""
    by_region: dict[Region, list[GuidedPrice]] = {}
    for each in _in_force().select_related("region").order_by("region__code", "category", "class_size_from", "minutes_from"):
        by_region.setdefault(each.region, []).append(each)
    return _public(request, "escrow/prices/public_prices.html", {"regions": list(by_region.items())})


def _public(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """A page for everybody; without a form nobody needs a token, and without a token there is no cookie."""
    return render(request, template, context if request.user.is_authenticated else {**context, "csrf_token": ""})
