"""Publishing a grade's week: what is out is frozen, hashed and open to everybody; a correction is a new version beside the old.

1. All homework of the week is read with one SELECT, so that nothing moves between looking and freezing.
2. Nothing may still wait for the year group.
3. The next version is written. Whoever wanted to write the same one waits for the unique constraint and then reads its message.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import TruncWeek
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.homework.enums import DisclosureState, HomeworkStatus
from qingdan.homework.limits import DayLimit, day_limit
from qingdan.homework.models import Disclosure, Homework
from qingdan.homework.models.disclosure import snapshot_sha256
from qingdan.homework.weeks import Deadlines, GradeWeek, grade_weeks
from qingdan.notices.models import Notice
from qingdan.places.calendar import current_pack, monday_of, today
from qingdan.places.models import SchoolYear
from qingdan.policy.pack import Pack
from qingdan.policy.units import grade_name
from qingdan.schools.models import GradeLead, School, SchoolClass
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)

TEXT_MAX = 500
_WEEK = datetime.timedelta(days=6)
#: How far back a reminder looks.
REMINDED_WEEKS = 4
#: What a disclosure must say besides the homework, and the rule that wants it.
_WANTED = {"requirements": ("homework.disclosure-requirements", "完成要求"), "intent": ("homework.disclosure-intent", "设计意图")}


@dataclass
class Week:
    """A grade's week as it stands in the register."""

    school: School
    grade: int
    week_from: datetime.date
    items: list[Homework] = field(default_factory=list)
    held: list[Homework] = field(default_factory=list)
    classes: list[SchoolClass] = field(default_factory=list)
    school_year: SchoolYear | None = None

    @classmethod
    def of(cls, school: School, grade: int, week_from: datetime.date) -> Week:
        """Read it: two queries, whatever the size."""
        week, last = cls(school, grade, week_from), week_from + _WEEK
        rooms = SchoolClass.objects.filter(
            school=school, grade=grade, school_year__starts_on__lte=last, school_year__ends_on__gte=week_from
        )
        by_id = {each.pk: each for each in rooms.select_related("school_year").order_by("number")}
        found = (
            Homework.objects.of_grade(school.pk, grade, week_from, last)
            .filter(status__in=[HomeworkStatus.OUT, HomeworkStatus.HELD])
            .select_related("subject")
            .order_by("school_class__number", "on_date", "subject__position", "subject__name", "tier", "content", "pk")
        )
        for each in found:
            if each.school_class_id in by_id:
                each.school_class = by_id[each.school_class_id]
            (week.items if each.status == HomeworkStatus.OUT else week.held).append(each)
        if every := week.items + week.held:
            # In the week in which a school year begins, the later year is the one that has school.
            week.school_year = max((each.school_class.school_year for each in every), key=lambda year: year.starts_on)
            week.classes = [each for each in by_id.values() if each.school_year_id == week.school_year.pk]
        return week

    def snapshot(self, *, intent: str, requirements: str, pack: Pack | None = None) -> dict[str, Any]:
        """What would be frozen now; the same register gives the same snapshot."""
        place, pack = self.school.organisation.layer_code, pack or current_pack()
        limits = {day: day_limit(pack, place, self.grade, day) for day in sorted({each.on_date for each in self.items})}
        different = list(dict.fromkeys(limits.values()))
        friday = self.week_from + datetime.timedelta(days=4)
        return {
            "school": self.school.name,
            "grade": self.grade,
            "grade_name": grade_name(self.grade),
            "week_from": self.week_from.isoformat(),
            "week_until": max([friday, *limits]).isoformat(),
            "requirements": requirements,
            "intent": intent,
            "is_coordinated": not self.held,
            "subjects": list(dict.fromkeys(each.subject.name for each in sorted(self.items, key=_by_subject))),
            "class_names": [each.name for each in self.classes if any(item.school_class_id == each.pk for item in self.items)],
            "limits": [_limit(each) for each in different],
            "classes": [self._class(each, limits, different) for each in self.classes],
        }

    def _class(self, school_class: SchoolClass, limits: dict[datetime.date, DayLimit], different: Sequence[DayLimit]) -> dict[str, Any]:
        own = [each for each in self.items if each.school_class_id == school_class.pk]
        days = []
        for day in sorted({each.on_date for each in own}):
            items = [each for each in own if each.on_date == day]
            days.append(
                {
                    "date": day.isoformat(),
                    "total_home_written": sum(each.homework_minutes for each in items if each.is_written_at_home),
                    "limit_minutes": limits[day].minutes,
                    #: Which of ``limits``.
                    "limit": different.index(limits[day]),
                    "items": [_item(each) for each in items],
                }
            )
        return {"name": school_class.name, "days": days}


def _by_subject(item: Homework) -> tuple[int, str]:
    return item.subject.position, item.subject.name


def _limit(limit: DayLimit) -> dict[str, Any]:
    cites = [{"clause": clause, "text": text} for clause, text in limit.cites]
    return {"minutes": limit.minutes, "is_none_allowed": limit.is_none_allowed, "text": limit.text, "cites": cites}


