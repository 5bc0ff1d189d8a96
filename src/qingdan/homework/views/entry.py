"""Giving homework: the form, what it adds up to while it is being filled in, and what the library suggests."""

from __future__ import annotations

import contextlib
import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.homework.actions.register import Objection, Refused, change, day_totals, enter, judge_change, judge_draft
from qingdan.homework.actions.settling import Overtaken, locked
from qingdan.homework.board import with_everything
from qingdan.homework.enums import HomeworkStatus, HomeworkTier
from qingdan.homework.forms.register import Change, Entry
from qingdan.homework.meters import Meter
from qingdan.homework.models import Design, Homework
from qingdan.homework.suggesting import suggestions as suggested
from qingdan.places.calendar import SchoolCalendar, today
from qingdan.schools.models import SchoolClass, TeachingAssignment

#: How many days stand beside the date to be tapped.
_DAYS_OFFERED = 5
_COPIED = ("content", "homework_minutes", "form", "done_at", "is_optional")
_COPIED_ONCE = ("unit", "requirements", "intent", "marked_by", "done_by", "needs_parent", "is_assigned_in_class")


def days_offered(user: User) -> list[datetime.date]:
    """Today when there is school, and the school days after it."""
    calendar = SchoolCalendar(user.employer.layer_code)
    days: list[datetime.date] = []
    day = today() - datetime.timedelta(days=1)
    while len(days) < _DAYS_OFFERED and (following := calendar.next_school_day(day)) is not None:
        days.append(following)
        day = following
    return days


def default_day(offered: list[datetime.date]) -> datetime.date:
    """The next school day after today; today itself only where the calendar knows of none."""
    return next((day for day in offered if day > today()), today())


def assignments_of(user: User, day: datetime.date) -> list[TeachingAssignment]:
    """What a teacher teaches on a day, in classes of that day's school year."""
    found = TeachingAssignment.objects.of_teacher(user, day).filter(school_class__in=SchoolClass.objects.current(day))
    return list(found.select_related("subject", "school_class__school__organisation", "school_class__school_year"))


def _copied(user: User, before: datetime.date, subject: int | None, classes: list[int]) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The teacher's last homework before a day, of a subject and classes where these are chosen, as the form takes it, and in words."""
    mine = Homework.objects.filter(teacher=user, on_date__lt=before, status__in=[HomeworkStatus.OUT, HomeworkStatus.HELD])
    if subject is not None:
        mine = mine.filter(subject=subject)
    if classes:
        mine = mine.filter(school_class__in=classes)
    last = mine.order_by("-on_date", "-created_at", "-pk").first()
    if last is None:
        return {}, {}, ""
    batch = list(with_everything(Homework.objects.filter(teacher=user, batch=last.batch)).order_by("pk"))
    of_class = [each for each in batch if each.school_class_id == last.school_class_id and each.status != HomeworkStatus.WITHDRAWN]
    tiers = {each.tier: {"is_on": True, "design": each.design_id} | {name: getattr(each, name) for name in _COPIED} for each in of_class}
    initial: dict[str, Any] = {"subject": last.subject_id, "classes": classes or sorted({each.school_class_id for each in batch})}
    initial |= {name: getattr(last, name) for name in _COPIED_ONCE}
    names = "、".join(dict.fromkeys(each.school_class.name for each in batch))
    return initial, tiers, f"已照 {last.on_date.month}月{last.on_date.day}日{names}的{batch[0].subject.name}作业填好，可以直接布置或再改"


