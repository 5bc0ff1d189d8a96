"""Rolls: take in, preview, confirm, take back; and write out."""

from __future__ import annotations

import datetime
import logging
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import Role
from qingdan.places.calendar import current_pack, today
from qingdan.policy.units import grade_name
from qingdan.schools.actions.classes import year_holding
from qingdan.schools.enums import RollAct, RollKind, RollStatus
from qingdan.schools.forms import RollForm, RollOptionsForm, first_error
from qingdan.schools.models import RollImport, School
from qingdan.schools.models.places import class_name
from qingdan.schools.rolls import applying, exporting
from qingdan.schools.rolls.reading import RollReading, read_roll
from qingdan.schools.views.answering import own_school
from qingdan.storage.downloads import saved
from qingdan.workbooks.model import FileFault

log = logging.getLogger(__name__)

_ROLLS_PER_PAGE = 20
_ROWS_PER_PAGE = 100


def _read(school: School, file: UploadedFile[Any], kind: str) -> RollReading:
    """The lines of a workbook that was sent; raise FileFault with one sentence when it is none."""
    with tempfile.NamedTemporaryFile(suffix=Path(file.name or "").suffix.lower()) as kept:
        for chunk in file.chunks():
            kept.write(chunk)
        kept.flush()
        layer = current_pack().layer(school.organisation.layer_code)
        return read_roll(Path(kept.name), kind, grade_names=layer.grade_names)


@for_roles(Role.SCHOOL_LEADER)
def rolls(request: HttpRequest) -> HttpResponse:
    """Earlier imports, and the form that takes a new one in."""
    school = own_school(request)
    form = RollForm(request.POST or None, request.FILES or None, initial={"kind": request.GET.get("kind", RollKind.PUPILS)})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        name = Path(data["workbook"].name.replace("\\", "/")).name[:150]
        try:
            reading = _read(school, data["workbook"], data["kind"])
            roll = applying.take_in(
                school, reading, kind=data["kind"], file_name=name, effective_on=data["effective_on"], by=user_of(request)
            )
        except FileFault as fault:
            form.add_error("workbook", f"“{name}”{'' if str(fault)[0] in '是有没' else '：'}{fault}")
        except ValidationError as error:
            form.add_error("effective_on", error.messages)
        else:
            return redirect("schools:roll", roll.pk)
    found = RollImport.objects.visible_to(user_of(request)).defer("journal").select_related("uploaded_by")
    page = Paginator(found, _ROLLS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"school": school, "form": form, "page": page}
    return render(request, "schools/rolls.html", context, status=400 if form.errors else 200)


def _own_roll(request: HttpRequest, pk: int) -> RollImport:
    found = RollImport.objects.visible_to(user_of(request)).defer("journal")
    return get_object_or_404(found.select_related("school__organisation", "school__region", "uploaded_by"), pk=pk)


@for_roles(Role.SCHOOL_LEADER)
@require_safe
def roll(request: HttpRequest, pk: int) -> HttpResponse:
    """What a roll will do, row by row; after the import, what it did."""
    found = _own_roll(request, pk)
    counts = Counter(found.rows.order_by().values_list("act", flat=True))
    act = request.GET.get("act", "")
    rows = found.rows.filter(act=act) if act in RollAct.values else found.rows.all()
    page = Paginator(rows, _ROWS_PER_PAGE).get_page(request.GET.get("page"))
    headers = ("班级", "学号", "姓名") if found.kind == RollKind.PUPILS else ("姓名", "用户名或工号", "任教", "职务")
    context: dict[str, Any] = {
        "school": found.school,
        "roll": found,
        "page": page,
        "headers": headers,
        "lines": [(each, list(zip(headers, _cells(found.kind, each.values), strict=True))) for each in page],
        "act": act if act in RollAct.values else "",
        "acts": [(value, label, counts[value]) for value, label in RollAct.choices],
        "whole": sum(counts.values()),
        "writes": counts[RollAct.ADD] + counts[RollAct.CHANGE],
    }
    if is_fragment(request):
        return render(request, "schools/includes/roll_rows.html", context)
    if found.status == RollStatus.PREVIEWED:
        outlook = applying.outlook(found)
        context |= {
            "missing": outlook.missing,
            "new_classes": outlook.new_classes,
            "last_day": found.effective_on - datetime.timedelta(days=1),
            "options": RollOptionsForm(initial={"creates_classes": found.creates_classes, "effective_on": found.effective_on}),
        }
    return render(request, "schools/roll.html", context)