def _item(item: Homework) -> dict[str, Any]:
    return {
        "subject": item.subject.name,
        "tier": item.tier,
        "form": item.form,
        "done_at": item.done_at,
        "minutes": item.homework_minutes,
        "content": item.content,
        "requirements": item.requirements,
        "is_optional": item.is_optional,
    }


def build_snapshot(*, school: School, grade: int, week_from: datetime.date, intent: str, requirements: str) -> dict[str, Any]:
    """What publishing a grade's week now would freeze: no teacher, no pupil."""
    return Week.of(school, grade, week_from).snapshot(intent=intent, requirements=requirements)


def told_by_items(items: Iterable[Homework]) -> dict[str, str]:
    """Requirements and intent as the teachers wrote them with their homework: what the form begins with.

    Subjects that say the same say it together: ``语文、英语：独立完成。数学：写清步骤。``
    """
    told = {}
    for name in ("requirements", "intent"):
        by_subject: dict[str, dict[str, None]] = {}
        for item in sorted(items, key=_by_subject):
            if text := getattr(item, name).strip().rstrip("。；;"):
                by_subject.setdefault(item.subject.name, {})[text] = None
        by_text: dict[str, list[str]] = {}
        for subject, texts in by_subject.items():
            by_text.setdefault("；".join(texts), []).append(subject)
        told[name] = "".join(f"{'、'.join(subjects)}：{text}。" for text, subjects in by_text.items())[:TEXT_MAX]
    return told


def may_publish(user: User, *, school: School, grade: int, day: datetime.date) -> bool:
    """Whether a user leads the school, or the grade in the school year of a day."""
    if not user.is_active or user.organisation_id != school.pk:
        return False
    if user.is_school_leader:
        return True
    # A year group that begins on 1 September leads the whole of that week.
    leads = GradeLead.objects.filter(school=school, grade=grade, user=user, school_year__starts_on__lte=day + _WEEK)
    return user.is_teacher and leads.filter(school_year__ends_on__gte=day).exists()


def refuse_week(week_from: datetime.date) -> None:
    """Raise ValidationError for a day that no disclosure begins with, or a week too far ahead."""
    if week_from.weekday():
        raise ValidationError(f"公示周从周一开始，{week_from:%Y-%m-%d} 不是周一；请改用 {monday_of(week_from):%Y-%m-%d}")
    if week_from > monday_of(today()) + datetime.timedelta(days=7):
        raise ValidationError(f"{week_from:%Y-%m-%d} 起的一周还早，最早可在前一周公示")


def _refuse_content(week: Week) -> None:
    name = grade_name(week.grade)
    if week.held:
        where = "、".join(dict.fromkeys(f"{each.school_class}{each.subject}" for each in week.held[:5]))
        raise ValidationError(f"还有 {len(week.held)} 项作业待年级组统筹（{where}），请先在统筹板上调减、调整或退回，再公示")
    if not week.items:
        raise ValidationError(f"{name} {week.week_from:%Y-%m-%d} 起的一周没有已布置的作业，不必公示")


def _refuse_silence(week: Week, pack: Pack, said: dict[str, str]) -> None:
    """What the law of that place wants said must be said."""
    place = week.school.organisation.layer_code
    for name, (rule_id, label) in _WANTED.items():
        rule = pack.rules.get(rule_id)
        if not said[name] and rule is not None and pack.rule_is_on(rule, at=place, on=week.week_from):
            clauses = pack.cites_at(rule, at=place, on=week.week_from)
            raise ValidationError({name: f"请写明{label}：公示应当说明（{'、'.join(map(pack.cite, clauses))}）"})


def publish(
    *, school: School, grade: int, week_from: datetime.date, by: User, intent: str, requirements: str, correction: str = ""
) -> Disclosure:
    """Publish a grade's week, or a correction of what was published. Raises ValidationError, which says what to do."""
    if not may_publish(by, school=school, grade=grade, day=week_from):
        raise ValidationError("只有本年级的年级组长或本校管理者可以公示")
    refuse_week(week_from)
    said = {"intent": intent.strip(), "requirements": requirements.strip()}
    for name, text in said.items():
        if len(text) > TEXT_MAX:
            raise ValidationError({name: f"最多 {TEXT_MAX} 字，现在有 {len(text)} 字，请精简"})
    versions = Disclosure.objects.filter(school=school, grade=grade, week_from=week_from)
    last = versions.order_by("-version").first()
    with transaction.atomic():
        week, pack = Week.of(school, grade, week_from), current_pack()
        _refuse_content(week)
        _refuse_silence(week, pack, said)
        snapshot = week.snapshot(**said, pack=pack)
        if last is not None and last.snapshot == snapshot:
            raise ValidationError(f"与已公示的第 {last.version} 版没有不同，不必再公示")
        if last is not None and not correction.strip():
            raise ValidationError({"correction": "更正公示要写明更正了什么"})
        assert week.school_year is not None, "there is homework, so there is a class with a school year"
        new = Disclosure(
            school=school,
            school_year=week.school_year,
            grade=grade,
            week_from=week_from,
            version=last.version + 1 if last else 1,
            snapshot=snapshot,
            sha256=snapshot_sha256(snapshot, last.sha256 if last else ""),
            correction=correction.strip() if last else "",
            published_by=by,
            published_at=timezone.now(),
        )
        _write(new)
    log.info("disclosure.published school=%s grade=%s week=%s version=%s by=%s", school.pk, grade, week_from, new.version, by.pk)
    return new


