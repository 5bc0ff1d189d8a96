"""One institution's yearly inspection: it answers item by item, officers check item by item, and a result follows.

Items are saved one by one. In place, a refusal is the item itself with the reason (htmx swaps only answers that succeed); without a
script it is the whole page with status 400.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import attempt
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.institutions.actions import inspections as acts
from qingdan.institutions.enums import InspectionState, InstitutionState
from qingdan.institutions.forms import inspections as forms
from qingdan.institutions.models import Inspection, InspectionEvidence, InspectionItem, Listing
from qingdan.institutions.views.registry import add_errors
from qingdan.judging.facts import fact_sources
from qingdan.places.calendar import current_pack, today
from qingdan.storage.downloads import saved
from qingdan.storage.files import FILE_BYTES_MAX, KINDS, KINDS_TEXT

log = logging.getLogger(__name__)
_READERS = (*OFFICERS, Role.INSTITUTION)
_ItemForm = forms.AnswerForm | forms.CheckForm


#: What files are taken, for the page.
_TAKEN = {
    "accepted": ",".join(kind.suffix for kind in KINDS),
    "files_hint": f"{KINDS_TEXT}，每个不超过 {FILE_BYTES_MAX // 1024 // 1024} MB",
}


#: Where an item's form goes, by whether an officer checks.
_ACTION = {True: "institutions:inspection_item_check", False: "institutions:inspection_item_report"}


@cache
def _clause_page(clause: str) -> str:
    return reverse("library:clause", args=[clause])


@dataclass(frozen=True)
class Shown:
    """One item on the page."""

    item: InspectionItem
    #: The item's key as it stands in ids, where its form goes, and address and words of each clause: a page has fifty of them.
    key: str
    action: str
    cites: Sequence[tuple[str, str]]
    #: Which fact kind its rule is about, and whether this installation keeps such facts at all.
    topic: str
    is_recorded: bool
    remedy: str
    #: Whether it can be filled in now, and what stands in its form: ``yes``, ``no`` or nothing, and a note.
    is_open: bool
    answer: str
    note: str
    #: Why what was sent has not been saved.
    refusals: Sequence[str] = ()


def _found(request: HttpRequest, pk: int) -> Inspection:
    visible = Inspection.objects.visible_to(user_of(request))
    return get_object_or_404(visible.select_related("campaign__bureau", "institution__organisation", "inspected_by__organisation"), pk=pk)


def _item(request: HttpRequest, pk: int) -> InspectionItem:
    visible = Inspection.objects.visible_to(user_of(request))
    items = InspectionItem.objects.filter(inspection__in=visible)
    with_all = items.select_related("inspection__campaign", "inspection__institution__organisation")
    return get_object_or_404(with_all.prefetch_related(_EVIDENCE), pk=pk)


#: Files without their content.
_EVIDENCE = Prefetch("evidence", InspectionEvidence.objects.defer("content"))


def _is_checking(request: HttpRequest, found: Inspection) -> bool:
    """Whether the user is an officer who may fill in checks now."""
    is_open = found.state not in (InspectionState.PASSED, InspectionState.FAILED)
    return user_of(request).is_officer and is_open and acts.may_check(found, today())


def _is_reporting(request: HttpRequest, found: Inspection) -> bool:
    """Whether the user is the institution, and it is to answer now."""
    return not user_of(request).is_officer and found.is_with_institution


def _shown(request: HttpRequest, found: Inspection, items: Sequence[InspectionItem], refused: _ItemForm | None = None) -> list[Shown]:
    pack, recorded = current_pack(), fact_sources()
    is_checking, is_reporting = _is_checking(request, found), _is_reporting(request, found)
    shown = []
    for item in items:
        is_open = is_checking or (is_reporting and (found.state == InspectionState.WAITING or item.is_met is False))
        truth, note = (item.is_met, item.note) if is_checking else (item.self_answer, item.self_note)
        filled: dict[str, Any] = {"answer": "" if truth is None else "yes" if truth else "no", "note": note}
        if refused is not None and refused.item.pk == item.pk:
            filled = {name: refused[name].value() or "" for name in ("answer", "note")} | {"refusals": refused.refusals}
        # A rule that a later pack no longer has is told as it was kept.
        rule = pack.rules.get(item.rule_id)
        kind = pack.vocabulary.kinds[rule.facts] if rule else None
        root = kind.derived.source if kind is not None and kind.derived is not None else kind.name if kind else ""
        shown.append(
            Shown(
                item=item, key=str(item.pk), action=reverse(_ACTION[is_checking], args=[item.pk]) if is_open else "",
                cites=[(_clause_page(cite["clause"]), cite["text"]) for cite in item.cites],
                topic=kind.label if kind else "其他", is_recorded=root in recorded, remedy=rule.remedy if rule else "", is_open=is_open,
                **filled,
            )
        )  # fmt: skip
    return shown


def _progress(items: Sequence[InspectionItem]) -> dict[str, int]:
    """How far it is: items, answered, wanting by itself, checked, wanting by the check."""
    return {
        "whole": len(items),
        "answered": sum(each.self_answer is not None for each in items),
        "own_no": sum(each.self_answer is False for each in items),
        "known": sum(bool(each.known_breaches) for each in items),
        "checked": sum(each.is_met is not None for each in items),
        "failed": sum(each.is_met is False for each in items),
    }


def _page(request: HttpRequest, found: Inspection, *, refused: _ItemForm | None = None, status: int = 200, **more: Any) -> HttpResponse:
    items = list(found.items.prefetch_related(_EVIDENCE))
    user = user_of(request)
    is_failed = user.is_officer and found.state == InspectionState.FAILED
    listed = Listing.objects.filter(institution=found.institution_id, until=None).first() if is_failed else None
    context = {
        "inspection": found,
        "today": today(),
        "shown": _shown(request, found, items, refused),
        "progress": _progress(items),
        "is_checking": _is_checking(request, found),
        "is_reporting": _is_reporting(request, found),
        **_TAKEN,
        "may_reopen": user.is_officer and found.is_checked,
        "conclude_form": forms.ConcludeForm(initial={"conclusion": found.conclusion}),
        "correction_form": forms.CorrectionForm(),
        "reason_form": forms.ReasonForm(inspection=found),
        "is_failed": is_failed,
        "is_suspended": found.institution.state != InstitutionState.ACTIVE,
        "listed": listed,
    }
    return render(request, "institutions/inspections/inspection.html", context | more, status=status)


@for_roles(*_READERS)
@require_safe
def inspection(request: HttpRequest, pk: int) -> HttpResponse:
    """What is required, what the institution says, what the check showed, and the result."""
    return _page(request, _found(request, pk))


def _saved(request: HttpRequest, item: InspectionItem, refused: _ItemForm | None = None) -> HttpResponse:
    """The item in place with the progress beside it, or the page."""
    found = item.inspection
    if not is_fragment(request):
        if refused is not None:
            return _page(request, _found(request, found.pk), refused=refused, status=400)
        return redirect(f"{reverse('institutions:inspection', args=[found.pk])}#item-{item.pk}")
    (each,) = _shown(request, found, [item], refused)
    progress = _progress(list(found.items.all()))
    context = {
        "each": each,
        "inspection": found,
        "progress": progress,
        "is_checking": _is_checking(request, found),
        "is_reporting": _is_reporting(request, found),
        "is_fragment": True,
        **_TAKEN,
        "is_saved": refused is None,
    }
    return render(request, "institutions/inspections/includes/item.html", context)


@for_roles(Role.INSTITUTION)
@require_POST
def item_report(request: HttpRequest, pk: int) -> HttpResponse:
    """The institution answers one item."""
    item = _item(request, pk)
    form = forms.AnswerForm(request.POST, request.FILES, item=item)
    if not form.is_valid():
        return _saved(request, item, form)
    data = form.cleaned_data
    try:
        acts.answer_item(item, answer=form.truth, note=data["note"], files=data["evidence"], by=user_of(request))
    except ValidationError as error:
        add_errors(form, error)
        return _saved(request, _item(request, pk), form)
    return _saved(request, _item(request, pk))


@for_roles(*OFFICERS)
@require_POST
def item_check(request: HttpRequest, pk: int) -> HttpResponse:
    """An officer checks one item."""
    item = _item(request, pk)
    form = forms.CheckForm(request.POST, item=item)
    if not form.is_valid():
        return _saved(request, item, form)
    try:
        acts.check_item(item, is_met=form.truth, note=form.cleaned_data["note"], by=user_of(request))
    except ValidationError as error:
        add_errors(form, error)
        return _saved(request, _item(request, pk), form)
    return _saved(request, _item(request, pk))


def _evidence(request: HttpRequest, pk: int) -> InspectionEvidence:
    visible = Inspection.objects.visible_to(user_of(request))
    found = InspectionEvidence.objects.filter(item__inspection__in=visible)
    return get_object_or_404(found.select_related("item__inspection"), pk=pk)


@for_roles(*_READERS)
@require_safe
def evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """One file, byte for byte; always saved, never shown in the browser."""
    file = _evidence(request, pk)
    log.info("inspection.evidence_downloaded evidence=%s by=%s", pk, user_of(request).pk)
    return saved(file.content, file.name, file.content_type)


@for_roles(Role.INSTITUTION)
@require_POST
def evidence_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a file off."""
    file = _evidence(request, pk)
    attempt(request, lambda: acts.delete_evidence(file, by=user_of(request)), f"“{file.name}”已删除。")
    return redirect(f"{reverse('institutions:inspection', args=[file.item.inspection_id])}#item-{file.item_id}")


