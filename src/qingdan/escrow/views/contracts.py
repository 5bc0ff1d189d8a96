"""Pages of contracts: an institution drafts and offers them, a guardian reads and signs, officers see what has been signed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.escrow.actions.signing import annul, cancel, change_draft, delete_draft, draft_contracts, offer, sign, take_back
from qingdan.escrow.contract_text import TITLE, digest_of, full_text, read_sections
from qingdan.escrow.enums import ContractState, OrderState
from qingdan.escrow.forms.contracts import ContractFilter, ContractForm, ReasonForm, SignForm
from qingdan.escrow.models import Contract, CustodyAgreement
from qingdan.escrow.models.contracts import ContractQuerySet
from qingdan.escrow.sheets import contracts_xlsx, masked
from qingdan.escrow.trial import opinion_of
from qingdan.escrow.unfair import unfair_terms
from qingdan.judging.trying import Refused
from qingdan.places.calendar import current_pack, today
from qingdan.storage.downloads import saved

log = logging.getLogger(__name__)
_PER_PAGE = 30
_READERS = (Role.INSTITUTION, Role.PARENT, *OFFICERS)
#: More than this is not exported at once; the page says so.
EXPORT_ROWS_MAX = 20_000
_TEXT_LENGTH_MAX = 5_000


def _found(request: HttpRequest, pk: int) -> Contract:
    contracts = Contract.objects.visible_to(user_of(request)).select_related("institution", "guardian", "agreement", "offered_by")
    return get_object_or_404(contracts, pk=pk)


def _listed(request: HttpRequest) -> tuple[ContractFilter, ContractQuerySet]:
    """The contracts a user may see and asks for, without the long texts."""
    user = user_of(request)
    visible = Contract.objects.visible_to(user)
    form = ContractFilter(request.GET, user=user, contracts=visible)
    return form, form.apply(visible).select_related("institution").defer("signed_text", "extra_terms", "unfair_terms")


@for_roles(*_READERS)
@require_safe
def contracts(request: HttpRequest) -> HttpResponse:
    """The contracts a user may see, filtered and paged."""
    user = user_of(request)
    form, found = _listed(request)
    if user.is_parent:
        found = found.waiting_first()
    page = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    rows = [(each, masked(each.learner_name) if user.is_officer else each.learner_name) for each in page]
    context = {"page": page, "rows": rows, "form": form, "asked": request.GET.urlencode(), "export_max": EXPORT_ROWS_MAX}
    template = "escrow/contracts/includes/list.html" if is_fragment(request) else "escrow/contracts/list.html"
    return render(request, template, context)


@for_roles(*_READERS)
@require_safe
def contracts_export(request: HttpRequest) -> HttpResponse:
    """What the list shows, as a workbook."""
    user, (_, found) = user_of(request), _listed(request)
    log.info("escrow.contracts.exported by=%s asked=%s", user.pk, request.GET.urlencode())
    return saved(contracts_xlsx(found[:EXPORT_ROWS_MAX], with_names=not user.is_officer), f"培训合同-{today()}.xlsx")


def _agreement(contract: Contract) -> CustodyAgreement | None:
    if contract.agreement is not None:
        return contract.agreement
    return CustodyAgreement.objects.in_force(today()).filter(institution=contract.institution_id).first()


def _page(request: HttpRequest, contract: Contract, *, status: int = 200, **more: Any) -> HttpResponse:
    user, agreement = user_of(request), _agreement(contract)
    text = contract.signed_text or full_text(contract, agreement)
    head, parts = read_sections(text)
    order = contract.orders.exclude(state=OrderState.CANCELLED).first() if contract.is_signed else None
    context = {
        "contract": contract,
        "learner": masked(contract.learner_name) if user.is_officer else contract.learner_name,
        "agreement": agreement,
        # Officers are not told whose child it is: they see the terms, not the text with its names.
        "head": [] if user.is_officer else head[1:],
        "sections": [] if user.is_officer else parts,
        "is_text_whole": not contract.signed_text or digest_of(contract.signed_text) == contract.text_digest,
        "order": order,
        "sign_form": SignForm(),
        "reason_form": ReasonForm(),
        "is_guardian": user.pk == contract.guardian_id,
        "is_clerk": user.role == Role.INSTITUTION,
        "title": TITLE,
    }
    return render(request, "escrow/contracts/contract.html", context | more, status=status)


@for_roles(*_READERS)
@require_safe
def contract(request: HttpRequest, pk: int) -> HttpResponse:
    """One contract: its text, what the law says, what can be done now, and the money."""
    return _page(request, _found(request, pk))


@for_roles(*_READERS)
@require_safe
def contract_check(request: HttpRequest, pk: int) -> HttpResponse:
    """What the law says of it, as of today."""
    found = _found(request, pk)
    context = {"contract": found, "opinion": opinion_of(found)}
    template = "escrow/contracts/includes/opinion.html" if is_fragment(request) else "escrow/contracts/check.html"
    return render(request, template, context)


@for_roles(Role.INSTITUTION, Role.PARENT)
@require_safe
def contract_download(request: HttpRequest, pk: int) -> HttpResponse:
    """The text as one file that needs nothing else: with digest and both signatures once it is signed."""
    found = _found(request, pk)
    text = found.signed_text or full_text(found, _agreement(found))
    head, parts = read_sections(text)
    page = render_to_string(
        "escrow/contracts/file.html", {"contract": found, "head": head[1:], "sections": parts, "title": TITLE, "text": text}
    )
    log.info("escrow.contract.downloaded by=%s contract=%s", user_of(request).pk, found.pk)
    return saved(page.encode(), f"培训合同-{found.number}.html", "text/html; charset=utf-8")


def _edit_page(request: HttpRequest, form: ContractForm, *, status: int = 200, **more: Any) -> HttpResponse:
    contract: Contract = form.instance
    context = {"form": form, "contract": contract if contract.pk else None, **_aid(form)}
    return render(request, "escrow/contracts/edit.html", context | more, status=status)


def _aid(form: ContractForm) -> dict[str, Any]:
    """What is filed of the chosen course, the amount, and suspicious terms: as far as something is typed."""
    chosen = str(form["course"].value() or "")
    courses = {str(each.number): each for each in form.fields["course"].queryset}  # type: ignore[attr-defined]
    course = courses.get(chosen)
    text = str(form["extra_terms"].value() or "")[:_TEXT_LENGTH_MAX]
    place = form.instance.institution.layer_code
    known: dict[str, Any] = {"terms": unfair_terms(text, place=place, pack=current_pack()), "course": course}
    if course is None:
        return known
    filing = form.filings.get(course.number)
    asked: Any = form.fields["lesson_price_yuan"]
    try:
        typed = asked.clean(form["lesson_price_yuan"].value())
        lessons = int(str(form["lessons"].value() or 0))
    except (ValidationError, ValueError):
        return known | {"filing": filing}
    price = typed or (filing.standard_fen if filing else course.lesson_price_fen)
    above = filing is not None and price > filing.standard_fen
    return known | {"filing": filing, "price_fen": price, "amount_fen": price * lessons if 0 < lessons < 1000 else None, "is_above": above}


@for_roles(Role.INSTITUTION)
def contract_new(request: HttpRequest) -> HttpResponse:
    """Draft a contract for each family whose code was told; with one press they are signed and offered too."""
    user = user_of(request)
    form = ContractForm(request.POST or None, institution=user.employer, initial={"course": request.GET.get("course")})
    if request.method != "POST":
        return _edit_page(request, form)
    if not form.is_valid():
        return _edit_page(request, form, status=400)
    try:
        drafted = draft_contracts(contract=form.save(commit=False), codes=form.found_codes, by=user)
    except ValidationError as error:
        form.add_error(None, error)
        return _edit_page(request, form, status=400)
    if len(drafted) == 1 and "offer" not in request.POST:
        messages.success(request, "已存为草稿，家长还看不到。")
    elif "offer" in request.POST:
        return _offer_all(request, drafted)
    else:
        messages.success(request, f"已存 {len(drafted)} 份草稿，家长还看不到。")
    return redirect("escrow:contract", drafted[0].pk) if len(drafted) == 1 else redirect("escrow:contracts")


def _offer_all(request: HttpRequest, drafted: list[Contract]) -> HttpResponse:
    """Each is judged by itself; what is refused stays a draft with its reasons."""
    user, sent = user_of(request), 0
    for each in drafted:
        try:
            offer(contract=each, by=user)
        except Refused as refused:
            if len(drafted) == 1:
                return _page(request, _found(request, each.pk), status=400, objections=refused.objections)
            messages.error(request, f"{each.learner_name}：{refused}。已存为草稿。")
        except ValidationError as error:
            messages.error(request, f"{each.learner_name}：{'；'.join(error.messages)}。已存为草稿。")
        else:
            sent += 1
    if sent:
        messages.success(request, f"已签署并发给 {sent} 位家长，等家长签。")
    return redirect("escrow:contract", drafted[0].pk) if len(drafted) == 1 else redirect("escrow:contracts")


@for_roles(Role.INSTITUTION)
def contract_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a draft."""
    found, user = _found(request, pk), user_of(request)
    if found.state != ContractState.DRAFT:
        messages.error(request, "合同已经发给家长，不能直接修改；请先收回。")
        return redirect("escrow:contract", pk)
    form = ContractForm(request.POST or None, instance=found, institution=user.employer)
    if request.method != "POST":
        return _edit_page(request, form)
    if not form.is_valid():
        return _edit_page(request, form, status=400)
    try:
        change_draft(contract=form.save(commit=False), by=user)
    except ValidationError as error:
        form.add_error(None, error)
        return _edit_page(request, form, status=400)
    if "offer" in request.POST:
        return _offer_all(request, [found])
    messages.success(request, "草稿已保存。")
    return redirect("escrow:contract", pk)


