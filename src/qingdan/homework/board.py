"""The board of a grade's week: classes, subjects, days; read in a handful of queries however much there is."""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.homework.actions.register import DayTotal, day_totals
from qingdan.homework.enums import HomeworkForm, HomeworkPlace, HomeworkStatus, HomeworkTier
from qingdan.homework.meters import Meter
from qingdan.homework.models import Homework
from qingdan.places.calendar import SchoolCalendar, current_pack, today
from qingdan.places.enums import SchoolDayKind
from qingdan.policy.pack import Pack
from qingdan.schools.models import GradeLead, School, SchoolClass, Subject, TeachingAssignment

#: How many school days are offered to move homework to.
_DAYS_AHEAD = 7
_TEXT_MAX = 24
_FORMS, _TIERS = dict(HomeworkForm.choices), dict(HomeworkTier.choices)
_SHOWN = (HomeworkStatus.OUT, HomeworkStatus.HELD, HomeworkStatus.RETURNED)


@dataclass(frozen=True)
class Pages:
    """Where a piece of homework leads."""

    is_settled_here: bool
    first_open_day: datetime.date

    def of(self, item: Homework) -> str:
        """To its panel above the matrix, to a panel of its own, or to the homework."""
        if self.is_settled_here and item.status == HomeworkStatus.HELD:
            return f"#settle-{item.pk}"
        is_open = self.is_settled_here and item.on_date >= self.first_open_day
        return reverse("homework:settle" if is_open else "homework:item", args=[item.pk])


@dataclass(frozen=True)
class Piece:
    """A piece of homework in a cell of the matrix, its words made ready: a week has hundreds of them."""

    item: Homework
    url: str
    #: ``书面·校内·拓展``: besides the form only what is out of the ordinary.
    mark: str
    text: str

    @classmethod
    def of(cls, item: Homework, pages: Pages) -> Piece:
        """As somebody sees it who may settle it, or only reads."""
        marks = [_FORMS[item.form]]
        if item.done_at == HomeworkPlace.SCHOOL:
            marks.append("校内")
        if item.tier != HomeworkTier.BASIC:
            marks.append(_TIERS[item.tier])
        text = item.content if len(item.content) <= _TEXT_MAX else f"{item.content[: _TEXT_MAX - 1]}…"
        return cls(item, pages.of(item), "·".join(marks), text)


@dataclass(frozen=True)
class Row:
    """A class on a day."""

    school_class: SchoolClass
    meter: Meter
    #: One list for each subject of the day, in the order of the columns.
    cells: list[list[Piece]]
    has_teachers: bool

    @property
    def is_empty(self) -> bool:
        """Whether the class has nothing on that day."""
        return not any(self.cells)


@dataclass(frozen=True)
class Day:
    """A day of the board."""

    day: datetime.date
    kind: SchoolDayKind
    subjects: list[Subject]
    rows: list[Row]
    held_count: int

    @property
    def is_school_day(self) -> bool:
        """Whether there is school."""
        return self.kind == SchoolDayKind.SCHOOL_DAY

    @property
    def over_count(self) -> int:
        """In how many classes the day is over its limit."""
        return sum(1 for row in self.rows if row.meter.minutes_over)

    @property
    def item_count(self) -> int:
        """How many pieces of homework there are."""
        return sum(len(cell) for row in self.rows for cell in row.cells)


@dataclass(frozen=True)
class Waiting:
    """A piece of homework that waits for the year group, with the day's total without it."""

    item: Homework
    meter: Meter

    @property
    def fits_now(self) -> bool:
        """Whether the minutes would fit now; the law has the last word when it is released."""
        return not self.item.is_written_at_home or not self.meter.minutes_over

    @property
    def minutes_that_fit(self) -> int | None:
        """To how many minutes it would have to be reduced; None where that does not help."""
        left = self.meter.total.minutes_left
        if not self.item.is_written_at_home or left is None or not 0 < left < self.item.homework_minutes:
            return None
        return left


@dataclass(frozen=True)
class Board:
    """A grade's week."""

    grade: int
    monday: datetime.date
    days: list[Day]
    held: list[Waiting] = field(default_factory=list)
    class_count: int = 0
    may_settle: bool = False

    @property
    def has_school(self) -> bool:
        """Whether there is school on any day of the week."""
        return any(each.is_school_day for each in self.days)

    @property
    def item_count(self) -> int:
        """How many pieces of homework the week has."""
        return sum(each.item_count for each in self.days)


def waiting(item: Homework, total: DayTotal) -> Waiting:
    """A piece of homework beside the day's total without it."""
    return Waiting(item, Meter(total, item.homework_minutes if item.is_written_at_home else 0))


def with_everything(found: QuerySet[Homework]) -> QuerySet[Homework]:
    """Homework with all that a page says of it."""
    return found.select_related("school_class__school__organisation", "school_class__school_year", "subject", "teacher", "settled_by")


