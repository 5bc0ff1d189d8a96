"""What was finished at school, and what was marked and given back."""

from __future__ import annotations

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from qingdan.homework.actions.completion import tell_finish
from qingdan.homework.models import Homework, Marking, SchoolFinish
from qingdan.judging.law import current_law
from qingdan.places.models import OverriddenDay
from tests.district import FRIDAY, MONDAY, SATURDAY, TUESDAY, District, SmallSchool, homework, make_class, signed_in

LAST_FRIDAY = MONDAY - datetime.timedelta(days=3)
HTMX = {"HX-Request": "true"}


def given(school: SmallSchool, day: datetime.date = MONDAY, minutes: int = 40, **values: object) -> Homework:
    """Written homework that went out in 三（2）班; the judging of the day is another test's matter."""
    values |= {"on_date": day, "status": "out", "sent_at": timezone.now()}
    item = homework(school.class_32, school.teacher, "数学", minutes, **values)
    item.save()
    return item


def test_one_tap_keeps_the_share_and_another_changes_it(district: District) -> None:
    school = district.first
    given(school)
    client = signed_in(school.teacher)
    page = client.get(reverse("homework:finish"))
    assert "书面作业共 40 分钟" in page.text
    assert "80%" in page.text
    assert "三（2）班" in page.text
    assert "三（1）班" not in page.text
    address = reverse("homework:finish_save", args=[school.class_32.pk, MONDAY])
    assert "已填 90%" in client.post(address, {"finished_percent": "90"}, headers=HTMX).text
    below = client.post(address, {"finished_percent": "79"}, headers=HTMX).text
    assert "低于下限" in below
    assert "不低于 80%" in below
    assert SchoolFinish.objects.get().finished_percent == 79
    client.post(address, {"finished_percent": ""})
    assert not SchoolFinish.objects.exists()


@pytest.mark.parametrize(("day", "is_open"), [(MONDAY, True), (LAST_FRIDAY, True), (datetime.date(2026, 11, 9), True),
    (datetime.date(2026, 11, 6), False), (TUESDAY, False), (datetime.date(2026, 11, 15), False)])  # fmt: skip
def test_the_past_five_school_days_can_be_filled_and_no_other(district: District, day: datetime.date, is_open: bool) -> None:
    school = district.first
    address = reverse("homework:finish_save", args=[school.class_32.pk, day])
    answer = signed_in(school.teacher).post(address, {"finished_percent": "90"}, follow=True)
    assert SchoolFinish.objects.exists() is is_open
    assert ("已记录" if is_open else "只能填今天和前 5 个上学日") in answer.text


@pytest.mark.parametrize("percent", ["-1", "101", "九十", "1e3"])
def test_an_impossible_share_is_refused(district: District, percent: str) -> None:
    school = district.first
    given(school)
    address = reverse("homework:finish_save", args=[school.class_32.pk, MONDAY])
    assert "qd-error" in signed_in(school.teacher).post(address, {"finished_percent": percent}, headers=HTMX).text
    assert not SchoolFinish.objects.exists()


def test_only_the_class_teacher_tells(district: District) -> None:
    school = district.first
    for user in (school.other_teacher, school.leader, district.second.teacher):
        address = reverse("homework:finish_save", args=[school.class_32.pk, MONDAY])
        assert signed_in(user).post(address, {"finished_percent": "90"}).status_code == 404
        with pytest.raises(ValidationError, match="班主任"):
            tell_finish(school_class=school.class_32, day=MONDAY, by=user, finished_percent=90)
    assert "您不是班主任" in signed_in(school.other_teacher).get(reverse("homework:finish")).text
    address = reverse("homework:finish_save", args=[school.class_32.pk, "gestern"])
    assert signed_in(school.teacher).post(address, {"finished_percent": "90"}).status_code == 404


@pytest.mark.parametrize(("percent", "rules"), [(80, set()), (79, {"homework.done-at-school"})])
def test_the_law_judges_the_share_by_the_place(district: District, percent: int, rules: set[str]) -> None:
    """甲小学 has a law of its own: 80 percent in primary grades."""
    school = district.first
    given(school)
    tell_finish(school_class=school.class_32, day=MONDAY, by=school.teacher, finished_percent=percent)
    judged = current_law().judge_touched("homework_completion", every_fact=True, class_id=school.class_32.pk, on_date=MONDAY)
    assert len(judged) == 1
    assert judged[0].row["written_minutes"] == 40
    assert {finding.rule.id for finding in judged[0].breaches} == rules


def test_a_day_without_written_homework_has_no_share_to_reach(district: District) -> None:
    school = district.first
    given(school, form="oral")
    tell_finish(school_class=school.class_32, day=MONDAY, by=school.teacher, finished_percent=0)
    (judged,) = current_law().judge_touched("homework_completion", every_fact=True, class_id=school.class_32.pk, on_date=MONDAY)
    assert judged.row["written_minutes"] == 0
    assert judged.breaches == ()


