"""A grade's week is published once, frozen, and corrected only by a new version beside the old."""

from __future__ import annotations

import datetime
import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from qingdan.homework.actions.disclosure import build_snapshot, due, publish, remind
from qingdan.homework.actions.register import change, day_total, enter, return_to_teacher, withdraw
from qingdan.homework.enums import DisclosureState
from qingdan.homework.models import Disclosure, Homework
from qingdan.homework.snapshots import changes
from qingdan.homework.tasks import remind_of_disclosure
from qingdan.homework.weeks import grade_weeks
from qingdan.notices.models import Notice
from tests.district import FRIDAY, MONDAY, NEXT_MONDAY, SUNDAY, THURSDAY, TUESDAY, WEDNESDAY, District, SmallSchool, homework

SAID = {"intent": "巩固本周所学", "requirements": "独立完成，书写工整"}


def give(school: SmallSchool, minutes: int = 20, **values: Any) -> Homework:
    """Mathematics for 三（2）班."""
    (item,) = enter([homework(school.class_32, school.teacher, minutes=minutes, **values)], by=school.teacher)
    return item


def out(school: SmallSchool, **said: str) -> Disclosure:
    """Publish the third grade's week."""
    return publish(school=school.school, grade=3, week_from=MONDAY, by=school.grade_head, **{**SAID, **said})


def on(monkeypatch: pytest.MonkeyPatch, day: datetime.date) -> None:
    """It is another day."""
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: day)


def test_a_snapshot_holds_content_minutes_totals_and_limits_and_no_names(district: District) -> None:
    school = district.first
    give(school, requirements="写清步骤")
    give(school, 15, form="oral", on_date=WEDNESDAY)
    enter([homework(school.class_31, school.grade_head, "英语", 25)], by=school.grade_head)
    made = build_snapshot(school=school.school, grade=3, week_from=MONDAY, **SAID)
    assert (made["school"], made["grade_name"], made["week_from"], made["week_until"]) == ("甲小学", "三年级", "2026-11-16", "2026-11-20")
    assert made["subjects"] == ["数学", "英语"]
    assert made["class_names"] == ["三（1）班", "三（2）班"]
    assert made["is_coordinated"] is True
    first, second = made["classes"]
    assert (first["name"], [day["date"] for day in first["days"]]) == ("三（1）班", ["2026-11-17"])
    assert [(day["date"], day["total_home_written"], day["limit_minutes"]) for day in second["days"]] == [
        ("2026-11-17", 20, 60),
        ("2026-11-18", 0, 60),
    ]
    assert second["days"][0]["items"] == [
        {
            "subject": "数学", "tier": "basic", "form": "written", "done_at": "home", "minutes": 20,
            "content": "数学练习", "requirements": "写清步骤", "is_optional": False,
        }
    ]  # fmt: skip
    (limit,) = made["limits"]
    assert limit["minutes"] == 60
    assert limit["cites"][0]["clause"] == "s3.homework.limits-primary-upper"
    text = json.dumps(made, ensure_ascii=False)
    assert not [name for name in ("teacher", "grade_head", "学生") if name in text]


def test_the_total_is_the_one_the_law_judges(district: District) -> None:
    school = district.first
    for values in ({}, {"form": "oral"}, {"done_at": "school"}, {"tier": "extended", "is_optional": True}):
        give(school, 10, **values)
    made = build_snapshot(school=school.school, grade=3, week_from=MONDAY, **SAID)
    total = day_total(school.class_32, TUESDAY)
    (day,) = made["classes"][1]["days"]
    assert (day["total_home_written"], day["limit_minutes"]) == (total.minutes, total.limit_minutes) == (20, 60)
    assert made["limits"][0]["text"] == total.limit_text


def test_a_grade_that_may_have_none_is_told_so(district: District) -> None:
    school = district.first
    enter([homework(school.class_21, school.teacher, minutes=15, form="oral")], by=school.teacher)
    made = build_snapshot(school=school.school, grade=2, week_from=MONDAY, **SAID)
    (limit,) = made["limits"]
    assert (limit["minutes"], limit["is_none_allowed"]) == (None, True)