def _write(new: Disclosure) -> None:
    """Insert; a refusal by a constraint, be it somebody else's quicker version, becomes the message that a clerk reads."""
    new.clean_fields(exclude=["snapshot"])
    with in_words(Disclosure):
        new.save(force_insert=True)


def led_grades(user: User, day: datetime.date) -> list[int]:
    """The grades whose weeks a user publishes."""
    if user.is_school_leader:
        # An account may be there before the school's grades are.
        return [grade for school in School.objects.filter(pk=user.employer.pk) for grade in school.grades]
    leads = GradeLead.objects.filter(user=user, school_id=user.organisation_id)
    return sorted(leads.filter(school_year__starts_on__lte=day, school_year__ends_on__gte=day).values_list("grade", flat=True).distinct())


def due(user: User, today: datetime.date) -> list[GradeWeek]:
    """The grades whose week a user is to publish now: this school year's weeks that are due or late, newest first."""
    if not user.is_of_school or not (grades := led_grades(user, today)):
        return []
    school = School.objects.select_related("organisation", "region").get(pk=user.organisation_id)
    year = SchoolYear.objects.filter(region=school.region).holding(today).first()
    first = monday_of(year.starts_on) if year else today - REMINDED_WEEKS * datetime.timedelta(weeks=1)
    weeks = grade_weeks(school, first=first, last=monday_of(today) + _WEEK, today=today, grades=grades)
    return [each for each in weeks if each.is_due]


def remind(day: datetime.date) -> int:
    """Tell year-group heads and leaders which weeks are not yet published: once when due, once on the last day, once when late.

    Says how many notices there are; running it again tells nobody twice.
    """
    first = monday_of(day) - REMINDED_WEEKS * datetime.timedelta(weeks=1)
    unpublished = _unpublished(first, monday_of(day) + _WEEK)
    schools = {
        each.pk: each
        for each in School.objects.filter(pk__in={school for school, _, _ in unpublished}).select_related("organisation", "region")
    }
    places = {place: Deadlines(place) for place in {each.organisation.layer_code for each in schools.values()}}
    leaders, heads = _leaders(schools), _heads(schools, day)
    sent = 0
    for school_id, grade, week_from in unpublished:
        deadlines = places[schools[school_id].organisation.layer_code]
        if deadlines.state(week_from, day) == DisclosureState.OPEN:
            continue
        last_day = deadlines.last_day(week_from)
        occasion, words = (
            ("late", f"已过期限（{last_day:%m月%d日}），请尽快补公示")
            if day > last_day
            else ("last-day", "今天是最后一天，请今天公示")
            if day == last_day
            else ("due", f"请在 {last_day:%m月%d日} 前公示")
        )
        sent += Notice.objects.send(
            [*heads.get((school_id, grade), []), *leaders.get(school_id, [])],
            occasion=f"disclosure-{occasion}:{school_id}:{grade}:{week_from}",
            text=f"{grade_name(grade)} {week_from:%m月%d日} 起一周的作业还没有公示，{words}。",
            url=reverse("homework:publish", args=[grade, week_from]),
        )
    log.info("disclosure.reminded day=%s weeks=%s notices=%s", day, len(unpublished), sent)
    return sent


def _unpublished(first: datetime.date, last: datetime.date) -> list[tuple[int, int, datetime.date]]:
    """School, grade and Monday of every week with homework that has no disclosure."""
    with_homework = (
        Homework.objects.out()
        .filter(on_date__range=(first, last))
        .order_by()
        .annotate(week_from=TruncWeek("on_date"))
        .values_list("school_class__school_id", "school_class__grade", "week_from")
        .distinct()
    )
    published = Disclosure.objects.filter(week_from__range=(first, last)).values_list("school_id", "grade", "week_from")
    return sorted(set(with_homework) - set(published))


def _leaders(schools: Iterable[int]) -> dict[int, list[User]]:
    found: dict[int, list[User]] = {}
    for user in User.objects.filter(role=Role.SCHOOL_LEADER, is_active=True, organisation_id__in=schools):
        found.setdefault(user.organisation_id or 0, []).append(user)
    return found


def _heads(schools: Iterable[int], day: datetime.date) -> dict[tuple[int, int], list[User]]:
    found: dict[tuple[int, int], list[User]] = {}
    leads = GradeLead.objects.filter(school_id__in=schools, user__is_active=True)
    for lead in leads.filter(school_year__starts_on__lte=day, school_year__ends_on__gte=day).select_related("user"):
        found.setdefault((lead.school_id, lead.grade), []).append(lead.user)
    return found