def test_a_day_that_the_bureau_closes_is_no_school_day(district: District) -> None:
    school = district.first
    OverriddenDay.objects.create(region=district.region, day=LAST_FRIDAY, kind="holiday")
    page = signed_in(school.teacher).get(reverse("homework:finish"))
    assert [row.day for row in page.context["classes"][school.class_32]][:2] == [MONDAY, MONDAY - datetime.timedelta(days=4)]


def test_several_pieces_are_recorded_at_once_and_taken_back(district: District) -> None:
    school = district.first
    items = [given(school, content=f"练习{number}") for number in range(3)]
    client = signed_in(school.teacher)
    address = reverse("homework:markings")
    data = {
        "homework": [items[0].pk, items[1].pk],
        "scope": "part",
        "face_to_face_count": "4",
        "is_discussed_in_class": "1",
        "feedback": "审题",
    }
    assert "已记录 2 项批改" in client.post(address, data, follow=True).text
    kept = Marking.objects.get(homework=items[0])
    assert (kept.is_marked_in_full, kept.face_to_face_count, kept.is_discussed_in_class, kept.feedback) == (False, 4, True, "审题")
    client.post(address, {"one": items[2].pk, "face_to_face_count": "9"})
    assert Marking.objects.get(homework=items[2]).face_to_face_count == 0
    client.post(address, {"homework": [items[0].pk], "scope": "full"})
    kept.refresh_from_db()
    assert kept.is_marked_in_full
    client.post(reverse("homework:marking_undo", args=[items[0].pk]))
    assert Marking.objects.count() == 2
    assert [item.pk for item in client.get(address, {"only": "open"}).context["page"]] == [items[0].pk]


def test_somebody_elses_homework_is_not_there(district: District) -> None:
    school = district.first
    mine = given(school)
    held = homework(school.class_32, school.teacher, on_date=MONDAY, status="held")
    held.save()
    address = reverse("homework:markings")
    assert signed_in(school.other_teacher).post(address, {"homework": [mine.pk], "scope": "full"}).status_code == 404
    assert signed_in(school.teacher).post(address, {"homework": [mine.pk, held.pk], "scope": "full"}).status_code == 404
    assert not Marking.objects.exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"scope": "full"}, "还没有选作业"),
        ({"scope": "full", "homework": ["x", "9" * 30]}, "还没有选作业"),
        ({"scope": "full", "face_to_face_count": "101"}, "面批人数不能超过 100"),
        ({"scope": "full", "face_to_face_count": "-1"}, "面批人数不能小于 0"),
        ({"scope": "half"}, "half"),
    ],
)
def test_a_faulty_marking_is_refused(district: District, data: dict[str, object], words: str) -> None:
    item = given(district.first)
    wanted = {"homework": [item.pk]} if "scope" in data and words != "还没有选作业" else {}
    answer = signed_in(district.first.teacher).post(reverse("homework:markings"), wanted | data, follow=True)
    assert words in answer.text
    assert not Marking.objects.exists()


@pytest.mark.parametrize("address", ["finish", "markings"])
def test_queries_do_not_grow_with_rows(district: District, address: str) -> None:
    school = district.first
    client = signed_in(school.teacher)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(f"homework:{address}")).status_code == 200
        return len(queries)

    given(school)
    count()  # the calendar is read once
    few = count()
    for number in range(4, 9):
        led = make_class(school.school, 3, number, class_teacher=school.teacher)
        for item in (given(school), given(school, day=LAST_FRIDAY)):
            item.school_class = led
            item.save()
            Marking.objects.create(homework=item, marked_on=MONDAY, recorded_by=school.teacher)
        SchoolFinish.objects.create(school_class=led, on_date=MONDAY, finished_percent=50, reported_by=school.teacher)
    assert count() == few


def test_constraints_of_finishes_and_markings(district: District) -> None:
    school = district.first
    SchoolFinish.objects.create(school_class=school.class_32, on_date=MONDAY, finished_percent=50, reported_by=school.teacher)
    item = given(school)
    cases = {
        "finish_once_per_day": SchoolFinish(school_class=school.class_32, on_date=MONDAY, finished_percent=1, reported_by=school.teacher),
        "finish_is_a_percentage": SchoolFinish(
            school_class=school.class_32, on_date=FRIDAY, finished_percent=101, reported_by=school.teacher
        ),
        "marking_face_to_face_in_range": Marking(homework=item, marked_on=SATURDAY, face_to_face_count=101, recorded_by=school.teacher),
    }
    for name, wrong in cases.items():
        message = next(each.violation_error_message for each in wrong._meta.constraints if each.name == name)
        with pytest.raises(ValidationError, match=str(message)):
            wrong.validate_constraints()
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            wrong.save()
