"""What the bureau did: one round of spot checks, closed, and the reviews of the past month."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from qingdan.accounts.models import User
from qingdan.demo.calendar import at
from qingdan.demo.plan import ClassRoom, Trouble, seeded
from qingdan.homework.actions.supervision import draw_spot_check, last_of
from qingdan.homework.charts.results import school_results
from qingdan.homework.enums import Fault, HomeworkForm
from qingdan.homework.models import CheckedClass, CheckedHomework, Homework, MonthlyReview, SpotCheck
from qingdan.schools.models import School, SchoolClass

_CLASSES = 12
_FAULTY: dict[Trouble | None, tuple[float, tuple[Fault, ...]]] = {
    None: (0.01, (Fault.MECHANICAL,)),
    Trouble.OVER_LIMIT: (0.2, (Fault.MECHANICAL, Fault.TOO_HARD)),
    Trouble.UNDERESTIMATED: (0.15, (Fault.MECHANICAL, Fault.INEFFECTIVE)),
    Trouble.LATE_DISCLOSURE: (0.05, (Fault.AHEAD_OF_PROGRESS,)),
}
_OPINIONS: dict[Trouble | None, str] = {
    None: "总量控制较好，请继续做好每周公示。",
    Trouble.OVER_LIMIT: "多日超过上限，请年级组逐日统筹，下月复查。",
    Trouble.LATE_DISCLOSURE: "公示不及时，请排定每周公示的日期和负责人。",
    Trouble.UNDERESTIMATED: "家庭反馈用时明显高于预计，请按学生实际重新估计时长。",
}


def check_classes(rooms: Sequence[ClassRoom], week_from: datetime.date, checked_on: datetime.date, *, by: User) -> SpotCheck | None:
    """Draw classes of a week and write the results, as if the inspectors had been there."""
    eligible = list(SchoolClass.objects.filter(pk__in=[room.id for room in rooms], grade__gte=2).order_by("pk"))
    count = min(_CLASSES, len({each.school_id for each in eligible}))
    if not count:
        return None
    title = f"{week_from:%m月%d日}一周作业抽查"
    check = draw_spot_check(
        by=by,
        title=title,
        week_from=week_from,
        classes=eligible,
        count=count,
        per_school=1,
        scope="二至九年级，每校至多一个班",
        seed="20260917",
    )
    by_id = {room.id: room for room in rooms}
    for checked in CheckedClass.objects.filter(spot_check=check).order_by("pk"):
        _result(checked, by_id[checked.school_class_id], week_from, checked_on, by)
    SpotCheck.objects.filter(pk=check.pk).update(created_at=at(checked_on, 8, 30))
    return check


def _result(checked: CheckedClass, room: ClassRoom, week_from: datetime.date, checked_on: datetime.date, by: User) -> None:
    chance = seeded("check", room.plan.name, room.name)
    share, faults = _FAULTY[room.trouble]
    week = (week_from, week_from + datetime.timedelta(days=6))
    items = []
    for homework in Homework.objects.out().filter(school_class_id=room.id, on_date__range=week).order_by("on_date", "pk"):
        is_faulty = chance.random() < share and homework.form == HomeworkForm.WRITTEN
        items.append(
            CheckedHomework(
                checked_class=checked,
                homework=homework,
                content=homework.content,
                seen_minutes=min(600, homework.homework_minutes + (10 if is_faulty else 0)),
                is_careless=chance.random() < 0.02 + share / 2,
                has_feedback=chance.random() >= 0.01 + share / 2,
                faults=[faults[int(chance.random() * len(faults))].value] if is_faulty else [],
            )
        )
    if room.trouble == Trouble.OVER_LIMIT:
        items.append(CheckedHomework(checked_class=checked, content="另发试卷一张，公示里没有", is_as_published=False, seen_minutes=25))
    CheckedHomework.objects.bulk_create(items)
    checked.checked_on, checked.checked_by, checked.checked_at = checked_on, by, at(checked_on, 10, 20)
    checked.is_as_published = all(item.is_as_published for item in items)
    checked.note = "" if checked.is_as_published else "有公示以外的作业，已当面指出"
    checked.save()


def review_past_month(rooms: Sequence[ClassRoom], today: datetime.date, *, by: User) -> int:
    """The bureau's word on every school's month before this one."""
    month = (today.replace(day=1) - datetime.timedelta(days=1)).replace(day=1)
    plans = {room.school_id: room.plan for room in rooms}
    schools = list(School.objects.filter(pk__in=plans).select_related("organisation").order_by("pk"))
    reviews = [
        MonthlyReview(school=school, month=month, totals=result.as_json(), opinion=_OPINIONS[plans[school.pk].trouble], reviewed_by=by)
        for school, result in zip(schools, school_results(schools, month, last_of(month)), strict=True)
        if result.days
    ]
    return len(MonthlyReview.objects.bulk_create(reviews))
