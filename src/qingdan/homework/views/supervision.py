"""Spot checks: the bureau draws classes, inspectors record on a phone what they see, the school sees the signed result."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import Role
from qingdan.charting.sheets import table_xlsx
from qingdan.draws.models import lot
from qingdan.homework.actions import supervision as acts
from qingdan.homework.comparing import class_week, week_homework
from qingdan.homework.forms.supervision import ExtraForm, ItemForm, SpotCheckForm
from qingdan.homework.models import CheckedClass, CheckedHomework, SpotCheck
from qingdan.schools.models import SchoolClass
from qingdan.storage.downloads import saved

_CHECKS_PER_PAGE = 20


@for_roles(Role.BUREAU, Role.SCHOOL_LEADER)
@require_safe
def checks(request: HttpRequest) -> HttpResponse:
    """A bureau: its rounds; a school leader: what was found in the own school's classes."""
    user = user_of(request)
    if user.is_bureau:
        found: Any = SpotCheck.objects.visible_to(user).with_progress().select_related("created_by", "draw").order_by("-created_at")
        template = "homework/supervision/checks.html"
    else:
        found = CheckedClass.objects.visible_to(user).with_places().order_by("-checked_at")
        found = found.annotate(item_count=Count("items"), fault_count=Count("items", filter=Q(items__faults__len__gt=0)))
        template = "homework/supervision/results.html"
    page = Paginator(found, _CHECKS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, template, {"page": page})


@for_roles(Role.BUREAU)
def check_new(request: HttpRequest) -> HttpResponse:
    """Say from which classes to draw, and draw."""
    user = user_of(request)
    form = SpotCheckForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            check = acts.draw_spot_check(
                by=user,
                title=data["title"],
                week_from=data["week_from"],
                classes=form.eligible(),
                count=data["count"],
                per_school=data["per_school"],
                scope=form.scope_words(),
                seed=data["seed"],
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"已抽出 {data['count']} 个班。全体名单、种子和结果都已留存，不能重抽。")
            return redirect("homework:check", check.pk)
    return render(request, "homework/supervision/check_new.html", {"form": form}, status=400 if form.errors else 200)


@for_roles(Role.BUREAU)
@require_safe
def check_eligible(request: HttpRequest) -> HttpResponse:
    """How many classes the form as it stands can draw from."""
    form = SpotCheckForm(request.GET, user=user_of(request))
    form.is_valid()
    classes = form.eligible()
    groups = {each.pk: each.school_id for each in classes}
    context = {
        "classes": len(groups),
        "schools": len(set(groups.values())),
        "most": acts.most_classes(groups, form.cleaned_data.get("per_school")),
        "count": form.cleaned_data.get("count"),
    }
    return render(request, "homework/supervision/includes/eligible.html", context)


def _check(request: HttpRequest, pk: int) -> SpotCheck:
    found = SpotCheck.objects.visible_to(user_of(request)).with_progress().select_related("created_by", "draw", "bureau")
    return get_object_or_404(found, pk=pk)


def _drawn(check: SpotCheck) -> list[CheckedClass]:
    """The drawn classes with how much has been looked at and found, in one query."""
    faults = Count("items", filter=Q(items__faults__len__gt=0))
    return list(CheckedClass.objects.filter(spot_check=check).with_places().annotate(item_count=Count("items"), fault_count=faults))


@for_roles(Role.BUREAU)
@require_safe
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """One round: the drawn classes and how far they are, and how to hold the draw again."""
    found = _check(request, pk)
    return render(request, "homework/supervision/check.html", {"check": found, "classes": _drawn(found)})


@for_roles(Role.BUREAU)
@require_safe
def check_verify(request: HttpRequest, pk: int) -> HttpResponse:
    """Hold the draw again before one's eyes."""
    found = _check(request, pk)
    again = found.draw.drawn_again()
    if is_fragment(request):
        context = {"check": found, "is_right": found.draw.is_right(), "again": again}
        return render(request, "homework/supervision/includes/verified.html", context)
    if found.draw.is_right():
        messages.success(request, f"已按种子重算一遍：抽中的 {len(again)} 个班与留存的结果完全一致。")
    else:
        messages.error(request, "按种子重算的结果与留存的不一致，请立即核查这次抽取的记录。")
    return redirect("homework:check", pk)