@for_roles(Role.INSTITUTION)
@require_POST
def contract_aid(request: HttpRequest) -> HttpResponse:
    """What the draft that is being typed comes to; nothing is kept."""
    form = ContractForm(request.POST, institution=user_of(request).employer)
    return render(request, "escrow/contracts/includes/aid.html", _aid(form))


def _act(request: HttpRequest, contract: Contract, act: Callable[[], object], done: str, **forms: Any) -> HttpResponse:
    """Do it and say so, or show why not on the contract's page."""
    try:
        act()
    except Refused as refused:
        return _page(request, _found(request, contract.pk), status=400, objections=refused.objections)
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        messages.success(request, done)
    return redirect("escrow:contract", contract.pk)


@for_roles(Role.INSTITUTION)
@require_POST
def contract_offer(request: HttpRequest, pk: int) -> HttpResponse:
    """The institution signs and the family is told."""
    found = _found(request, pk)
    return _act(request, found, lambda: offer(contract=found, by=user_of(request)), "已签署并发给家长，等家长签。")


@for_roles(Role.INSTITUTION)
@require_POST
def contract_take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an offer back to change it."""
    found = _found(request, pk)
    return _act(request, found, lambda: take_back(contract=found, by=user_of(request)), "已收回，现在是草稿，家长看不到。")


@for_roles(Role.INSTITUTION)
@require_POST
def contract_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a draft."""
    found = _found(request, pk)
    try:
        delete_draft(contract=found, by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
        return redirect("escrow:contract", pk)
    messages.success(request, "草稿已删除。")
    return redirect("escrow:contracts")


@for_roles(Role.PARENT)
@require_POST
def contract_sign(request: HttpRequest, pk: int) -> HttpResponse:
    """The guardian signs."""
    found, user = _found(request, pk), user_of(request)
    form = SignForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=400, sign_form=form)
    return _act(request, found, lambda: sign(contract=found, by=user), "合同已签署。双方都不能再改，请按下面的缴费单缴费。")


@for_roles(Role.INSTITUTION, Role.PARENT)
@require_POST
def contract_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Decline or withdraw an offer, or give up a signed contract that is not paid."""
    found, user = _found(request, pk), user_of(request)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=400, reason_form=form)
    reason = form.cleaned_data["reason"]
    verb = annul if found.state == ContractState.SIGNED else cancel
    return _act(request, found, lambda: verb(contract=found, by=user, reason=reason), "合同已作废，对方会收到通知。")