def test_the_same_register_gives_the_same_snapshot(district: District) -> None:
    school = district.first
    give(school)
    enter([homework(school.class_32, school.other_teacher, "语文", 10)], by=school.other_teacher)
    once, again = (build_snapshot(school=school.school, grade=3, week_from=MONDAY, **SAID) for _ in range(2))
    assert json.dumps(once) == json.dumps(again)


def test_the_fingerprint_can_be_reckoned_by_anybody(district: District) -> None:
    school = district.first
    give(school)
    first = out(school)
    give(school, 10, on_date=WEDNESDAY)
    second = out(school, correction="补上周三的数学")
    for version, before in ((first, ""), (second, first.sha256)):
        version.refresh_from_db()
        text = json.dumps(version.snapshot, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert version.sha256 == hashlib.sha256(before.encode() + text.encode()).hexdigest()
        assert version.is_intact()


def test_the_leader_and_the_head_may_publish_and_nobody_else(district: District) -> None:
    school = district.first
    give(school)
    for by in (school.teacher, school.other_teacher, district.bureau, district.second.leader, school.parent):
        with pytest.raises(ValidationError, match="只有本年级的年级组长或本校管理者"):
            publish(school=school.school, grade=3, week_from=MONDAY, by=by, **SAID)
    with pytest.raises(ValidationError, match="只有本年级的年级组长"):
        publish(school=school.school, grade=2, week_from=MONDAY, by=school.grade_head, **SAID)
    assert publish(school=school.school, grade=3, week_from=MONDAY, by=school.leader, **SAID).version == 1


def test_held_homework_has_to_be_settled_first(district: District) -> None:
    school = district.first
    give(school, 50)
    (held,) = enter([homework(school.class_32, school.other_teacher, "语文", 20)], by=school.other_teacher, hold=True)
    with pytest.raises(ValidationError, match="还有 1 项作业待年级组统筹（三（2）班语文）"):
        out(school)
    return_to_teacher(held, by=school.grade_head, reason="超过上限")
    assert out(school).snapshot["subjects"] == ["数学"]


@pytest.mark.parametrize(
    ("week_from", "words"),
    [
        (TUESDAY, "不是周一；请改用 2026-11-16"),
        (MONDAY, "没有已布置的作业"),
        (NEXT_MONDAY + datetime.timedelta(days=7), "还早"),
    ],
)
def test_a_week_that_cannot_be_published_is_refused(district: District, week_from: datetime.date, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        publish(school=district.first.school, grade=3, week_from=week_from, by=district.first.grade_head, **SAID)
    assert not Disclosure.objects.exists()


def test_the_coming_week_and_a_past_one_can_be_published(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    school = district.first
    give(school, on_date=NEXT_MONDAY)
    assert publish(school=school.school, grade=3, week_from=NEXT_MONDAY, by=school.grade_head, **SAID).version == 1
    give(school)
    on(monkeypatch, NEXT_MONDAY + datetime.timedelta(days=30))
    assert out(school).version == 1


@pytest.mark.parametrize("name", ["intent", "requirements"])
def test_what_the_law_wants_said_must_be_said(district: District, name: str) -> None:
    give(district.first)
    with pytest.raises(ValidationError) as refused:
        out(district.first, **{name: "  "})
    assert name in refused.value.message_dict
    with pytest.raises(ValidationError, match="最多 500 字"):
        out(district.first, **{name: "长" * 501})


def test_nothing_new_is_not_published_again_and_a_correction_is_explained(district: District) -> None:
    school = district.first
    item = give(school)
    out(school)
    with pytest.raises(ValidationError, match="与已公示的第 1 版没有不同"):
        out(school, correction="没有改")
    change(item, by=school.grade_head, homework_minutes=10)
    with pytest.raises(ValidationError, match="更正公示要写明更正了什么"):
        out(school)
    second = out(school, correction="数学减为 10 分钟")
    assert (second.version, second.correction) == (2, "数学减为 10 分钟")
    assert Disclosure.objects.newest().get() == second
    first = Disclosure.objects.get(version=1)
    (difference,) = changes(first.snapshot, second.snapshot)
    assert (difference.where, difference.before, difference.after) == (
        "三（2）班 11月17日 数学", "数学练习 20 分钟", "数学练习 10 分钟",
    )  # fmt: skip


def test_differences_name_what_came_and_what_went(district: District) -> None:
    school = district.first
    item = give(school)
    before = build_snapshot(school=school.school, grade=3, week_from=MONDAY, **SAID)
    withdraw(item, by=school.teacher)
    enter([homework(school.class_31, school.grade_head, "英语", 25)], by=school.grade_head)
    after = build_snapshot(school=school.school, grade=3, week_from=MONDAY, intent="别的", requirements=SAID["requirements"])
    assert [(each.where, each.before, each.after) for each in changes(before, after)] == [
        ("设计意图", "巩固本周所学", "别的"),
        ("三（1）班 11月17日 英语", "", "英语练习 25 分钟"),
        ("三（2）班 11月17日 数学", "数学练习 20 分钟", ""),
    ]
    assert changes(after, after) == []


@pytest.mark.parametrize(
    "act",
    [
        lambda: Disclosure.objects.update(sha256="0" * 64),
        lambda: Disclosure.objects.all().delete(),
        lambda: Disclosure.objects.get().save(),
    ],
)
def test_what_is_published_cannot_be_changed_in_the_database(district: District, act: Callable[[], object]) -> None:
    give(district.first)
    before = out(district.first)
    with pytest.raises(DatabaseError, match="Cannot update or delete rows"), transaction.atomic():
        act()
    with pytest.raises(DatabaseError, match="Cannot update or delete rows"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE homework_disclosure SET snapshot = '{}'")
    after = Disclosure.objects.get()
    assert (after.sha256, after.snapshot) == (before.sha256, before.snapshot)


def version(school: SmallSchool, number: int = 1, **values: Any) -> Disclosure:
    """A version written by hand."""
    given: dict[str, Any] = {
        "correction": "" if number == 1 else "更正",
        "snapshot": {},
        "sha256": "0" * 64,
        "published_at": timezone.now(),
    }
    return Disclosure(
        school=school.school, school_year=school.year, grade=3, published_by=school.leader, version=number,
        **({"week_from": MONDAY} | given | values),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "name", "words"),
    [
        ({"number": 1}, "disclosure_version_once", "刚刚由别人发布了"),
        ({"number": 2, "week_from": TUESDAY}, "disclosure_week_begins_on_monday", "公示周从周一开始"),
        ({"number": 2, "correction": ""}, "disclosure_correction_is_explained", "更正公示要写明更正了什么"),
    ],
)
def test_each_constraint_holds_and_speaks(district: District, values: dict[str, Any], name: str, words: str) -> None:
    version(district.first).save()
    wrong = version(district.first, **values)
    with pytest.raises(ValidationError, match=words):
        wrong.validate_constraints()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        wrong.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_publish_at_once_one_does_and_the_other_is_told(district: District) -> None:
    school = district.first
    give(school)
    start = threading.Barrier(2)
    results: list[Disclosure | ValidationError] = []

    def act(by: str, intent: str) -> None:
        try:
            start.wait(10)
            results.append(
                publish(school=school.school, grade=3, week_from=MONDAY, by=getattr(school, by), intent=intent, requirements="独立完成")
            )
        except ValidationError as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=each) for each in (("leader", "甲"), ("grade_head", "乙"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    (error,) = [each for each in results if isinstance(each, ValidationError)]
    # Whoever came a moment later has seen the first version and would have to correct it.
    assert "刚刚由别人发布了" in str(error) or "更正公示要写明" in str(error)
    assert Disclosure.objects.get().version == 1


def test_a_version_that_was_quicker_is_told_by_its_constraint(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    school = district.first
    give(school)
    from qingdan.homework.actions import disclosure

    look = disclosure.Week.of

    def slowly(*given: object) -> disclosure.Week:
        if not Disclosure.objects.exists():
            version(school).save()  # somebody else's, while this one is still looking
        return look(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(disclosure.Week, "of", slowly)
    with pytest.raises(ValidationError, match="刚刚由别人发布了，请刷新后再看"):
        out(school)


def test_weeks_are_due_on_friday_and_late_after_sunday(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    school = district.first
    give(school)
    enter([homework(school.class_21, school.teacher, minutes=15, form="oral")], by=school.teacher)

    def states(day: datetime.date) -> list[tuple[int, str]]:
        return [(each.grade, each.state) for each in grade_weeks(school.school, first=MONDAY, last=SUNDAY, today=day)]

    assert states(THURSDAY) == [(2, "open"), (3, "open")]
    assert due(school.leader, THURSDAY) == []
    assert states(FRIDAY) == states(SUNDAY) == [(2, "due"), (3, "due")]
    assert states(NEXT_MONDAY) == [(2, "late"), (3, "late")]
    assert [(each.grade, each.is_late) for each in due(school.grade_head, FRIDAY)] == [(3, False)]
    assert [(each.grade, each.is_late) for each in due(school.leader, NEXT_MONDAY)] == [(2, True), (3, True)]
    assert (
        due(school.teacher, FRIDAY)
        == due(school.parent, FRIDAY)
        == due(district.bureau, FRIDAY)
        == due(district.second.leader, FRIDAY)
        == []
    )
    out(school)
    assert [each.grade for each in due(school.leader, FRIDAY)] == [2]


def test_a_week_changed_after_publishing_is_shown_as_changed(district: District) -> None:
    school = district.first
    item = give(school)
    out(school)

    def state() -> str:
        (week,) = grade_weeks(school.school, first=MONDAY, last=SUNDAY, today=FRIDAY)
        return week.state

    assert state() == DisclosureState.PUBLISHED
    change(item, by=school.teacher, homework_minutes=15)
    assert state() == DisclosureState.CHANGED
    out(school, correction="减为 15 分钟")
    assert state() == DisclosureState.PUBLISHED
    withdraw(item, by=school.teacher)
    assert state() == DisclosureState.CHANGED


def test_reminders_reach_heads_and_leaders_once_and_stop_when_it_is_published(district: District) -> None:
    school = district.first
    give(school)
    assert remind(THURSDAY) == 0
    remind(FRIDAY)
    remind(FRIDAY)
    assert sorted(Notice.objects.values_list("user__username", flat=True)) == ["grade_head", "leader"]
    assert {each.url for each in Notice.objects.all()} == {"/homework/disclosures/3/2026-11-16/"}
    assert {each.text for each in Notice.objects.all()} == {"三年级 11月16日 起一周的作业还没有公示，请在 11月22日 前公示。"}
    remind(SUNDAY)
    assert Notice.objects.filter(text__contains="今天是最后一天").count() == 2
    remind(NEXT_MONDAY)
    remind(NEXT_MONDAY + datetime.timedelta(days=4))
    assert Notice.objects.filter(text__contains="已过期限").count() == 2
    Notice.objects.all().delete()
    out(school)
    assert remind(FRIDAY) == 0
    assert not Notice.objects.exists()


def test_reminders_are_sent_on_friday_and_sunday_at_noon_in_china() -> None:
    (periodic,) = [each for each in app.periodic_registry.periodic_tasks.values() if each.task.name == "homework.remind_of_disclosure"]
    monday = datetime.datetime.combine(MONDAY, datetime.time(), timezone.get_default_timezone())
    runs, at = [], monday.timestamp()
    for _ in range(2):
        at = periodic.croniter.get_next(ret_type=float, start_time=at)
        runs.append(timezone.localtime(datetime.datetime.fromtimestamp(at, datetime.UTC)).replace(tzinfo=None))
    assert runs == [datetime.datetime.combine(day, datetime.time(12)) for day in (FRIDAY, SUNDAY)]


def test_the_job_reminds_of_the_day_it_runs(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    give(district.first)
    monkeypatch.setattr("qingdan.storage.connections.connections.close_all", lambda: None)  # the test's own connection
    on(monkeypatch, FRIDAY)
    remind_of_disclosure(timestamp=0)
    assert Notice.objects.count() == 2