def may_settle(user: User, school_id: int, grade: int, monday: datetime.date) -> bool:
    """Whether a user settles for a grade in a week: its head in that school year, a leader of the school."""
    if user.organisation_id != school_id:
        return False
    sunday = monday + datetime.timedelta(days=6)
    led = GradeLead.objects.filter(
        user=user, school_id=school_id, grade=grade, school_year__starts_on__lte=sunday, school_year__ends_on__gte=monday
    )
    return user.is_school_leader or led.exists()


def board(school: School, grade: int, monday: datetime.date, user: User) -> Board:
    """The board of the week that begins on a Monday, as a member of the school's staff sees it."""
    pack = current_pack()
    calendar = SchoolCalendar(school.organisation.layer_code, pack)
    week = [monday + datetime.timedelta(days=number) for number in range(7)]
    classes = list(
        SchoolClass.objects.filter(
            school=school, grade=grade, school_year__starts_on__lte=week[-1], school_year__ends_on__gte=week[0]
        ).select_related("school__organisation", "school_year")
    )
    items = _items(school, grade, week, classes, user)
    taught = set(
        TeachingAssignment.objects.filter(school_class__in=classes, starts_on__lte=week[-1])
        .exclude(ends_on__lt=week[0])
        .order_by()
        .values_list("school_class_id", flat=True)
    )
    shown = [day for day in week if calendar.is_school_day(day) or day.weekday() < 5 or any(each.on_date == day for each in items)]
    totals = day_totals(classes, shown, pack=pack)
    by_day: dict[datetime.date, list[Homework]] = defaultdict(list)
    for each in items:
        by_day[each.on_date].append(each)
    settles = may_settle(user, school.pk, grade, monday)
    pages = Pages(settles, today())
    days = [_day(day, calendar.kind(day), classes, [Piece.of(each, pages) for each in by_day[day]], totals, taught) for day in shown]
    held = [waiting(each, totals[each.school_class_id, each.on_date]) for each in items if each.status == HomeworkStatus.HELD]
    return Board(grade, monday, days, held, len(classes), settles)


def _items(school: School, grade: int, week: list[datetime.date], classes: list[SchoolClass], user: User) -> list[Homework]:
    """The week's homework; classes and subjects, which repeat, are each read once."""
    found = Homework.objects.visible_to(user).of_grade(school.pk, grade, week[0], week[-1]).filter(status__in=_SHOWN)
    by_class = {each.pk: each for each in classes}
    subjects = Subject.objects.in_bulk()
    items = [each for each in found.select_related("teacher") if each.school_class_id in by_class]
    for each in items:
        each.school_class, each.subject = by_class[each.school_class_id], subjects[each.subject_id]
    return items


def _day(
    day: datetime.date,
    kind: SchoolDayKind,
    classes: list[SchoolClass],
    pieces: list[Piece],
    totals: dict[tuple[int, datetime.date], DayTotal],
    taught: set[int],
) -> Day:
    subjects = sorted({each.item.subject_id: each.item.subject for each in pieces}.values(), key=lambda each: (each.position, each.pk))
    cells: dict[tuple[int, int], list[Piece]] = defaultdict(list)
    for piece in pieces:
        cells[piece.item.school_class_id, piece.item.subject_id].append(piece)
    rows = [
        Row(each, Meter(totals[each.pk, day]), [cells.get((each.pk, subject.pk), []) for subject in subjects], each.pk in taught)
        for each in classes
    ]
    return Day(day, kind, subjects, rows, sum(1 for each in pieces if each.item.status == HomeworkStatus.HELD))


def days_from(school_class: SchoolClass, first: datetime.date, pack: Pack | None = None) -> list[datetime.date]:
    """The next school days of a class, the first day included when there is school."""
    calendar = SchoolCalendar(school_class.school.organisation.layer_code, pack)
    days: list[datetime.date] = []
    day = first - datetime.timedelta(days=1)
    while len(days) < _DAYS_AHEAD and (following := calendar.next_school_day(day)) is not None:
        days.append(following)
        day = following
    return days


def later_first(item: Homework, totals: dict[datetime.date, DayTotal]) -> list[tuple[datetime.date, DayTotal]]:
    """Other days than the homework's own: those after it first, since it is rarely moved forward."""
    return sorted(
        ((day, total) for day, total in totals.items() if day != item.on_date), key=lambda each: (each[0] < item.on_date, each[0])
    )


def days_to_move(item: Homework) -> list[tuple[datetime.date, DayTotal]]:
    """School days from today to which homework may be moved, each with what the class has already."""
    pack = current_pack()
    days = days_from(item.school_class, today(), pack)
    totals = day_totals([item.school_class], days, pack=pack)
    return later_first(item, {day: totals[item.school_class_id, day] for day in days})
