"""The timetable being written: plans, another month, workbooks, one session moved or cancelled, rooms."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.institutions.actions import timetable as acts
from qingdan.institutions.forms.timetable import PlanForm, RoomForm, SessionForm, TimetableFileForm
from qingdan.institutions.models import Course, Institution, Room, Session, Staff, WeeklyPlan
from qingdan.institutions.timetables import exporting
from qingdan.institutions.timetables.expanding import day_note, make_up_workdays, month_bounds, moved_to_month, sessions_of_plan
from qingdan.institutions.timetables.importing import TimetableReading, read_timetable
from qingdan.institutions.views.timetable import UNDO, asked_day, breaches_of, own_institution
from qingdan.places.calendar import SchoolCalendar, today
from qingdan.storage.downloads import saved
from qingdan.workbooks import InputError

_KEPT_HOURS = 6
_MOVED = ("on_date", "starts_at", "ends_at", "room_id", "teacher_id")


def _batch(institution: Institution, outlooks: Sequence[acts.Outlook]) -> dict[str, Any]:
    """What the page shows of a batch: each session with its day's kind, and what would be left out."""
    calendar = SchoolCalendar(institution.organisation.layer_code)
    refused = [each for each in outlooks if each.is_refused]
    return {
        "lines": [(each, day_note(each.session.on_date, calendar)) for each in outlooks],
        "refused": refused,
        "fine": len(outlooks) - len(refused),
        "first_remedies": list(dict.fromkeys(reason.remedy for each in refused for reason in each.reasons if reason.remedy)),
    }


def _said(count: int, left_out: int) -> str:
    return f"已排 {count} 次课" + (f"，{left_out} 个日期按您的选择没有排。" if left_out else "。")


def _to_month(day: datetime.date) -> HttpResponse:
    return redirect(f"{reverse('institutions:timetable')}?month={day:%Y-%m}")


def _looked(institution: Institution, form: PlanForm) -> dict[str, Any]:
    """What the form as it stands would become."""
    if not form.is_valid():
        return {}
    plan = form.plan()
    calendar = SchoolCalendar(institution.organisation.layer_code)
    try:
        outlooks = acts.look_at(sessions_of_plan(plan), plan)
    except ValidationError as error:
        form.add_error(None, error)
        return {}
    return {"batch": _batch(institution, outlooks), "make_up": make_up_workdays(plan, calendar)}


@for_roles(Role.INSTITUTION)
def timetable_new(request: HttpRequest) -> HttpResponse:
    """Plan a course week by week; what the law refuses is shown date by date and can be left out."""
    institution = own_institution(request)
    start = asked_day(request.GET.get("day"))
    initial = {"first_day": start, "weekday": str(start.isoweekday()), "course": request.GET.get("course")}
    form = PlanForm(request.POST or None, institution=institution, initial=initial)
    context: dict[str, Any] = {"institution": institution, "form": form}
    if request.method == "POST":
        if "look" in request.POST:
            context |= _looked(institution, form)
        elif form.is_valid():
            plan = form.plan()
            left_out = request.POST.getlist("left_out") if "leave_out" in request.POST else []
            try:
                entered = acts.enter(sessions=sessions_of_plan(plan), by=user_of(request), plan=plan, left_out=left_out)
            except acts.Refused as refused:
                whole = acts.look_at(sessions_of_plan(plan), plan) if left_out else refused.outlooks
                context |= {"batch": _batch(institution, whole), "is_refused": True}
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, _said(len(entered), len(left_out)))
                return _to_month(entered[0].on_date)
    status = 400 if form.errors or context.get("is_refused") else 200
    context["is_ready"] = form.fields["course"].queryset.exists() and form.fields["teacher"].queryset.exists()  # type: ignore[attr-defined]
    return render(request, "institutions/timetable/new.html", context, status=status)


