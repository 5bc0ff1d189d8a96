"""What must never stand in a school's records, or in an account, is refused by the database itself, in words a clerk understands."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from qingdan.accounts.models import ApiToken, IdempotentAnswer, Organisation, User
from qingdan.places.models import SchoolYear
from qingdan.schools.models import (
    Enrolment,
    GradeLead,
    Guardian,
    JoinCode,
    Pupil,
    RollImport,
    RollRow,
    School,
    SchoolClass,
    SubjectLead,
    TeachingAssignment,
    YearRollover,
)
from tests.district import FRIDAY, MONDAY, District, subject

Make = Callable[[District], models.Model]


def refused(record: models.Model, constraint: str) -> str:
    """The message of the constraint that the database names; the validation says the same."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        record.save(force_insert=True)
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.diag.constraint_name == constraint  # type: ignore[attr-defined]
    with pytest.raises(ValidationError) as told:
        validate(record)
    return "；".join(told.value.messages)


def validate(record: models.Model) -> None:
    """As ``full_clean`` does, constraints only. A span that runs backward is told by ``clean``: no range can be built of it."""
    record.clean()
    record.validate_constraints()


def office(**values: object) -> Organisation:
    return Organisation(**({"name": "新单位", "kind": "school", "layer_code": "cn", "region_code": "990101"} | values))


def user(**values: object) -> User:
    return User(**({"username": "new", "display_name": "新", "role": "parent"} | values))


def token(district: District, **values: object) -> ApiToken:
    given = {"user": district.first.teacher, "name": "x", "sha256": "0", "scopes": ["homework:read"], "expires_at": timezone.now()}
    return ApiToken(**(given | values))


def second_answer(district: District) -> IdempotentAnswer:
    kept = token(district)
    kept.save()
    IdempotentAnswer.objects.create(token=kept, key="k", request_sha256="0")
    return IdempotentAnswer(token=kept, key="k", request_sha256="1")


def school(**values: object) -> School:
    owner = office()
    owner.save()
    region = SchoolYear.objects.get().region
    return School(**({"organisation": owner, "region": region, "kind": "primary", "first_grade": 1, "last_grade": 6} | values))


def room(district: District, grade: int, number: int) -> SchoolClass:
    own = district.first
    return SchoolClass(school=own.school, school_year=own.year, grade=grade, number=number, name="x")


def assignment(district: District, name: str, first: datetime.date, last: datetime.date | None = None) -> TeachingAssignment:
    own = district.first
    return TeachingAssignment(teacher=own.teacher, school_class=own.class_32, subject=subject(name), starts_on=first, ends_on=last)


def enrolment(district: District, first: datetime.date, last: datetime.date | None = None) -> Enrolment:
    own = district.first
    pupil = own.pupils[0] if last is None else Pupil.objects.create(school=own.school, number="e", name="e")
    return Enrolment(pupil=pupil, school_class=own.class_31, starts_on=first, ends_on=last)


def roll(district: District, **values: object) -> RollImport:
    own = district.first
    given = {"school": own.school, "kind": "pupils", "file_name": "x", "effective_on": MONDAY, "uploaded_by": own.leader}
    return RollImport(**(given | values))


def refused_row(district: District) -> RollRow:
    kept = roll(district)
    kept.save()
    return RollRow(roll=kept, row=1, act="refuse", values={}, what="")


def rollover(district: District, *, is_second: bool) -> YearRollover:
    own = district.first
    later = SchoolYear.objects.create(
        region=district.region, first_year=2027, starts_on=datetime.date(2027, 9, 1), ends_on=datetime.date(2028, 8, 31)
    )
    given = {"school": own.school, "from_year": own.year, "applied_by": own.leader}
    if is_second:
        YearRollover.objects.create(**given, to_year=later)
    return YearRollover(**given, to_year=later if is_second else own.year)


