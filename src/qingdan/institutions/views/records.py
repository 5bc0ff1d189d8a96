"""What is recorded of an institution: premises, owners, deals, lists, evaluations, pledges; each by one small form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.institutions.actions import registry as actions
from qingdan.institutions.forms import registry as forms
from qingdan.institutions.models import Institution, Listing, Owner, Premises
from qingdan.institutions.views.registry import add_errors, answer_form, fetch
from qingdan.places.calendar import today


def _answer(
    request: HttpRequest, found: Institution, form: BaseForm, act: Callable[[], Any], *, title: str, done: str, hint: str = ""
) -> HttpResponse:
    """Show the form, or do the act and return to the institution's page; a refusal stands in the form."""
    back = reverse("institutions:institution", args=[found.pk])
    if request.method == "POST" and form.is_valid():
        try:
            act()
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, done)
            return redirect(back)
    return answer_form(request, form, title=title, button="保存", crumbs=[(back, found.name)], hint=hint)


def _record(request: HttpRequest, pk: int, form_class: Any, **given: str) -> tuple[Institution, Any, Any]:
    """The institution, the form, and the record that the form fills."""
    found = fetch(request, pk)
    record = form_class.Meta.model(institution=found)
    if by_field := given.pop("by_field", ""):
        setattr(record, by_field, user_of(request))
    return found, form_class(request.POST or None, instance=record), record


@for_roles(*OFFICERS)
def set_state(request: HttpRequest, pk: int) -> HttpResponse:
    """Suspend, close, take up again."""
    found = fetch(request, pk)
    form = forms.StateForm(request.POST or None, initial={"state": found.state})

    def act() -> None:
        actions.set_state(found, **form.cleaned_data, by=user_of(request))

    return _answer(request, found, form, act, title="停业、注销或恢复", done="状态已改，公开页同时更新。")


@for_roles(*OFFICERS)
def add_premises(request: HttpRequest, pk: int) -> HttpResponse:
    """A new place to teach."""
    found, form, record = _record(request, pk, forms.PremisesForm)

    def act() -> None:
        actions.save_checked(record, by=user_of(request), exclude=("institution",))

    hint = "教学点要有许可才能开课；发证时选择这个教学点。"
    return _answer(request, found, form, act, title="添加教学点", done="已添加教学点。", hint=hint)


@for_roles(*OFFICERS)
def close_premises(request: HttpRequest, pk: int) -> HttpResponse:
    """A place that is given up."""
    visible = Institution.objects.visible_to(user_of(request))
    premises = get_object_or_404(Premises.objects.select_related("institution__organisation"), pk=pk, institution__in=visible)
    form = forms.EndForm(request.POST or None)

    def act() -> None:
        actions.close_premises(premises, closed_on=form.cleaned_data["until"], by=user_of(request))

    title = f"停用教学点“{premises.name}”"
    return _answer(request, premises.institution, form, act, title=title, done="已停用。")


@for_roles(*OFFICERS)
def add_owner(request: HttpRequest, pk: int) -> HttpResponse:
    """Who holds a share."""
    found, form, record = _record(request, pk, forms.OwnerForm)

    def act() -> None:
        if actions.add_owner(record, by=user_of(request)):
            messages.warning(request, "这位举办者涉及上市公司或外资，已同时记入资本变动并按规定判定，请看下方“资本变动”。")

    return _answer(request, found, form, act, title="添加举办者", done="已添加举办者。")


@for_roles(*OFFICERS)
def end_owner(request: HttpRequest, pk: int) -> HttpResponse:
    """Who holds no share any more."""
    visible = Institution.objects.visible_to(user_of(request))
    owner = get_object_or_404(Owner.objects.select_related("institution__organisation"), pk=pk, institution__in=visible)
    form = forms.EndForm(request.POST or None)

    def act() -> None:
        actions.end_owner(owner, until=form.cleaned_data["until"], by=user_of(request))

    return _answer(request, owner.institution, form, act, title=f"举办者“{owner.name}”退出", done="已记录退出。")


@for_roles(*OFFICERS)
def add_capital(request: HttpRequest, pk: int) -> HttpResponse:
    """A deal over capital; judged at once and recorded in any case, since it has happened."""
    found, form, record = _record(request, pk, forms.CapitalForm, by_field="recorded_by")

    def act() -> None:
        actions.save_checked(record, by=user_of(request), exclude=("institution", "recorded_by"))
        for each in actions.objections(found, "institution_capital"):
            if each.row_id == record.pk:
                clauses = "、".join(cite["clause"] for cite in each.told.cites)
                messages.error(request, f"不合规定：{each.told.sentence}（{clauses}）")

    hint = "发生了的事都要记；是否合规由规则判定，会写明依据。"
    return _answer(request, found, form, act, title="记录资本变动", done="已记录资本变动。", hint=hint)


@for_roles(*OFFICERS)
def add_listing(request: HttpRequest, pk: int) -> HttpResponse:
    """Onto the white or black list."""
    found, form, record = _record(request, pk, forms.ListingForm, by_field="decided_by")

    def act() -> None:
        actions.save_checked(record, by=user_of(request), exclude=("institution", "decided_by"))

    hint = "名单、日期和理由会在公开页上公布。"
    return _answer(request, found, form, act, title="列入黑白名单", done="已列入名单。", hint=hint)


@for_roles(*OFFICERS)
def end_listing(request: HttpRequest, pk: int) -> HttpResponse:
    """Off a list."""
    visible = Institution.objects.visible_to(user_of(request))
    listing = get_object_or_404(Listing.objects.select_related("institution__organisation"), pk=pk, institution__in=visible)
    form = forms.EndListingForm(request.POST or None)

    def act() -> None:
        actions.end_listing(listing, **form.cleaned_data, by=user_of(request))

    title = f"移出{listing.get_colour_display()}"
    return _answer(request, listing.institution, form, act, title=title, done="已移出名单，记录仍然公开。")


@for_roles(*OFFICERS)
def add_evaluation(request: HttpRequest, pk: int) -> HttpResponse:
    """What a third party found."""
    found, form, record = _record(request, pk, forms.EvaluationForm, by_field="recorded_by")

    def act() -> None:
        actions.save_checked(record, by=user_of(request), exclude=("institution", "recorded_by"))

    return _answer(request, found, form, act, title="记录第三方评估", done="已记录评估。")


@for_roles(Role.INSTITUTION)
def add_pledge(request: HttpRequest, pk: int) -> HttpResponse:
    """The institution pledges self-discipline."""
    found, form, record = _record(request, pk, forms.PledgeForm, by_field="pledged_by")
    record.pledged_on = today()

    def act() -> None:
        actions.save_checked(record, by=user_of(request), exclude=("institution", "pledged_by"))

    hint = "承诺会以机构的名义公开，公布后不能修改。"
    return _answer(request, found, form, act, title="作出自律承诺", done="承诺已公布。", hint=hint)
