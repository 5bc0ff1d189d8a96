"""Who works in the institutions. Their id numbers are of a day on which nobody alive was born; one belongs to a school teacher."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Sequence

from stdnum.cn import ric

from qingdan.accounts.enums import Role
from qingdan.accounts.identity import digest, masked
from qingdan.accounts.models import User
from qingdan.demo.institutions.plan import Plant
from qingdan.demo.institutions.registry import Loaded
from qingdan.demo.plan import FIRST_SCHOOL, seeded
from qingdan.institutions.enums import StaffRole, TrainingAudience, TrainingCategory, TrainingField
from qingdan.institutions.models import Staff
from qingdan.schools.models import StaffIdentity

_BORN = datetime.date(1900, 1, 1)
_DAY = datetime.timedelta(days=1)
SUBJECTS: dict[str, tuple[str, ...]] = {
    TrainingField.ACADEMIC: ("数学", "语文", "英语"),
    TrainingField.CULTURE: ("美术", "舞蹈", "书法", "声乐"),
    TrainingField.SPORTS: ("篮球", "体能", "游泳", "乒乓球"),
    TrainingField.SCIENCE: ("编程", "机器人", "科学实验"),
    TrainingField.OTHER: ("围棋", "手工"),
}


def fictional_number(serial: int) -> str:
    """An id number with its right check digit of somebody who would have been born in 1900."""
    born = _BORN + serial // 900 * _DAY
    base = f"110101{born:%Y%m%d}{100 + serial % 900}"
    return base + str(ric.calc_check_digit(base + "0"))


def write_identities() -> list[User]:
    """The first school knows who its teachers are; those that an institution also employs, the demo teacher excepted."""
    people = list(User.objects.filter(role=Role.TEACHER, organisation__name=FIRST_SCHOOL).order_by("pk"))
    people.sort(key=lambda user: user.username != "demo-teacher")
    numbers = [fictional_number(serial) for serial in range(len(people))]
    StaffIdentity.objects.bulk_create(
        StaffIdentity(user=user, identity_digest=digest(number), masked_identity=masked(number))
        for user, number in zip(people, numbers, strict=True)
    )
    return people


def write_staff(loaded: Sequence[Loaded], school_people: Sequence[User], day: datetime.date) -> None:
    """Three to five teachers, somebody for the desk; where planted, somebody who must not be there."""
    serials, serving = itertools.count(len(school_people)), itertools.count(1)
    rows = []
    for each in loaded:
        if not each.plan.teaches:
            continue
        chance = seeded("staff", each.plan.number)
        count = 3 + int(chance.random() * 3)
        each.teachers = [_teacher(each, place, next(serials), day) for place in range(count)]
        rows += each.teachers
        rows.append(_of_the_desk(each, next(serials), day))
        if each.plan.has(Plant.SERVING_TEACHER):
            rows.append(_serving(each, school_people, next(serving), day))
        if each.plan.has(Plant.STAFF_ABROAD):
            rows += _foreigners(each, day)
    Staff.objects.bulk_create(rows)


def _teacher(each: Loaded, place: int, serial: int, day: datetime.date) -> Staff:
    plan, number = each.plan, fictional_number(serial)
    is_checked = not (plan.has(Plant.UNCHECKED_STAFF) and place == 2)
    has_certificate = not (plan.has(Plant.NO_CERTIFICATE) and place == 1) and (plan.category == TrainingCategory.ACADEMIC or serial % 5 > 0)
    subjects = SUBJECTS[plan.field]
    return Staff(
        institution=each.institution, name=f"示例教师{serial:04}", identity_digest=digest(number), masked_identity=masked(number),
        role=StaffRole.TEACHING, category=plan.category, subject=subjects[(plan.number + place) % len(subjects)],
        certificate_number=f"虚{2015 + serial % 10}{serial:08}" if has_certificate else "",
        is_certificate_fitting=True if has_certificate and is_checked else None, experience=f"任教 {2 + serial % 12} 年",
        is_qualification_checked=is_checked, is_filed=is_checked, is_published=is_checked, is_shown_on_site=is_checked,
        employed_from=day - (200 + serial % 500) * _DAY if is_checked else day - 12 * _DAY, checked_by=each.officer if is_checked else None,
    )  # fmt: skip


def _of_the_desk(each: Loaded, serial: int, day: datetime.date) -> Staff:
    number = fictional_number(serial)
    return Staff(
        institution=each.institution, name=f"示例教务{serial:04}", identity_digest=digest(number), masked_identity=masked(number),
        role=StaffRole.ADMINISTRATION, is_qualification_checked=True, is_filed=True, is_published=True, is_shown_on_site=True,
        employed_from=day - 300 * _DAY, checked_by=each.officer,
    )  # fmt: skip


def _serving(each: Loaded, school_people: Sequence[User], place: int, day: datetime.date) -> Staff:
    """A teacher of the first school who also works here: the same digest stands on both sides."""
    place %= len(school_people)
    number = fictional_number(place)
    return Staff(
        institution=each.institution, name=school_people[place].display_name, identity_digest=digest(number),
        masked_identity=masked(number), role=StaffRole.TEACHING, category=each.plan.category, subject=SUBJECTS[each.plan.field][0],
        certificate_number=f"虚2018{place:08}",
        is_certificate_fitting=True, experience="任教 8 年", is_qualification_checked=True, is_filed=True, is_published=True,
        is_shown_on_site=True, employed_from=day - 90 * _DAY, checked_by=each.officer,
    )  # fmt: skip


def _foreigners(each: Loaded, day: datetime.date) -> list[Staff]:
    """One who came with everything in order, one who teaches from abroad."""
    given = {
        "institution": each.institution, "role": StaffRole.TEACHING, "category": TrainingCategory.ACADEMIC, "subject": "英语",
        "is_qualification_checked": True, "is_filed": True, "is_published": True, "is_shown_on_site": True, "is_certificate_fitting": True,
        "employed_from": day - 150 * _DAY, "checked_by": each.officer, "nationality": "示例国",
    }  # fmt: skip
    return [
        Staff(
            name=f"示例外教{place:02}", identity_digest=digest(f"X9900{place:04}", is_foreign=True),
            masked_identity=masked(f"X9900{place:04}"),
            certificate_number=f"虚外{place:06}", is_abroad=place == 2, meets_foreign_rules=place == 1, **given,
        )
        for place in (1, 2)
    ]  # fmt: skip


def audience_ages(audience: str) -> tuple[int | None, int | None, int]:
    """First grade, last grade and youngest age that go with an audience."""
    if audience == TrainingAudience.PRESCHOOL:
        return None, None, 4
    return (10, 12, 15) if audience == TrainingAudience.SENIOR else (3, 6, 8)
