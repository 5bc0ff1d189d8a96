"""The register through the API: the same rights, the same law, the same words."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from qingdan.homework.actions.register import enter
from qingdan.homework.enums import HomeworkStatus
from qingdan.homework.models import Homework
from tests.api.conftest import item, program, told
from tests.district import MONDAY, SATURDAY, TUESDAY, WEDNESDAY, District, homework


def test_a_program_finds_its_classes_and_subjects(district: District) -> None:
    answer = told(program(district.first.teacher).get("classes"))
    assert {each["name"] for each in answer["items"]} == {"二（1）班", "三（1）班", "三（2）班"}
    assert all([each["name"] for each in one["subjects_taught"]] == ["数学"] for one in answer["items"])
    assert {each["school"] for each in told(program(district.bureau).get("classes"))["items"]} == {"甲小学", "乙小学"}


def test_several_classes_are_entered_at_once(district: District) -> None:
    school = district.first
    response = program(school.teacher).post(
        "homework", {"items": [item(school.class_31.pk, 20), item(school.class_32.pk, 30, tier="basic")]}
    )
    assert response.status_code == 201
    given = told(response)["items"]
    assert [(each["school_class"]["name"], each["homework_minutes"], each["status"]) for each in given] == [
        ("三（1）班", 20, "out"),
        ("三（2）班", 30, "out"),
    ]
    assert given[0]["teacher"] == "teacher"
    assert Homework.objects.out().count() == 2


def test_the_same_class_and_tier_may_come_twice(district: District) -> None:
    school = district.first
    answer = program(school.teacher).post(
        "homework", {"items": [item(school.class_32.pk, 10), item(school.class_32.pk, 5, content="口算")]}
    )
    assert answer.status_code == 201
    assert Homework.objects.count() == 2


def test_the_law_refuses_with_rule_sentence_limit_and_clause_and_nothing_is_saved(district: District) -> None:
    school = district.first
    response = program(school.teacher).post("homework", {"items": [item(school.class_31.pk, 20), item(school.class_32.pk, 61)]})
    assert response.status_code == 422
    answer = told(response)
    assert answer["code"] == "against_the_law"
    (objection,) = answer["objections"]
    assert objection["rule"] == "homework.daily-total"
    assert objection["where"] == "三（2）班"
    assert "61 分钟" in objection["sentence"]
    assert objection["limits"][0]["text"] == "60 分钟"
    assert objection["cites"][0]["clause"]
    assert not Homework.objects.exists()


def test_what_is_over_can_be_handed_to_the_year_group(district: District) -> None:
    school = district.first
    response = program(school.teacher).post("homework", {"items": [item(school.class_32.pk, 61)], "hold": True})
    assert response.status_code == 201
    (held,) = told(response)["items"]
    assert held["status"] == "held"
    assert held["objections"][0]["rule"] == "homework.daily-total"


def test_homework_is_listed_filtered_and_in_pages(district: District) -> None:
    school, teacher = district.first, program(district.first.teacher)
    enter([homework(school.class_31, school.teacher), homework(school.class_32, school.teacher)], by=school.teacher)
    enter([homework(school.class_32, school.teacher, on_date=WEDNESDAY)], by=school.teacher)
    enter([homework(district.second.class_32, district.second.teacher)], by=district.second.teacher)
    assert told(teacher.get("homework"))["count"] == 3
    assert told(teacher.get("homework", class_id=school.class_32.pk))["count"] == 2
    assert told(teacher.get("homework", **{"from": str(WEDNESDAY), "to": str(WEDNESDAY)}))["count"] == 1
    assert told(teacher.get("homework", grade=2))["count"] == 0
    assert told(teacher.get("homework", status="held"))["count"] == 0
    page = told(teacher.get("homework", page=2, page_size=2))
    assert (page["count"], page["page"], page["pages"], len(page["items"])) == (3, 2, 2, 1)
    assert teacher.get("homework", page=3, page_size=2).status_code == 422
    assert told(program(district.bureau).get("homework"))["count"] == 4


def test_a_misspelt_filter_is_no_silence(district: District) -> None:
    answer = program(district.first.teacher).get("homework", clas_id=1)
    assert answer.status_code == 422
    assert told(answer)["details"] == [{"field": "query.clas_id", "message": "没有这个参数，请检查名称"}]


def test_a_bureau_sees_no_teacher_and_nothing_held(district: District) -> None:
    school = district.first
    (out,) = enter([homework(school.class_32, school.teacher)], by=school.teacher)
    (held,) = enter([homework(school.class_31, school.teacher, minutes=61)], by=school.teacher, hold=True)
    bureau = program(district.bureau)
    assert told(bureau.get(f"homework/{out.pk}"))["teacher"] is None
    assert bureau.get(f"homework/{held.pk}").status_code == 404


def test_strangers_find_nothing(district: District) -> None:
    school, stranger = district.first, program(district.second.teacher)
    (given,) = enter([homework(school.class_32, school.teacher)], by=school.teacher)
    assert stranger.get(f"homework/{given.pk}").status_code == 404
    assert stranger.send("PATCH", f"homework/{given.pk}", {"homework_minutes": 5}).status_code == 404
    assert stranger.post(f"homework/{given.pk}/withdraw").status_code == 404
    assert stranger.get(f"classes/{school.class_32.pk}/days/{TUESDAY}").status_code == 404
    refused = stranger.post("homework", {"items": [item(school.class_32.pk)]})
    assert refused.status_code == 422
    assert told(refused)["details"][0]["field"] == "body.items.0.class_id"
    given.refresh_from_db()
    assert (given.status, given.homework_minutes) == (HomeworkStatus.OUT, 20)


def test_a_colleague_may_read_but_not_change(district: District) -> None:
    school = district.first
    (given,) = enter([homework(school.class_32, school.teacher)], by=school.teacher)
    colleague = program(school.other_teacher)
    assert colleague.get(f"homework/{given.pk}").status_code == 200
    assert colleague.send("PATCH", f"homework/{given.pk}", {"homework_minutes": 5}).status_code == 404


def test_homework_is_changed_judged_again_and_kept_with_the_users_name(district: District) -> None:
    school = district.first
    (given,) = enter([homework(school.class_32, school.teacher)], by=school.teacher)
    head = program(school.grade_head)
    refused = head.send("PATCH", f"homework/{given.pk}", {"homework_minutes": 61})
    assert refused.status_code == 422
    assert told(refused)["code"] == "against_the_law"
    changed = head.send("PATCH", f"homework/{given.pk}", {"homework_minutes": 15, "on_date": str(WEDNESDAY), "note": "减去抄写"})
    assert changed.status_code == 200
    answer = told(changed)
    assert (answer["homework_minutes"], answer["on_date"], answer["settlement"]) == (15, str(WEDNESDAY), "减去抄写")
    event = apps.get_model("homework", "HomeworkEvent").objects.select_related("pgh_context").latest("pgh_id")
    assert event.pgh_context.metadata["user"] == school.grade_head.pk


def test_a_change_of_nothing_is_refused(district: District) -> None:
    school = district.first
    (given,) = enter([homework(school.class_32, school.teacher)], by=school.teacher)
    assert "至少写一项" in told(program(school.teacher).send("PATCH", f"homework/{given.pk}", {}))["message"]


def test_homework_is_withdrawn_once_and_then_stays_so(district: District) -> None:
    school = district.first
    (given,) = enter([homework(school.class_32, school.teacher)], by=school.teacher)
    teacher = program(school.teacher)
    assert told(teacher.post(f"homework/{given.pk}/withdraw"))["status"] == "withdrawn"
    assert teacher.post(f"homework/{given.pk}/withdraw").status_code == 409
    assert teacher.send("PATCH", f"homework/{given.pk}", {"homework_minutes": 5}).status_code == 409


def test_the_total_of_a_day_comes_with_its_limit_and_clause(district: District) -> None:
    school = district.first
    enter([homework(school.class_32, school.teacher, minutes=45)], by=school.teacher)
    total = told(program(school.teacher).get(f"classes/{school.class_32.pk}/days/{TUESDAY}"))
    assert (total["minutes"], total["limit_minutes"], total["minutes_left"], total["is_over"]) == (45, 60, 15, False)
    assert total["cites"]
    assert told(program(school.teacher).get(f"classes/{school.class_21.pk}/days/{TUESDAY}"))["is_none_allowed"]
    assert program(school.teacher).get(f"classes/{school.class_21.pk}/days/soon").status_code == 422


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"homework_minutes": -1}, "body.items.0.homework_minutes", "不能小于 0"),
        ({"homework_minutes": 601}, "body.items.0.homework_minutes", "不能大于 600"),
        ({"homework_minutes": "many"}, "body.items.0.homework_minutes", "整数"),
        ({"on_date": "tomorrow"}, "body.items.0.on_date", "2026-11-17"),
        ({"content": ""}, "body.items.0.content", "至少 1 个字"),
        ({"tier": "hard"}, "body.items.0.tier", "只能是"),
        ({"subject": "炼金术"}, "body.items.0.subject", "没有名为"),
        ({"duration": 5}, "body.items.0.duration", "没有这个字段"),
    ],
)
def test_a_wrong_field_is_named(district: District, changes: dict[str, Any], field: str, words: str) -> None:
    school = district.first
    response = program(school.teacher).post("homework", {"items": [item(school.class_32.pk, **changes)]})
    assert response.status_code == 422
    answer = told(response)
    assert answer["code"] == "invalid"
    assert answer["details"][0]["field"] == field
    assert words in answer["details"][0]["message"]
    assert not Homework.objects.exists()


@pytest.mark.parametrize(("day", "words"), [(SATURDAY, "休息日"), (MONDAY.replace(day=13), "已经过去")])
def test_a_day_without_school_is_refused_in_words(district: District, day: object, words: str) -> None:
    school = district.first
    response = program(school.teacher).post("homework", {"items": [item(school.class_32.pk, on_date=str(day))]})
    assert response.status_code == 422
    assert words in told(response)["message"]


def test_a_subject_that_one_does_not_teach_is_refused(district: District) -> None:
    school = district.first
    response = program(school.other_teacher).post("homework", {"items": [item(school.class_32.pk)]})
    assert "没有这门学科的任课" in told(response)["message"]
    assert program(school.leader).post("homework", {"items": [item(school.class_32.pk)]}).status_code == 422


def test_what_is_no_json_is_told(district: District) -> None:
    response = program(district.first.teacher).post("homework", "{items: ")
    assert response.status_code == 400
    assert told(response)["code"] == "bad_json"


def test_the_lists_ask_the_same_number_of_questions_for_one_and_for_many(district: District) -> None:
    school, teacher = district.first, program(district.first.teacher)

    def questions(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert teacher.get(path).status_code == 200
        return len(asked)

    enter([homework(school.class_32, school.teacher, minutes=1)], by=school.teacher)
    teacher.get("homework")
    few = questions("homework"), questions("classes")
    for number in range(12):
        enter([homework(school.class_32, school.teacher, minutes=1, content=f"第 {number} 题")], by=school.teacher)
    assert (questions("homework"), questions("classes")) == few
    assert few[0] <= 8