@for_roles(Role.BUREAU)
@require_safe
def check_lots(request: HttpRequest, pk: int) -> HttpResponse:
    """Everybody in the draw with their lots, by which an outsider can check it."""
    found = _check(request, pk)
    draw = found.draw
    named = SchoolClass.objects.filter(pk__in=draw.entries).select_related("school__organisation")
    names = {each.pk: (each.school.name, each.name) for each in named}
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["签号次序", "班级编号", "学校", "班级", "签号 SHA-256(种子|班级编号)", "抽中"])
    for number, entry in enumerate(sorted(draw.entries, key=lambda each: lot(draw.seed, each)), start=1):
        table.writerow([number, entry, *names.get(entry, ("", "")), lot(draw.seed, entry), "是" if entry in draw.chosen else ""])
    return saved(out.getvalue().encode("utf-8-sig"), f"抽取名单_{found.title}.csv", "text/csv; charset=utf-8")


_RESULT_COLUMNS = (
    "学校", "班级", "检查日期", "检查人", "全班与公示一致", "作业日期", "学科", "作业", "与公示一致", "发现的问题", "估计实际分钟",
    "登记分钟", "批改敷衍", "有反馈", "说明",
)  # fmt: skip


@for_roles(Role.BUREAU)
@require_safe
def check_results(request: HttpRequest, pk: int) -> HttpResponse:
    """What was found, item by item, of the classes whose results are signed."""
    found = _check(request, pk)
    items = (
        CheckedHomework.objects.filter(checked_class__spot_check=found, checked_class__checked_at__isnull=False)
        .select_related("checked_class__school_class__school__organisation", "checked_class__checked_by", "homework__subject")
        .order_by("checked_class__school_class__school__organisation__pinyin", "checked_class_id", "homework__on_date", "pk")
    )
    word = {True: "是", False: "否", None: ""}
    rows = []
    for item in items:
        checked, homework = item.checked_class, item.homework
        rows.append(
            (
                checked.school_class.school.name,
                checked.school_class.name,
                f"{checked.checked_on}",
                str(checked.checked_by),
                word[checked.is_as_published],
                f"{homework.on_date}" if homework else "",
                homework.subject.name if homework else "公示外",
                item.content,
                word[item.is_as_published],
                "、".join(item.fault_labels),
                item.seen_minutes,
                homework.homework_minutes if homework else None,
                word[item.is_careless],
                word[item.has_feedback],
                item.note,
            )
        )
    return saved(table_xlsx("抽查结果", _RESULT_COLUMNS, rows), f"抽查结果_{found.title}.xlsx")


def _checked(request: HttpRequest, pk: int) -> CheckedClass:
    return get_object_or_404(CheckedClass.objects.visible_to(user_of(request)).with_places(), pk=pk)


def _class_context(request: HttpRequest, checked: CheckedClass) -> dict[str, Any]:
    """The week's list with what has been noted of each line."""
    week = class_week(checked.school_class, checked.spot_check.week_from)
    saved = list(checked.items.select_related("homework__subject"))
    of_homework = {item.homework_id: item for item in saved if item.homework_id}
    lines: list[dict[str, Any]] = []
    for line in week.lines:
        item = of_homework.pop(line.homework.pk, None)
        item = item or CheckedHomework(checked_class=checked, homework=line.homework, content=line.homework.content)
        lines.append({"line": line, "item": item, "form": ItemForm(instance=item, prefix=item.key)})
    extras = [item for item in saved if not item.homework_id]
    return {
        "checked": checked,
        "week": week,
        "lines": lines,
        "extras": [{"item": item, "form": ExtraForm(instance=item, prefix=item.key)} for item in extras],
        # Homework withdrawn after it was looked at: what was seen stays.
        "vanished": list(of_homework.values()),
        "new_form": ExtraForm(prefix="new"),
        "seen": sum(each["item"].pk is not None for each in lines),
        "total": len(lines),
        "is_editable": not checked.is_signed and user_of(request).is_bureau,
        "can_take_back": checked.can_be_taken_back_by(user_of(request)),
    }


@for_roles(Role.BUREAU, Role.SCHOOL_LEADER)
@never_cache
@require_safe
def check_class(request: HttpRequest, pk: int) -> HttpResponse:
    """The inspector's page of one class; once it is signed, the result, which the school sees too."""
    return render(request, "homework/supervision/check_class.html", _class_context(request, _checked(request, pk)))