@for_roles(Role.INSTITUTION)
@require_POST
def timetable_trial(request: HttpRequest) -> HttpResponse:
    """The dates of the form while it is being filled in, each with what stands against it."""
    institution = own_institution(request)
    form = PlanForm(request.POST, institution=institution)
    context = {"form": form, **_looked(institution, form)}
    return render(request, "institutions/timetable/includes/trial.html", context)


@for_roles(Role.INSTITUTION)
@require_POST
def timetable_plan_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a plan: what is still to come is cancelled, session by session restorable."""
    plan = get_object_or_404(WeeklyPlan.objects.visible_to(user_of(request)), pk=pk)
    count = acts.cancel_rest(plan=plan, by=user_of(request))
    messages.success(request, f"已停排，取消了今天起的 {count} 次课；要恢复某一次，点开它选“恢复”。")
    return redirect("institutions:timetable_plans")


@for_roles(Role.INSTITUTION)
def timetable_copy(request: HttpRequest) -> HttpResponse:
    """Copy a month into the next one; what cannot be is shown and left out on demand."""
    institution = own_institution(request)
    target = month_bounds(asked_day(request.GET.get("month")))[0]
    source = month_bounds(target - datetime.timedelta(days=1))
    found = Session.objects.filter(institution=institution, on_date__range=source).planned()
    found = found.select_related("course__institution", "course__permit", "room__premises", "teacher")
    kept = list(found)
    moved = list(moved_to_month(kept, target))
    sessions = [each for each in moved if each.on_date >= today()]
    context: dict[str, Any] = {"institution": institution, "target": target, "source": source[0], "lost": len(kept) - len(moved)}
    context["passed"] = len(moved) - len(sessions)
    try:
        if request.method == "POST" and sessions:
            left_out = request.POST.getlist("left_out") if "leave_out" in request.POST else []
            entered = acts.enter(sessions=sessions, by=user_of(request), left_out=left_out)
            messages.success(request, _said(len(entered), len(left_out)))
            return _to_month(target)
        if sessions:
            context["batch"] = _batch(institution, acts.look_at(sessions))
    except acts.Refused:
        context |= {"batch": _batch(institution, acts.look_at(sessions)), "is_refused": True}
    except ValidationError as error:
        context["error"] = "；".join(error.messages)
    return render(request, "institutions/timetable/copy.html", context, status=400 if request.method == "POST" else 200)


def _kept(sessions: Sequence[Session], institution: Institution) -> str:
    """A batch as the page carries it to its confirmation, signed: nobody slips in what was not looked at."""
    rows = [[each.course_id, each.on_date.isoformat(), each.starts_at, each.ends_at, each.room_id, each.teacher_id] for each in sessions]
    return signing.dumps(rows, salt=f"timetable-{institution.pk}", compress=True)


def _from_kept(text: str, institution: Institution) -> list[Session]:
    try:
        rows = signing.loads(text, salt=f"timetable-{institution.pk}", max_age=_KEPT_HOURS * 3600)
    except signing.BadSignature as error:
        raise ValidationError("预览已过期，请重新上传文件") from error
    courses = Course.objects.filter(institution=institution).select_related("institution", "permit").in_bulk([row[0] for row in rows])
    rooms = Room.objects.filter(premises__institution=institution).select_related("premises").in_bulk([row[4] for row in rows if row[4]])
    teachers = Staff.objects.filter(institution=institution).in_bulk([row[5] for row in rows])
    if any(row[0] not in courses or row[5] not in teachers or (row[4] and row[4] not in rooms) for row in rows):
        raise ValidationError("预览之后课程、教室或教师有变，请重新上传文件")
    return [
        Session(
            institution=institution,
            course=courses[course],
            on_date=datetime.date.fromisoformat(day),
            starts_at=starts_at,
            ends_at=ends_at,
            room=rooms[room] if room else None,
            teacher=teachers[teacher],
        )
        for course, day, starts_at, ends_at, room, teacher in rows
    ]


@for_roles(Role.INSTITUTION)
def timetable_import(request: HttpRequest) -> HttpResponse:
    """Take in a workbook: first a look at every row, then, confirmed, all that can be."""
    institution = own_institution(request)
    is_confirmed = "kept" in request.POST
    form = TimetableFileForm(None if is_confirmed else request.POST or None, None if is_confirmed else request.FILES or None)
    context: dict[str, Any] = {"institution": institution, "form": form}
    status = 200
    try:
        if is_confirmed:
            sessions = _from_kept(request.POST["kept"], institution)
            left_out = request.POST.getlist("left_out") if "leave_out" in request.POST else []
            try:
                entered = acts.enter(sessions=sessions, by=user_of(request), left_out=left_out)
            except acts.Refused:
                context |= {"batch": _batch(institution, acts.look_at(sessions)), "kept": request.POST["kept"], "is_refused": True}
                status = 400
            else:
                messages.success(request, _said(len(entered), len(left_out)))
                return _to_month(entered[0].on_date)
        elif request.method == "POST" and form.is_valid():
            reading: TimetableReading = read_timetable(institution, form.cleaned_data["workbook"])
            context["problems"] = reading.problems
            if reading.sessions:
                outlooks = acts.look_at(reading.sessions)
                context |= {"batch": _batch(institution, outlooks), "kept": _kept(reading.sessions, institution)}
    except ValidationError as error:
        context["error"], status = "；".join(error.messages), 400
    except InputError as error:
        context["error"], status = "；".join(error.problems).replace("课表.xlsx：", ""), 400
    return render(request, "institutions/timetable/import.html", context, status=400 if form.errors else status)


@for_roles(Role.INSTITUTION)
@require_safe
def timetable_template(request: HttpRequest) -> HttpResponse:
    """An empty workbook to fill in."""
    return saved(exporting.workbook([], exporting.TEMPLATE_COLUMNS), "课表空表.xlsx")


def _own_session(request: HttpRequest, pk: int) -> Session:
    found = Session.objects.visible_to(user_of(request)).select_related("institution__organisation", "plan")
    found = found.select_related("course__institution", "course__permit", "room__premises", "teacher", "institution__organisation", "plan")
    return get_object_or_404(found, pk=pk)


@for_roles(Role.INSTITUTION, *OFFICERS)
def session(request: HttpRequest, pk: int) -> HttpResponse:
    """One session, what the law says of it, and for its own institution the form that moves it."""
    found = _own_session(request, pk)
    is_own = not user_of(request).is_officer
    context: dict[str, Any] = {"session": found, "is_own": is_own, "reasons": breaches_of(found.institution).get(found.pk, [])}
    context["note"] = day_note(found.on_date, SchoolCalendar(found.institution.organisation.layer_code))
    status = 200
    if is_own:
        form = SessionForm.of(found, request.POST if request.method == "POST" else None)
        context["form"] = form
        if request.method == "POST" and found.is_cancelled:
            form.add_error(None, "这次课已经取消；要改时间请先恢复")
        elif request.method == "POST" and form.is_valid():
            was = {name: getattr(found, name) for name in _MOVED} | {"on_date": found.on_date.isoformat()}
            try:
                acts.change(session=found, by=user_of(request), **form.changes())
            except acts.Refused as refused:
                context["refusals"] = refused.outlooks[0].reasons
                status = 400
            except ValidationError as error:
                form.add_error(None, error)
            else:
                request.session[UNDO] = {"pk": found.pk, "said": f"刚改了“{found.course.name}”的一次课", "was": was}
                messages.success(request, f"已改到 {found.on_date.month}月{found.on_date.day}日 {found.times}。")
                return _to_month(found.on_date)
        if form.errors:
            status = 400
        if status != 200:
            context["session"] = _own_session(request, pk)
    elif request.method != "GET":
        return HttpResponse(status=405)
    return render(request, "institutions/timetable/session.html", context, status=status)


@for_roles(Role.INSTITUTION)
@require_POST
def session_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel one session; the next page offers to take it back."""
    found = _own_session(request, pk)
    acts.cancel(session=found, by=user_of(request))
    said = f"刚取消了“{found.course.name}”{found.on_date.month}月{found.on_date.day}日的课"
    request.session[UNDO] = {"pk": found.pk, "said": said, "was": {}}
    messages.success(request, "已取消这次课。")
    return _to_month(found.on_date)


