"""Pages of advertisements and activities that officers saw; an institution reads those about itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.charting.sheets import table_xlsx
from qingdan.institutions.actions import advertising as acts
from qingdan.institutions.forms import advertising as forms
from qingdan.institutions.models import Activity, Advertisement
from qingdan.institutions.models.supervision import Seen
from qingdan.institutions.views.registry import add_errors
from qingdan.places.calendar import current_pack, today
from qingdan.storage.downloads import saved

log = logging.getLogger(__name__)
_PER_PAGE = 30
_READERS = (*OFFICERS, Role.INSTITUTION)
#: How much of a text the aid reads while it is typed.
_TEXT_LENGTH_MAX = 500


@dataclass(frozen=True)
class What:
    """One of the two lists: what it holds, and how it is called."""

    name: str
    model: type[Advertisement | Activity]
    form: type[forms.AdvertisementForm | forms.ActivityForm]
    filter: type[forms.AdvertisementFilter | forms.ActivityFilter]
    title: str
    unit: str
    #: The day it was seen or held, and the text in which words are looked for.
    day_field: str
    text_field: str
    flags: tuple[str, ...]
    columns: tuple[tuple[str, Callable[[Any], object]], ...]

    @property
    def page(self) -> str:
        """URL name of one record."""
        return f"institutions:{self.name}"

    @property
    def listing(self) -> str:
        """URL name of the list."""
        return "institutions:advertisements" if self.name == "advertisement" else "institutions:activities"


ADVERTISEMENTS = What(
    "advertisement", Advertisement, forms.AdvertisementForm, forms.AdvertisementFilter, "培训广告", "条", "found_on", "text", acts.FAULTS,
    (
        ("载体", lambda each: each.get_medium_display()),
        ("位置", lambda each: each.location),
        ("内容", lambda each: each.text),
    ),
)  # fmt: skip
ACTIVITIES = What(
    "activity", Activity, forms.ActivityForm, forms.ActivityFilter, "竞赛与结果宣传", "项", "held_on", "name", acts.TRAITS,
    (
        ("活动", lambda each: each.name),
        ("类型", lambda each: each.get_kind_display()),
        ("机构角色", lambda each: each.get_role_display()),
        ("参加对象", lambda each: each.get_audience_display()),
    ),
)  # fmt: skip


def _filtered(request: HttpRequest, what: What) -> tuple[Any, models.QuerySet[Any]]:
    user = user_of(request)
    form = what.filter(request.GET, is_officer=user.is_officer)
    found = form.apply(what.model._default_manager.visible_to(user))
    found = found.select_related("institution__organisation", "recorded_by__organisation")
    if what is ADVERTISEMENTS:
        found = found.defer("photo")
    return form, found.order_by(f"-{what.day_field}", "-pk")


def _list(request: HttpRequest, what: What) -> HttpResponse:
    form, found = _filtered(request, what)
    page = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    context = {"what": what, "form": form, "page": page, "day_of": what.day_field}
    template = "institutions/advertising/includes/list.html" if is_fragment(request) else "institutions/advertising/list.html"
    return render(request, template, context)


def _flags_of(record: Seen, flags: Sequence[str]) -> list[str]:
    """The ticked ones by their names."""
    return [str(record._meta.get_field(name).verbose_name) for name in flags if getattr(record, name)]  # type: ignore[union-attr]


def _export(request: HttpRequest, what: What) -> HttpResponse:
    _, found = _filtered(request, what)
    columns = ("日期", "机构", "类别", *(label for label, _ in what.columns), "情况", "判定", "依据", "记录单位", "撤销理由")
    rows = (
        (
            getattr(each, what.day_field).isoformat(), each.institution.name, each.get_category_display(),
            *(value(each) for _, value in what.columns),
            "、".join(_flags_of(each, what.flags)) or None,
            "；".join(told["sentence"] for told in each.objections) or "未见违规",
            "；".join(cite["text"] for told in each.objections for cite in told["cites"]) or None,
            str(each.recorded_by.organisation), each.withdrawal_reason or None,
        )
        for each in found
    )  # fmt: skip
    return saved(table_xlsx(what.title, columns, rows), f"{what.title}_{today():%Y%m%d}.xlsx")


def _found(request: HttpRequest, what: What, pk: int) -> Any:
    visible = what.model._default_manager.visible_to(user_of(request))
    found = visible.select_related("institution__organisation", "recorded_by__organisation", "withdrawn_by__organisation")
    return get_object_or_404(found.defer("photo") if what is ADVERTISEMENTS else found, pk=pk)


def _page(request: HttpRequest, what: What, record: Any, *, status: int = 200, **more: Any) -> HttpResponse:
    place = record.institution.organisation.layer_code
    context = {
        "what": what,
        "record": record,
        "day": getattr(record, what.day_field),
        "flags": _flags_of(record, what.flags),
        "words": acts.result_words(getattr(record, what.text_field), place=place, pack=current_pack()),
        "withdraw_form": forms.WithdrawForm(),
    }
    return render(request, "institutions/advertising/record.html", context | more, status=status)


def _new(request: HttpRequest, what: What, save: Callable[[Any, Any], Any]) -> HttpResponse:
    user = user_of(request)
    initial = {"institution": request.GET.get("institution")}
    form = what.form(request.POST or None, request.FILES or None, user=user, initial=initial)
    if request.method == "POST" and form.is_valid():
        record = form.save(commit=False)
        try:
            kept = save(form, record)
        except ValidationError as error:
            add_errors(form, error)
        else:
            if kept.objections:
                messages.warning(request, f"已记录。按现行规定有 {len(kept.objections)} 处不合规定，机构会收到通知。")
            else:
                messages.success(request, "已记录，按现行规定未见违规。")
            return redirect(what.page, kept.pk)
    context: dict[str, Any] = {"what": what, "form": form, "words": []}
    return render(request, "institutions/advertising/new.html", context, status=400 if form.errors else 200)


def _withdraw(request: HttpRequest, what: What, pk: int) -> HttpResponse:
    record = _found(request, what, pk)
    form = forms.WithdrawForm(request.POST)
    if form.is_valid():
        try:
            acts.withdraw(record, reason=form.cleaned_data["reason"], by=user_of(request))
        except ValidationError as error:
            messages.error(request, "；".join(error.messages))
        else:
            messages.success(request, "记录已撤销，不再计入问题。")
        return redirect(what.page, pk)
    return _page(request, what, record, status=400, withdraw_form=form)


@for_roles(*_READERS)
@require_safe
def advertisements(request: HttpRequest) -> HttpResponse:
    """Advertisements that were seen."""
    return _list(request, ADVERTISEMENTS)


@for_roles(*OFFICERS)
@require_safe
def advertisements_export(request: HttpRequest) -> HttpResponse:
    """What the list shows, as a workbook."""
    return _export(request, ADVERTISEMENTS)


@for_roles(*OFFICERS)
def advertisement_new(request: HttpRequest) -> HttpResponse:
    """Record an advertisement, with a photograph taken on the spot."""

    def save(form: forms.AdvertisementForm, record: Advertisement) -> Advertisement:
        return acts.record_advertisement(record, photo=form.cleaned_data["photo_file"], by=user_of(request))

    return _new(request, ADVERTISEMENTS, save)


@for_roles(*OFFICERS)
@require_POST
def advertisement_words(request: HttpRequest) -> HttpResponse:
    """Which words of results stand in what is being typed; nothing is kept."""
    text = (request.POST.get("text") or request.POST.get("name") or "")[:_TEXT_LENGTH_MAX]
    words = acts.result_words(text, place=user_of(request).employer.layer_code, pack=current_pack())
    return render(request, "institutions/advertising/includes/words.html", {"words": words, "is_typed": True})


@for_roles(*_READERS)
@require_safe
def advertisement(request: HttpRequest, pk: int) -> HttpResponse:
    """One advertisement with what the law says of it."""
    return _page(request, ADVERTISEMENTS, _found(request, ADVERTISEMENTS, pk))


@for_roles(*_READERS)
@require_safe
def advertisement_photo(request: HttpRequest, pk: int) -> HttpResponse:
    """The photograph: a picture by its content, so that the browser may show it."""
    record = _found(request, ADVERTISEMENTS, pk)
    if not record.photo_name:
        raise Http404
    response = HttpResponse(bytes(record.photo), content_type=record.photo_type)
    response["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(record.photo_name)}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=3600"
    return response


@for_roles(*OFFICERS)
@require_POST
def advertisement_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a mistaken record back."""
    return _withdraw(request, ADVERTISEMENTS, pk)


@for_roles(*_READERS)
@require_safe
def activities(request: HttpRequest) -> HttpResponse:
    """Competitions, tests, rankings and publicity that were seen."""
    return _list(request, ACTIVITIES)


@for_roles(*OFFICERS)
@require_safe
def activities_export(request: HttpRequest) -> HttpResponse:
    """What the list shows, as a workbook."""
    return _export(request, ACTIVITIES)


@for_roles(*OFFICERS)
def activity_new(request: HttpRequest) -> HttpResponse:
    """Record an activity."""

    def save(form: forms.ActivityForm, record: Activity) -> Activity:
        return acts.record_activity(record, by=user_of(request))

    return _new(request, ACTIVITIES, save)


@for_roles(*_READERS)
@require_safe
def activity(request: HttpRequest, pk: int) -> HttpResponse:
    """One activity with what the law says of it."""
    return _page(request, ACTIVITIES, _found(request, ACTIVITIES, pk))


@for_roles(*OFFICERS)
@require_POST
def activity_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a mistaken record back."""
    return _withdraw(request, ACTIVITIES, pk)