def _told(request: HttpRequest, checked: CheckedClass, key: str, problem: str, status: int) -> HttpResponse:
    """Why an item was not saved, beside its form; without a script, on the page."""
    if is_fragment(request):
        token = request.POST.get("token", "new")
        return render(request, "homework/supervision/includes/saved.html", {"key": key, "token": token, "problem": problem}, status=status)
    messages.error(request, problem)
    return redirect("homework:check_class", checked.pk)


@for_roles(Role.BUREAU)
@require_POST
def check_item(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what was seen of one item at once, so that a bad connection loses nothing."""
    checked, key = _checked(request, pk), request.POST.get("key", "")
    try:
        item = acts.find_item(checked, key)
    except LookupError:
        raise Http404 from None
    is_extra = item.homework_id is None
    form = (ExtraForm if is_extra else ItemForm)(request.POST, instance=item, prefix=key)
    if not form.is_valid():
        return _told(request, checked, key, "；".join(str(text) for errors in form.errors.values() for text in errors), 400)
    try:
        item = acts.save_item(
            checked=checked, key=key, token=request.POST.get("token", ""), by=user_of(request), values=dict(form.cleaned_data)
        )
    except acts.Overtaken as error:
        return _overtaken(request, checked, key, error.messages[0])
    except ValidationError as error:
        return _told(request, checked, key, "；".join(error.messages), 409 if _checked(request, pk).is_signed else 400)
    if not is_fragment(request):
        messages.success(request, "已保存。")
        return redirect("homework:check_class", pk)
    if is_extra:
        return render(request, "homework/supervision/includes/extras.html", _class_context(request, checked))
    context = {"key": key, "token": item.token, "saved_at": timezone.now(), **_progress(checked)}
    return render(request, "homework/supervision/includes/saved.html", context)


def _progress(checked: CheckedClass) -> dict[str, Any]:
    lines = week_homework(checked.school_class, checked.spot_check.week_from)
    seen = checked.items.exclude(homework=None).values("homework_id")
    return {"checked": checked, "total": lines.count(), "seen": lines.filter(pk__in=seen).count(), "is_progress": True}


def _overtaken(request: HttpRequest, checked: CheckedClass, key: str, problem: str) -> HttpResponse:
    """The item as somebody else has just saved it, in the place of the form."""
    if not is_fragment(request):
        messages.error(request, problem)
        return redirect("homework:check_class", checked.pk)
    context = _class_context(request, checked) | {"problem": problem}
    if key.startswith("i"):
        response = render(request, "homework/supervision/includes/extras.html", context, status=409)
        response["HX-Retarget"] = "#extras"
    else:
        each = next(each for each in context["lines"] if each["item"].key == key)
        response = render(request, "homework/supervision/includes/item.html", context | {"each": each}, status=409)
        response["HX-Retarget"] = f"#item-{key}"
    response["HX-Reswap"] = "outerHTML"
    return response


@for_roles(Role.BUREAU)
@require_POST
def check_extra_remove(request: HttpRequest, pk: int, item_pk: int) -> HttpResponse:
    """Take away an added item."""
    checked = _checked(request, pk)
    try:
        acts.remove_extra(checked=checked, item_pk=item_pk, by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        messages.success(request, "已去掉这一项。")
    return redirect("homework:check_class", pk)


@for_roles(Role.BUREAU)
@require_POST
def check_rest(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything not looked at yet is as published."""
    checked = _checked(request, pk)
    try:
        count = acts.mark_rest(checked=checked, by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        left = _progress(checked)
        more = f"还有 {left['total'] - left['seen']} 项公示里没有或时长不同，请逐项点选。" if left["seen"] < left["total"] else ""
        messages.success(request, f"已把 {count} 项记为与公示一致。{more}")
    return redirect("homework:check_class", pk)


@for_roles(Role.BUREAU)
@require_POST
def check_complete(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign the result."""
    checked = _checked(request, pk)
    try:
        acts.complete(checked=checked, by=user_of(request), note=request.POST.get("note", "")[:500])
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
        return redirect("homework:check_class", pk)
    messages.success(request, "检查已完成并签名，学校可以看到结果。如有差错，今天之内可以撤回签名。")
    return redirect("homework:check", checked.spot_check_id)


@for_roles(Role.BUREAU)
@require_POST
def check_reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's signature back on the same day."""
    checked = _checked(request, pk)
    try:
        acts.take_back(checked=checked, by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        messages.success(request, "已撤回签名，可以继续改；学校暂时看不到这个班的结果。")
    return redirect("homework:check_class", pk)