CASES: list[tuple[str, Make, str]] = [
    ("organisation_kind_is_known", lambda district: office(kind="club"), "单位性质只能是"),
    ("organisation_has_a_name_and_a_layer", lambda district: office(layer_code=""), "适用政策的层"),
    ("organisation_region_is_a_code", lambda district: office(region_code="99010"), "行政区划代码是六位数字"),
    ("user_role_is_known", lambda district: user(role="king", organisation=district.first.school.organisation), "没有这种身份"),
    ("user_has_an_organisation_unless_parent", lambda district: user(role="teacher"), "其他账户都要有单位"),
    ("token_has_a_scope", lambda district: token(district, scopes=[]), "至少要有一项权限"),
    ("token_name_is_not_empty", lambda district: token(district, name=""), "请写明这把密钥的用途"),
    ("idempotency_key_once_per_token", second_answer, "这个幂等键已经用过"),
    ("school_kind_is_known", lambda district: school(kind="x"), "没有这种学校类型"),
    ("school_grades_run_upward", lambda district: school(last_grade=13), "年级要在一至十二之间"),
    ("class_once_per_year", lambda district: room(district, 3, 2), "已有同号的班"),
    ("class_grade_and_number_in_range", lambda district: room(district, 3, 61), "班号要在 1 至 60 之间"),
    ("assignment_runs_forward", lambda district: assignment(district, "科学", FRIDAY, MONDAY), "不能早于开始日期"),
    ("assignment_once_at_a_time", lambda district: assignment(district, "数学", FRIDAY), "已有同期的任课"),
    (
        "grade_lead_once",
        lambda district: GradeLead(school=district.first.school, school_year=district.first.year, grade=3, user=district.first.grade_head),
        "已是这个年级的组长",
    ),
    (
        "subject_lead_once",
        lambda district: SubjectLead(school=district.first.school, subject=subject("数学"), user=district.first.grade_head),
        "已是这门学科的教研组长",
    ),
    (
        "pupil_number_once_per_school",
        lambda district: Pupil(school=district.first.school, number=district.first.pupils[0].number, name="x"),
        "本校已有学生用这个学号",
    ),
    ("pupil_has_number_and_name", lambda district: Pupil(school=district.first.school, number="n", name=""), "学生要有学号和姓名"),
    ("enrolment_runs_forward", lambda district: enrolment(district, FRIDAY, MONDAY), "离班日期不能早于入班日期"),
    ("enrolments_do_not_overlap", lambda district: enrolment(district, FRIDAY), "同一学生同一天只能在一个班"),
    (
        "guardian_once_per_child",
        lambda district: Guardian(user=district.first.parent, pupil=district.first.pupils[0]),
        "您已经关联了这个孩子",
    ),
    (
        "join_code_is_for_one",
        lambda district: JoinCode(
            pupil=district.first.pupils[0], kind="guardian", sha256="y", issued_by=district.first.leader, expires_at=timezone.now()
        ),
        "家长的加入码要写明学校和学生",
    ),
    (
        "join_code_is_for_one",
        lambda district: JoinCode(
            school=district.first.school, kind="staff", sha256="x", issued_by=district.first.leader, expires_at=timezone.now()
        ),
        "家长的加入码要写明学校和学生",
    ),
    ("roll_status_is_known", lambda district: roll(district, status="applied"), "状态与时间不符"),
    ("refused_row_has_a_reason", refused_row, "拒收的行要写明原因"),
    ("rollover_once_per_year", lambda district: rollover(district, is_second=True), "本校已升到这个学年"),
    ("rollover_goes_to_another_year", lambda district: rollover(district, is_second=False), "新学年不能就是原学年"),
]


@pytest.mark.parametrize(("constraint", "make", "message"), CASES, ids=[case[0] for case in CASES])
def test_a_row_that_must_not_be_is_refused(constraint: str, make: Make, message: str, district: District) -> None:
    assert message in refused(make(district), constraint)


#: Identities of staff and what accounts add later are tested with what uses them.
OWN = (
    *(Organisation, User, ApiToken, IdempotentAnswer, School, SchoolClass, TeachingAssignment, GradeLead, SubjectLead, Pupil),
    *(Enrolment, Guardian, JoinCode, RollImport, RollRow, YearRollover),
)


def test_every_constraint_has_its_test() -> None:
    assert {each.name for model in OWN for each in model._meta.constraints} == {case[0] for case in CASES}