def _cells(kind: str, values: dict[str, Any]) -> list[str]:
    if kind == RollKind.PUPILS:
        return [values.get("class", ""), values.get("number", ""), values.get("name", "")]
    taught = "、".join(class_name(*key) for key in values.get("classes", []))
    duties = [f"{class_name(*key)}班主任" for key in values.get("leads_class", [])]
    duties += [f"{grade_name(grade)}组长" for grade in values.get("leads_grade", [])]
    duties += [f"{name}教研组长" for name in values.get("leads_subject", [])]
    who = values.get("username") or values.get("staff_number", "")
    return [values.get("name", ""), who, " ".join(filter(None, ["、".join(values.get("subjects", [])), taught])), "、".join(duties)]


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def roll_options(request: HttpRequest, pk: int) -> HttpResponse:
    """Preview again with other choices."""
    found = _own_roll(request, pk)
    form = RollOptionsForm(request.POST)
    if form.is_valid():
        try:
            applying.preview_again(found, **form.cleaned_data)
        except ValidationError as error:
            messages.error(request, "；".join(error.messages))
        else:
            messages.success(request, "已按新的选择重新比对。")
    else:
        messages.error(request, first_error(form))
    return redirect("schools:roll", pk)


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def apply_roll(request: HttpRequest, pk: int) -> HttpResponse:
    """Import what was shown."""
    found = _own_roll(request, pk)
    leaving = [int(each) for each in request.POST.getlist("leaving") if each.isdecimal()]
    try:
        done = applying.apply(found, leaving=leaving, by=user_of(request))
    except applying.PreviewIsStale as stale:
        applying.preview_again(found)
        messages.error(request, "；".join(stale.messages))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        if done:
            messages.success(request, "已导入。如果导错了，可以在本页撤销。")
        else:
            messages.info(request, "这份名册先前已经处理过，没有重复导入。")
    return redirect("schools:roll", pk)


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def undo_roll(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the school back as it was before an import."""
    found = _own_roll(request, pk)
    try:
        done = applying.undo_roll(found, by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        messages.success(request, "已撤销导入，学校数据回到了导入之前。" if done else "这份名册没有导入，或已经撤销过了。")
    return redirect("schools:roll", pk)


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def discard_roll(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a preview away."""
    found = _own_roll(request, pk)
    if applying.discard(found, by=user_of(request)):
        messages.success(request, "已放弃这份名册，学校数据没有变化。")
        return redirect("schools:rolls")
    messages.error(request, "这份名册已经导入，不能放弃；要退回请撤销导入。")
    return redirect("schools:roll", pk)


def _kind(kind: str) -> str:
    if kind not in RollKind.values:
        raise Http404
    return kind


@for_roles(Role.SCHOOL_LEADER)
@require_safe
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """The school as it is today, in the columns that an import reads."""
    school, day = own_school(request), today()
    try:
        year = year_holding(school, day)
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
        return redirect(reverse("schools:rolls"))
    rows = exporting.pupil_rows(school, day) if _kind(kind) == RollKind.PUPILS else exporting.staff_rows(school, year, day)
    log.info("roll.exported kind=%s rows=%s by=%s", kind, len(rows), user_of(request).pk)
    return saved(exporting.workbook(kind, rows), f"{school}{RollKind(kind).label}_{day:%Y%m%d}.xlsx")


@for_roles(Role.SCHOOL_LEADER)
@require_safe
def template(request: HttpRequest, kind: str) -> HttpResponse:
    """An empty roll with an example beside it."""
    return saved(exporting.workbook(_kind(kind), [], with_example=True), f"{RollKind(kind).label}_空表.xlsx")