def _overtaken(request: HttpRequest, pk: int, error: ValidationError) -> HttpResponse:
    """The page as it is now, with what forbids the act; its form may be there no longer."""
    messages.error(request, "；".join(error.messages))
    return redirect("institutions:inspection", pk)


@for_roles(Role.INSTITUTION)
@require_POST
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in the report."""
    found = _found(request, pk)
    attempt(request, lambda: acts.submit_report(found, by=user_of(request)), "自查已提交，等主管部门核查。")
    return redirect("institutions:inspection", pk)


@for_roles(Role.INSTITUTION)
@require_POST
def corrected(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that what was found is corrected."""
    found = _found(request, pk)
    form = forms.CorrectionForm(request.POST)
    if form.is_valid():
        try:
            acts.report_correction(found, note=form.cleaned_data["note"], by=user_of(request))
        except ValidationError as error:
            return _overtaken(request, pk, error)
        messages.success(request, "已报告整改完成，等主管部门复查。")
        return redirect("institutions:inspection", pk)
    return _page(request, found, status=400, correction_form=form)


@for_roles(*OFFICERS)
@require_POST
def rest_met(request: HttpRequest, pk: int) -> HttpResponse:
    """Take for met what nothing speaks against."""
    found = _found(request, pk)
    try:
        count = acts.meet_the_rest(found, by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        messages.success(request, f"{count} 项记为符合。" if count else "没有可以一并记为符合的项目。")
    return redirect("institutions:inspection", pk)


@for_roles(*OFFICERS)
@require_POST
def conclude(request: HttpRequest, pk: int) -> HttpResponse:
    """Passed, to correct, or failed."""
    found = _found(request, pk)
    form = forms.ConcludeForm(request.POST)
    if form.is_valid():
        try:
            held = acts.conclude(found, **form.cleaned_data, by=user_of(request))
        except ValidationError as error:
            if not hasattr(error, "error_dict"):
                return _overtaken(request, pk, error)
            add_errors(form, error)
        else:
            messages.success(request, f"已作出结论：{held.get_state_display()}。机构会收到通知。")
            return redirect("institutions:inspection", pk)
    return _page(request, found, status=400, conclude_form=form)


@for_roles(*OFFICERS)
@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a result back."""
    found = _found(request, pk)
    attempt(request, lambda: acts.reopen(found, by=user_of(request)), "已收回结论，可以重新核查。")
    return redirect("institutions:inspection", pk)


def _follow(request: HttpRequest, pk: int, act: Callable[..., object], done: str) -> HttpResponse:
    found = _found(request, pk)
    form = forms.ReasonForm(request.POST)
    if form.is_valid():
        try:
            act(found, reason=form.cleaned_data["reason"], by=user_of(request))
        except ValidationError as error:
            return _overtaken(request, pk, error)
        messages.success(request, done)
        return redirect("institutions:inspection", pk)
    return _page(request, found, status=400, reason_form=form)


@for_roles(*OFFICERS)
@require_POST
def suspend(request: HttpRequest, pk: int) -> HttpResponse:
    """Suspend an institution that failed."""
    return _follow(request, pk, acts.suspend, "机构已停业整顿，公开页同时更新。")


@for_roles(*OFFICERS)
@require_POST
def blacklist(request: HttpRequest, pk: int) -> HttpResponse:
    """Put an institution that failed on the black list."""
    return _follow(request, pk, acts.blacklist, "已列入黑名单，理由会公开。")
