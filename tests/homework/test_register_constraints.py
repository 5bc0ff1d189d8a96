"""What the database itself refuses of the register, and in which words."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qingdan.homework.actions.register import enter, judge_draft
from qingdan.homework.enums import HomeworkForm, HomeworkPlace
from qingdan.homework.models import Homework
from qingdan.judging.facts import page_of
from tests.district import District, homework


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("homework_minutes_in_range", {"homework_minutes": 601}, "预计时长要在 0 至 600 分钟之间"),
        ("homework_has_content", {"content": ""}, "请写明作业内容"),
        ("homework_status_is_known", {"status": "lost"}, "作业只能是已布置、待统筹、已退回或已撤回"),
        ("homework_out_has_a_time", {"status": "out", "sent_at": None}, "已布置的作业要有布置时间"),
        ("homework_return_has_a_reason", {"status": "returned"}, "退回作业要写明理由"),
    ],
)
def test_the_database_refuses_it_and_says_why(district: District, name: str, values: dict[str, Any], words: str) -> None:
    item = homework(district.first.class_32, district.first.teacher, **values)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        item.save()
    with pytest.raises(ValidationError, match=words):
        item.validate_constraints()


def test_minutes_below_zero_are_refused_by_the_database(district: District) -> None:
    item = homework(district.first.class_32, district.first.teacher)
    item.save()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE homework_homework SET homework_minutes = -1 WHERE id = %s", [item.pk])


def test_a_batch_has_each_class_and_tier_once(district: District) -> None:
    school = district.first
    batch = uuid.uuid4()
    homework(school.class_32, school.teacher, batch=batch).save()
    again = homework(school.class_32, school.teacher, batch=batch)
    with pytest.raises(IntegrityError, match="homework_once_per_batch"), transaction.atomic():
        again.save()
    with pytest.raises(ValidationError, match="这份作业已经保存过"):
        again.validate_constraints()


def test_a_finding_about_homework_leads_to_its_page(district: District) -> None:
    (item,) = enter([homework(district.first.class_32, district.first.teacher)], by=district.first.teacher)
    assert page_of("homework_item", item.pk) == f"/homework/{item.pk}/"


def test_history_keeps_what_was_before_each_change(district: District) -> None:
    (item,) = enter([homework(district.first.class_32, district.first.teacher, minutes=20)], by=district.first.teacher)
    for minutes in (25, 30):
        item.homework_minutes = minutes
        item.save()
    kept = item.events.order_by("pgh_id").values_list("homework_minutes", flat=True)  # type: ignore[attr-defined]
    assert list(kept) == [20, 25]


drafts = st.lists(
    st.tuples(st.integers(0, 90), st.sampled_from(HomeworkForm.values), st.sampled_from(HomeworkPlace.values)), min_size=1, max_size=3
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=drafts, more=st.lists(st.integers(0, 60), min_size=3, max_size=3))
def test_more_minutes_never_make_a_refused_draft_pass(district: District, pieces: list[tuple[int, str, str]], more: list[int]) -> None:
    school = district.first

    def refused(extra: list[int]) -> set[str]:
        items = [
            homework(
                school.class_32,
                school.teacher,
                minutes=minutes + added,
                form=form,
                done_at=place,
                tier=tier,
                is_optional=tier == "extended",
            )
            for (minutes, form, place), added, tier in zip(pieces, extra, ("basic", "extended", "personal"), strict=False)
        ]
        return {each.rule for each in judge_draft(items)}

    assert refused([0, 0, 0]) <= refused(more)
    assert not Homework.objects.exists()