def _designed(user: User, key: str, assignments: list[TeachingAssignment]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A design of the library as the form takes it, for the classes of its grade in which the teacher has its subject."""
    design = get_object_or_404(Design.objects.visible_to(user).published(), pk=key) if key.isdigit() else None
    if design is None:
        return {}, {}
    values = {name: getattr(design, name) for name in ("content", "homework_minutes", "form", "done_at")}
    values |= {"is_on": True, "design": design.pk, "is_optional": design.tier == HomeworkTier.EXTENDED}
    fitting = [each for each in assignments if each.subject_id == design.subject_id and each.school_class.grade == design.grade]
    initial: dict[str, Any] = {"unit": design.unit, "requirements": design.requirements, "intent": design.intent}
    initial |= {"subject": design.subject_id, "classes": [each.school_class_id for each in fitting]}
    return initial, {design.tier: values}


def _prefilled(request: HttpRequest, user: User, assignments: list[TeachingAssignment], day: datetime.date) -> tuple[Entry, str]:
    """The empty form, or with what the address asks for: ``copy=last``, ``design=<number>``, ``class=<number>``, ``date=``."""
    asked = request.GET
    with contextlib.suppress(ValueError):
        day = datetime.date.fromisoformat(asked.get("date", ""))
    initial: dict[str, Any] = {}
    tiers: dict[str, Any] = {}
    said = ""
    if asked.get("copy"):
        initial, tiers, said = _copied(user, day, None, [])
        said = said or "还没有登记过作业，先填第一次吧，下次就可以照着来"
    elif asked.get("design"):
        initial, tiers = _designed(user, asked["design"], assignments)
    if asked.get("class", "").isdigit():
        initial["classes"] = [int(asked["class"])]
    return Entry(user, assignments, initial={"on_date": day} | initial, tiers=tiers), said


@for_roles(Role.TEACHER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def new(request: HttpRequest) -> HttpResponse:
    """Take homework and give it out; where the law refuses, say why and offer the year group."""
    user = user_of(request)
    offered = days_offered(user)
    assignments = assignments_of(user, default_day(offered))
    if not assignments:
        return render(request, "homework/register/no_classes.html", {"leaders": leaders_of(user)})
    context: dict[str, Any] = {"days": offered, "today": today(), "objections": []}
    if request.method != "POST":
        entry, context["said"] = _prefilled(request, user, assignments, default_day(offered))
        return render(request, "homework/register/new.html", context | {"entry": entry})
    entry = Entry(user, assignments, request.POST)
    if "copy" in request.POST:
        entry, context["said"] = _copied_into(entry, user, assignments, default_day(offered))
        return render(request, "homework/register/new.html", context | {"entry": entry})
    if entry.is_valid():
        items = entry.items()
        try:
            saved = enter(items, by=user, hold="hold" in request.POST)
        except Refused as refused:
            # An answer, not an error: the form comes back with what the law says.
            context |= {"objections": _grouped(refused.objections), "lines": _lines(entry)}
            return render(request, "homework/register/new.html", context | {"entry": entry})
        except ValidationError as error:
            entry.form.add_error(None, error)
        else:
            if _told(items) == _told(saved):
                _say(request, saved)
            else:
                messages.warning(request, "这份作业先前已经保存，这次的改动没有保存；要改，请在下面点开它再改。")
            return redirect(f"{reverse('homework:today')}?batch={saved[0].batch}")
    return render(request, "homework/register/new.html", context | {"entry": entry}, status=400)


def _copied_into(entry: Entry, user: User, assignments: list[TeachingAssignment], day: datetime.date) -> tuple[Entry, str]:
    """A form with the last homework of what is chosen in another; the other itself where there was none."""
    entry.form.is_valid()
    data = entry.form.cleaned_data
    day = data.get("on_date") or day
    initial, tiers, said = _copied(user, day, data.get("subject"), data.get("classes") or [])
    if not said:
        initial = {name: entry.form[name].value() for name in entry.form.fields}
        tiers = {each.tier: {name: each[name].value() for name in each.fields} for each in entry.tiers if each.is_wanted}
        return Entry(user, assignments, initial=initial, tiers=tiers), "所选的学科和班级还没有登记过作业，没有可照的；直接填写就好"
    return Entry(user, assignments, initial=initial | {"on_date": day, "batch": entry.form["batch"].value()}, tiers=tiers), said


def leaders_of(user: User) -> list[str]:
    """Whom a teacher without classes asks."""
    return [str(each) for each in User.objects.filter(organisation=user.employer, role=Role.SCHOOL_LEADER, is_active=True)[:3]]


def _grouped(objections: tuple[Objection, ...] | list[Objection]) -> list[tuple[SchoolClass, list[Objection]]]:
    """Objections class by class."""
    found: dict[int, tuple[SchoolClass, list[Objection]]] = {}
    for each in objections:
        found.setdefault(each.school_class.pk, (each.school_class, []))[1].append(each)
    return list(found.values())


def _told(items: list[Homework]) -> set[tuple[object, ...]]:
    """What makes two forms say the same; a page that comes back from the browser's memory may say something else by now."""
    return {(each.school_class_id, each.on_date, each.tier, each.content, each.homework_minutes, each.form, each.done_at) for each in items}


def _say(request: HttpRequest, saved: list[Homework]) -> None:
    """What went out with the day's totals, and what waits."""
    classes = {each.school_class_id: each.school_class for each in saved}
    day = saved[0].on_date
    totals = day_totals(classes.values(), [day])
    held = {each.school_class_id for each in saved if each.status == HomeworkStatus.HELD}
    out = "、".join(_sum(Meter(totals[key, day])) for key in classes if key not in held)
    waiting = "、".join(each.name for key, each in classes.items() if key in held)
    if out:
        messages.success(request, f"已布置 {day.month}月{day.day}日的作业。书面家庭作业合计：{out}。")
    if waiting:
        messages.info(request, f"{waiting}的作业已交年级组统筹，处理结果会通知您；在此之前学生和家长看不到。")


def _sum(meter: Meter) -> str:
    total = meter.total
    limit = f"/{total.limit_minutes}" if total.limit_minutes is not None else ""
    return f"{total.school_class} {meter.minutes}{limit} 分钟"


@for_roles(Role.TEACHER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a piece of homework; it is judged again with the whole day."""
    user = user_of(request)
    item = get_object_or_404(with_everything(Homework.objects.visible_to(user).editable_by(user)), pk=pk)
    context: dict[str, Any] = {"item": item, "days": days_offered(user), "today": today(), "objections": [], "seen": item.version}
    form = Change(item, user, request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return render(request, "homework/register/edit.html", context | {"entry": form})
    if form.is_valid():
        changes = form.changes()
        try:
            with transaction.atomic():
                fresh = locked(item, seen=request.POST.get("seen", ""), days=[changes["on_date"]])
                change(fresh, by=user, note="改动内容", hold="hold" in request.POST, **changes)
        except Refused as refused:
            context |= {"objections": _grouped(refused.objections)}
            return render(request, "homework/register/edit.html", context | {"entry": form})
        except Overtaken as overtaken:
            form.form.add_error(None, f"{overtaken}。您填的还在，请核对后再保存")
            context |= {"seen": overtaken.item.version}
        except ValidationError as error:
            form.form.add_error(None, error)
        else:
            _say(request, [fresh])
            return redirect("homework:item", pk)
    return render(request, "homework/register/edit.html", context | {"entry": form}, status=400)


@for_roles(Role.TEACHER)
@require_POST
def total(request: HttpRequest) -> HttpResponse:
    """What a form that is being filled in would add up to, and what the law would say; nothing is kept."""
    user = user_of(request)
    if request.GET.get("item", "").isdigit():
        item = get_object_or_404(with_everything(Homework.objects.visible_to(user).editable_by(user)), pk=request.GET["item"])
        return render(request, "homework/register/includes/answer.html", _change_totals(Change(item, user, request.POST)))
    entry = Entry(user, assignments_of(user, default_day(days_offered(user))), request.POST)
    draft = entry.draft()
    objections = judge_draft(draft) if draft else []
    problems = [str(each) for name in ("classes", "on_date") if entry.form.data.get(name) for each in entry.form.errors.get(name, [])]
    context = {"lines": _lines(entry), "objections": _grouped(objections), "problems": problems, "is_draft": bool(draft)}
    return render(request, "homework/register/includes/answer.html", context)


def _lines(entry: Entry) -> list[Meter]:
    """Each chosen class with its day's total and what the form adds."""
    draft = entry.draft()
    classes = entry.form.chosen_classes()
    day = entry.form.cleaned_data.get("on_date")
    if day is None:
        return []
    totals = day_totals(classes, [day])
    added = {each.pk: sum(d.homework_minutes for d in draft if d.is_written_at_home and d.school_class_id == each.pk) for each in classes}
    return [Meter(totals[each.pk, day], added[each.pk]) for each in classes]


def _change_totals(form: Change) -> dict[str, Any]:
    """The same for homework that is being changed: without what it was before."""
    draft = form.draft()
    if draft is None:
        return {"lines": [], "objections": [], "problems": [], "is_draft": False}
    totals = day_totals([draft.school_class], [draft.on_date], without=[draft.pk])
    objections = judge_change(draft, days={form.day_before, draft.on_date})
    added = draft.homework_minutes if draft.is_written_at_home else 0
    lines = [Meter(totals[draft.school_class_id, draft.on_date], added)]
    return {"lines": lines, "objections": _grouped(objections), "problems": [], "is_draft": True}


@for_roles(Role.TEACHER)
@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """Designs of the library that fit the first chosen class, the day, the unit and the tier."""
    user = user_of(request)
    day = default_day(days_offered(user))
    entry = Entry(user, assignments_of(user, day), request.GET)
    entry.form.is_valid()
    classes, subject = entry.form.chosen_classes(), entry.form.cleaned_data.get("subject")
    day = entry.form.cleaned_data.get("on_date") or day
    if not classes or subject is None:
        return render(request, "homework/register/includes/suggestions.html", {"is_asked": False})
    totals = day_totals(classes, [day])
    left = [minutes for each in classes if (minutes := totals[each.pk, day].minutes_left) is not None]
    tier = next((each.tier.value for each in reversed(entry.tiers) if each.is_wanted), "")
    found = suggested(
        classes[0],
        entry.form.known_subjects[subject],
        day,
        unit=entry.form.cleaned_data.get("unit", ""),
        tier=tier,
        minutes_left=min(left) if left else None,
        teacher=user,
    )
    context = {"is_asked": True, "suggestions": found, "school_class": classes[0]}
    return render(request, "homework/register/includes/suggestions.html", context)
