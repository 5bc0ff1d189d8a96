"""What must never stand in a calendar is refused by the database itself, in words a clerk understands."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from qingdan.places.models import OverriddenDay, Region, SchoolYear, Term, Vacation
from tests.district import TUESDAY, District

Make = Callable[[District], models.Model]


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def refused(record: models.Model, constraint: str) -> str:
    """The message of the constraint that the database names; the validation says the same."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        record.save(force_insert=True)
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.diag.constraint_name == constraint  # type: ignore[attr-defined]
    with pytest.raises(ValidationError) as told:
        record.validate_constraints()
    return "；".join(told.value.messages)


def region(**values: object) -> Region:
    return Region(**({"code": "990109", "name": "某区", "layer_code": "cn-shanghai", "is_fictional": True} | values))


def year(district: District, first_year: int, first: str, last: str) -> SchoolYear:
    return SchoolYear(region=district.region, first_year=first_year, starts_on=day(first), ends_on=day(last))


def term(district: District, ordinal: int, first: str, last: str) -> Term:
    return Term(school_year=district.region.school_years.get(), ordinal=ordinal, starts_on=day(first), ends_on=day(last))


def vacation(district: District, season: str, first: str, last: str) -> Vacation:
    return Vacation(region=district.region, season=season, starts_on=day(first), ends_on=day(last))


def overridden(district: District, kind: str) -> OverriddenDay:
    return OverriddenDay(region=district.region, day=TUESDAY, kind=kind)


def second_override(district: District) -> OverriddenDay:
    overridden(district, "holiday").save()
    return overridden(district, "workday")


def third_term(district: District) -> Term:
    district.region.school_years.get().terms.filter(ordinal=2).delete()
    return term(district, 3, "2027-03-01", "2027-06-30")


CASES: list[tuple[str, Make, str]] = [
    ("region_code_once", lambda district: region(code=district.region.code), "这个行政区划代码已有地区"),
    ("region_layer_once", lambda district: region(layer_code=district.region.layer_code), "这一层政策已属于另一个地区"),
    ("region_code_is_six_digits", lambda district: region(code="99x"), "行政区划代码是六位数字"),
    ("region_fictional_code_begins_with_99", lambda district: region(code="110101"), "虚构地区的代码以 99 开头"),
    ("school_year_once", lambda district: year(district, 2026, "2028-09-01", "2029-08-31"), "这个学年已经有了"),
    ("school_year_runs_forward", lambda district: year(district, 2029, "2029-09-01", "2029-09-01"), "学年的结束日期要晚于开始日期"),
    ("school_years_do_not_overlap", lambda district: year(district, 2027, "2027-08-31", "2028-08-31"), "与另一个学年的日期重叠"),
    ("term_once", lambda district: term(district, 1, "2027-07-10", "2027-07-20"), "这个学年已有这个学期"),
    ("term_is_first_or_second", third_term, "只有第一、第二两个学期"),
    ("term_runs_forward", lambda district: term(district, 2, "2027-02-10", "2027-02-10"), "学期的结束日期要晚于开始日期"),
    ("vacation_season_is_known", lambda district: vacation(district, "spring", "2027-04-01", "2027-04-05"), "只有寒假和暑假"),
    ("vacation_runs_forward", lambda district: vacation(district, "summer", "2027-07-05", "2027-07-05"), "假期的结束日期要晚于开始日期"),
    ("vacations_do_not_overlap", lambda district: vacation(district, "summer", "2027-02-21", "2027-03-05"), "与另一个假期的日期重叠"),
    ("overridden_day_once", second_override, "这一天已经调整过"),
    ("overridden_day_kind_is_known", lambda district: overridden(district, "party"), "一天只能改为上班上学、放假或休息日"),
]


@pytest.mark.parametrize(("constraint", "make", "message"), CASES, ids=[case[0] for case in CASES])
def test_a_row_that_must_not_be_is_refused(constraint: str, make: Make, message: str, district: District) -> None:
    assert message in refused(make(district), constraint)


def test_two_terms_do_not_overlap(district: District) -> None:
    later = Term.objects.get(ordinal=2)
    later.starts_on = day("2027-01-22")
    with pytest.raises(IntegrityError, match="terms_do_not_overlap"), transaction.atomic():
        later.save()
    with pytest.raises(ValidationError, match="与另一个学期的日期重叠"):
        later.validate_constraints()


@pytest.mark.parametrize(
    "make",
    [
        lambda district: year(district, 2029, "2030-09-01", "2029-09-01"),
        lambda district: term(district, 2, "2027-07-20", "2027-07-10"),
        lambda district: vacation(district, "summer", "2027-07-20", "2027-07-10"),
    ],
)
def test_a_span_that_runs_backward_is_told_and_not_an_error_of_the_database(make: Make, district: District) -> None:
    with pytest.raises(ValidationError, match="结束日期要晚于开始日期"):
        make(district).full_clean()


def test_the_same_days_in_another_region_or_year_are_no_overlap(district: District) -> None:
    other = region()
    other.save()
    own = SchoolYear(region=other, first_year=2026, starts_on=day("2026-09-01"), ends_on=day("2027-08-31"))
    own.full_clean()
    own.save()
    Term(school_year=own, ordinal=1, starts_on=day("2026-09-01"), ends_on=day("2027-01-20")).full_clean()
    Vacation(region=other, season="winter", starts_on=day("2027-01-23"), ends_on=day("2027-02-21")).full_clean()


def test_every_constraint_of_the_calendar_has_its_test() -> None:
    tested = {case[0] for case in CASES} | {"terms_do_not_overlap"}
    assert {each.name for model in (Region, SchoolYear, Term, Vacation, OverriddenDay) for each in model._meta.constraints} == tested


def test_a_real_region_has_a_code_of_the_national_table() -> None:
    with pytest.raises(ValidationError, match="GB/T 2260 里没有代码 110999"):
        region(code="110999", is_fictional=False).clean()