def _put_back(request: HttpRequest, found: Session, was: dict[str, Any]) -> HttpResponse:
    changes: dict[str, Any] = {}
    if was:
        changes = {name: was[name] for name in ("starts_at", "ends_at")} | {"on_date": datetime.date.fromisoformat(was["on_date"])}
        changes["room"] = Room.objects.filter(pk=was["room_id"], premises__institution=found.institution).select_related("premises").first()
        changes["teacher"] = get_object_or_404(Staff, pk=was["teacher_id"], institution=found.institution)
    try:
        if was:
            acts.change(session=found, by=user_of(request), **changes)
        else:
            acts.restore(session=found, by=user_of(request))
    except acts.Refused as refused:
        messages.error(request, f"不能恢复：{refused}")
    except ValidationError as error:
        messages.error(request, f"不能恢复：{'；'.join(error.messages)}")
    else:
        messages.success(request, f"已恢复 {found.on_date.month}月{found.on_date.day}日 {found.times} 的课。")
        return _to_month(found.on_date)
    return redirect("institutions:session", found.pk)


@for_roles(Role.INSTITUTION)
@require_POST
def session_restore(request: HttpRequest, pk: int) -> HttpResponse:
    """A cancelled session takes place after all, if nothing stands against it."""
    found = _own_session(request, pk)
    if not found.is_cancelled:
        return redirect("institutions:session", pk)
    return _put_back(request, found, {})


