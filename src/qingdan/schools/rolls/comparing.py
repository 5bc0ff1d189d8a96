"""What each line of a roll would change in the school as it is now: the effects, in words for the preview and as acts for the import.

The preview and the import ask the same question, so that nothing is imported that was not shown.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qingdan.places.journal import Journal
from qingdan.places.models import SchoolYear
from qingdan.policy.units import GRADE_MAX, grade_name
from qingdan.schools.actions.classes import is_in_force, move
from qingdan.schools.enums import RollAct
from qingdan.schools.models import Enrolment, Pupil, School, SchoolClass
from qingdan.schools.models.places import class_name
from qingdan.schools.rolls.reading import Line, person_name

ClassKey = tuple[int, int]
CLASS_NUMBER_MAX = 60


@dataclass
class Outcome:
    """What becomes of one line."""

    act: str
    what: str = ""
    #: Writes through a journal; given the classes by grade and number, those made by the import among them.
    effects: list[Callable[[Journal, dict[ClassKey, SchoolClass]], None]] = field(default_factory=list)


@dataclass
class Comparison:
    """A whole roll against the school."""

    outcomes: list[Outcome] = field(default_factory=list)
    classes: dict[ClassKey, SchoolClass] = field(default_factory=dict)
    #: Classes that the import will make.
    new_classes: list[ClassKey] = field(default_factory=list)
    #: Pupils of the classes in the roll whom the roll does not name, by their enrolment.
    missing: list[Enrolment] = field(default_factory=list)
    #: New pupils with their class, saved together.
    new_pupils: list[tuple[Pupil, ClassKey]] = field(default_factory=list)

    def refuse_class(self, school: School, key: ClassKey, year: SchoolYear, *, creates_classes: bool) -> str:
        """Why a line of a class cannot be, or nothing."""
        if key in self.classes:
            return ""
        name = class_name(*key) if 1 <= key[0] <= GRADE_MAX else f"{key[0]}（{key[1]}）班"
        if key[0] not in school.grades:
            return f"{name}不在本校的年级（{grade_name(school.first_grade)}至{grade_name(school.last_grade)}）之内；请核对"
        if not 1 <= key[1] <= CLASS_NUMBER_MAX:
            return f"{name}的班号要在 1 至 {CLASS_NUMBER_MAX} 之间；请核对"
        if not creates_classes:
            return f"{year}没有{name}；请核对班级，或勾选“新建名册里的班级”"
        return ""

    def need_class(self, key: ClassKey) -> None:
        """A line that is taken names a class; it is made when there is none."""
        if key not in self.classes and key not in self.new_classes:
            self.new_classes.append(key)


def classes_of(school: School, year: SchoolYear) -> dict[ClassKey, SchoolClass]:
    """Grade and number -> the class of a school year."""
    return {(each.grade, each.number): each for each in school.classes.filter(school_year=year).select_related("class_teacher")}


def repeated(lines: Sequence[Line], keys: Iterable[str]) -> dict[str, list[Line]]:
    """Key -> the lines that share it, where there are several."""
    found: dict[str, list[Line]] = defaultdict(list)
    for line, key in zip(lines, keys, strict=True):
        if key and not line.fault:
            found[key].append(line)
    return {key: same for key, same in found.items() if len(same) > 1}


def compare_pupils(
    school: School, lines: Sequence[Line], *, year: SchoolYear, effective_on: datetime.date, creates_classes: bool
) -> Comparison:
    """The lines of a roll of pupils against the school."""
    result = Comparison(classes=classes_of(school, year))
    numbers = [str(line.values["number"]) for line in lines]
    twice = repeated(lines, numbers)
    pupils = {each.number: each for each in Pupil.objects.filter(school=school, number__in=set(numbers))}
    enrolments: dict[int, list[Enrolment]] = defaultdict(list)
    for each in Enrolment.objects.filter(pupil__in=pupils.values()).select_related("school_class").order_by("starts_on"):
        enrolments[each.pupil_id].append(each)
    for line, number in zip(lines, numbers, strict=True):
        if line.fault:
            outcome = Outcome(RollAct.REFUSE, line.fault)
        elif number in twice:
            where = "、".join(each.where for each in twice[number])
            outcome = Outcome(
                RollAct.REFUSE, f"学号 {number} 在名册里出现 {len(twice[number])} 次（{where}）；一个学号只能有一名学生，请核对"
            )
        else:
            key: ClassKey = (line.values["key"][0], line.values["key"][1])
            reason = result.refuse_class(school, key, year, creates_classes=creates_classes)
            pupil = pupils.get(number)
            if not reason:
                result.need_class(key)
            if reason:
                outcome = Outcome(RollAct.REFUSE, reason)
            elif pupil is None:
                outcome = _added(result, school, line, key)
            else:
                outcome = _changed(line, key, pupil, enrolments[pupil.pk], effective_on)
        result.outcomes.append(outcome)
    result.missing = missing_from(result.classes, [line.values for line in lines], effective_on)
    return result


def _added(result: Comparison, school: School, line: Line, key: ClassKey) -> Outcome:
    result.new_pupils.append((Pupil(school=school, number=line.values["number"], name=line.values["name"]), key))
    return Outcome(RollAct.ADD, f"新生，编入{class_name(*key)}")


def _changed(line: Line, key: ClassKey, pupil: Pupil, enrolments: Sequence[Enrolment], effective_on: datetime.date) -> Outcome:
    said, outcome = [], Outcome(RollAct.SAME)
    name = line.values["name"]
    if person_name(pupil.name) != name:
        said.append(f"姓名 {pupil.name} → {name}")
        outcome.effects.append(lambda journal, classes: journal.change(pupil, name=name))
    current = next((each for each in enrolments if is_in_force(each, effective_on)), None)
    here = (current.school_class.grade, current.school_class.number) if current else None
    if current is None:
        said.append(f"重新入班：{class_name(*key)}")
    elif here != key:
        said.append(f"转班：{current.school_class.name} → {class_name(*key)}（{effective_on:%Y-%m-%d} 起）")
    if here != key:
        outcome.effects.append(lambda journal, classes: move(journal, pupil, enrolments, classes[key], from_day=effective_on))
    if said:
        outcome.act, outcome.what = RollAct.CHANGE, "；".join(said)
    return outcome


def missing_from(
    classes: Mapping[ClassKey, SchoolClass], values: Iterable[Mapping[str, Any]], effective_on: datetime.date
) -> list[Enrolment]:
    """Pupils whom the school has in the roll's classes and the roll does not name; refused rows name theirs all the same."""
    rows = list(values)
    named = {tuple(each["key"]) for each in rows if each.get("key")}
    numbers = {each["number"] for each in rows}
    held = [each.pk for key, each in classes.items() if key in named]
    found = Enrolment.objects.in_force(effective_on).filter(school_class__in=held).select_related("pupil", "school_class")
    return [
        each for each in found.order_by("school_class__grade", "school_class__number", "pupil__number") if each.pupil.number not in numbers
    ]
