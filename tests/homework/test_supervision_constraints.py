"""What must never be in the tables of draws and supervision is refused by the database, with a message a clerk understands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from qingdan.draws.models import Draw
from qingdan.homework.actions.register import enter
from qingdan.homework.actions.supervision import draw_spot_check, mark_rest
from qingdan.homework.models import CheckedClass, CheckedHomework, Homework, MonthlyReview, SpotCheck
from tests.district import MONDAY, TUESDAY, District, homework


def refused(instance: models.Model, constraint: str) -> str:
    """The message of the constraint that the database names; validation says the same."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        instance.save()
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.diag.constraint_name == constraint  # type: ignore[attr-defined]
    with pytest.raises(ValidationError) as told:
        instance.validate_constraints()
    return "；".join(told.value.messages)


@pytest.fixture
def check(district: District) -> SpotCheck:
    """A round with 三（2）班 in it, one item noted."""
    school = district.first
    enter([homework(school.class_32, school.teacher)], by=school.teacher)
    check = draw_spot_check(by=district.bureau, title="抽查", week_from=MONDAY, classes=[school.class_32], count=1)
    mark_rest(checked=check.classes.get(), by=district.bureau)
    return check


def changed(instance: models.Model, **changes: object) -> models.Model:
    for name, value in changes.items():
        setattr(instance, name, value)
    return instance


def new_check(check: SpotCheck, **changes: object) -> models.Model:
    draw = Draw.hold("x", [1], 1)
    given = {"bureau": check.bureau, "title": "x", "week_from": MONDAY, "draw": draw, "created_by": check.created_by}
    return SpotCheck(**(given | changes))


def same_item(check: SpotCheck) -> models.Model:
    return CheckedHomework(checked_class=check.classes.get(), homework=Homework.objects.get(), content="x")


def review(check: SpotCheck, **changes: object) -> models.Model:
    school = check.classes.get().school_class.school
    return MonthlyReview(**({"school": school, "month": MONDAY.replace(day=1), "totals": {}, "reviewed_by": check.created_by} | changes))


CASES: list[tuple[str, Callable[[SpotCheck], models.Model], str]] = [
    ("draw_has_a_seed", lambda check: changed(check.draw, seed=""), "抽取要有种子"),
    ("draw_group_takes_one_or_more", lambda check: changed(check.draw, per_group=0), "每组至少要能抽一个"),
    ("spot_check_week_begins_on_monday", lambda check: new_check(check, week_from=TUESDAY), "从周一开始"),
    ("spot_check_has_a_title", lambda check: new_check(check, title=""), "起个名称"),
    (
        "class_once_per_spot_check",
        lambda check: CheckedClass(spot_check=check, school_class=check.classes.get().school_class),
        "已在本次抽查中",
    ),
    ("check_result_is_signed", lambda check: changed(check.classes.get(), checked_at=timezone.now()), "要有检查人、日期"),
    ("check_result_is_signed", lambda check: changed(check.classes.get(), is_as_published=True), "要有检查人、日期"),
    ("homework_once_per_check", same_item, "已在本次检查中"),
    ("seen_minutes_in_range", lambda check: changed(CheckedHomework.objects.get(), seen_minutes=601), "0 至 600"),
    ("review_month_begins_on_first", lambda check: review(check, month=MONDAY), "当月一日"),
]


@pytest.mark.parametrize(("constraint", "make", "message"), CASES)
def test_a_row_that_must_not_be_is_refused(
    constraint: str, make: Callable[[SpotCheck], models.Model], message: str, check: SpotCheck
) -> None:
    assert message in refused(make(check), constraint)


def test_a_month_is_reviewed_once(check: SpotCheck) -> None:
    review(check).save()
    assert "已评议过" in refused(review(check), "review_once_per_month")