@for_roles(Role.INSTITUTION)
@require_POST
def timetable_undo(request: HttpRequest) -> HttpResponse:
    """Take back the last move or cancellation."""
    undo = request.session.pop(UNDO, None)
    if undo is None:
        messages.error(request, "没有可以撤销的改动。")
        return _to_month(today())
    return _put_back(request, _own_session(request, undo["pk"]), undo["was"])


def _saved_room(request: HttpRequest, form: RoomForm) -> Room | None:
    """The room of a form, kept; None, with the reason in the form, when it cannot be."""
    try:
        return acts.save_room(room=form.save(commit=False), by=user_of(request))
    except ValidationError as error:
        form.add_error(None, error)
        return None


@for_roles(Role.INSTITUTION)
def rooms(request: HttpRequest) -> HttpResponse:
    """The rooms of one's premises, and the form that adds one."""
    institution = own_institution(request)
    form = RoomForm(request.POST or None, institution=institution)
    if request.method == "POST" and form.is_valid() and (saved := _saved_room(request, form)):
        messages.success(request, f"已添加教室“{saved.name}”。")
        return redirect("institutions:rooms")
    found = Room.objects.visible_to(user_of(request)).select_related("premises")
    context = {"rooms": found, "form": form, "has_premises": institution.premises.exists()}
    return render(request, "institutions/timetable/rooms.html", context, status=400 if form.errors else 200)


@for_roles(Role.INSTITUTION)
def room(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a room, or remove one in which nothing was ever taught."""
    institution = own_institution(request)
    found = get_object_or_404(Room.objects.visible_to(user_of(request)), pk=pk)
    form = RoomForm(request.POST or None, instance=found, institution=institution)
    if request.method == "POST" and "remove" in request.POST:
        try:
            acts.remove_room(room=found, by=user_of(request))
        except ValidationError as error:
            messages.error(request, "；".join(error.messages))
            return redirect("institutions:room", pk)
        messages.success(request, "已删除教室。")
        return redirect("institutions:rooms")
    if request.method == "POST" and form.is_valid() and _saved_room(request, form):
        messages.success(request, "已保存。")
        return redirect("institutions:rooms")
    return render(request, "institutions/timetable/room.html", {"room": found, "form": form}, status=400 if form.errors else 200)
