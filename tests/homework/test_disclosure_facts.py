"""What the law says of disclosures: over the rows themselves, through the view and the compiled rules."""

from __future__ import annotations

import datetime

import pytest
from django.db import connection
from django.utils import timezone

from qingdan.homework.actions.disclosure import build_snapshot
from qingdan.homework.enums import HomeworkStatus
from qingdan.homework.models import Disclosure, Homework
from qingdan.judging.facts import DAY_OF_FACTS, TODAY
from qingdan.judging.law import Judged, current_law
from tests.district import MONDAY, SUNDAY, District, SmallSchool, homework

SAID = {"intent": "巩固本周所学", "requirements": "独立完成"}
#: The week of the day that the views take for today in tests.
THIS_MONDAY = MONDAY
LAST_MONDAY = THIS_MONDAY - datetime.timedelta(days=7)
WEEKLY = "homework.disclosure-weekly"


def record(school: SmallSchool, monday: datetime.date, name: str = "数学", **values: object) -> Homework:
    """A piece of homework of that week's Tuesday, as it stands in the register."""
    item = homework(school.class_32, school.teacher, name, 20)
    given = {"on_date": monday + datetime.timedelta(days=1), "status": HomeworkStatus.OUT, "sent_at": timezone.now()}
    for key, value in (given | values).items():
        setattr(item, key, value)
    item.save()
    return item


def published(school: SmallSchool, monday: datetime.date, *, after_days: int, hour: int = 12, **said: str) -> Disclosure:
    """A first version that came out so many days after the Monday, at that hour in China."""
    at = datetime.datetime.combine(monday + datetime.timedelta(days=after_days), datetime.time(hour), timezone.get_default_timezone())
    snapshot = build_snapshot(school=school.school, grade=3, week_from=monday, **{**SAID, **said})
    return Disclosure.objects.create(
        school=school.school, school_year=school.year, grade=3, week_from=monday, snapshot=snapshot, sha256="0" * 64,
        published_by=school.grade_head, published_at=at,
    )  # fmt: skip


def judged(school: SmallSchool, monday: datetime.date) -> list[Judged]:
    """The week's fact with what the law says of it."""
    return current_law().judge_touched("homework_disclosure", every_fact=True, organisation_id=school.school.pk, grade=3, week_from=monday)


def breached(school: SmallSchool, monday: datetime.date) -> list[str]:
    (fact,) = judged(school, monday)
    assert [finding.rule.id for finding in fact.findings if finding.verdict == "undetermined"] == []
    return [finding.rule.id for finding in fact.breaches]


@pytest.mark.parametrize(
    ("after_days", "hour", "rules"),
    [(0, 8, []), (4, 18, []), (6, 23, []), (7, 0, [WEEKLY]), (7, 12, [WEEKLY])],
    ids=["in advance", "friday", "sunday before midnight", "monday after midnight", "monday"],
)
def test_published_by_sunday_is_in_time_and_on_monday_is_not(district: District, after_days: int, hour: int, rules: list[str]) -> None:
    record(district.first, LAST_MONDAY)
    published(district.first, LAST_MONDAY, after_days=after_days, hour=hour)
    assert breached(district.first, LAST_MONDAY) == rules


def test_an_unpublished_week_is_no_fact_until_it_is_over_and_then_a_breach(district: District) -> None:
    record(district.first, THIS_MONDAY)
    assert judged(district.first, THIS_MONDAY) == []
    record(district.first, LAST_MONDAY)
    (fact,) = judged(district.first, LAST_MONDAY)
    assert [finding.rule.id for finding in fact.findings] == [WEEKLY]
    (finding,) = fact.breaches
    assert "一周的作业没有当周公示" in finding.sentence
    assert fact.row["is_published"] is False
    assert [each.row_id for each in current_law().judge_all("homework_disclosure")] == [fact.row_id]


def test_a_week_in_which_something_was_never_settled_is_not_coordinated(district: District) -> None:
    record(district.first, LAST_MONDAY)
    record(district.first, LAST_MONDAY, status=HomeworkStatus.HELD, sent_at=None)
    assert breached(district.first, LAST_MONDAY) == ["homework.coordinated", WEEKLY]


def test_a_week_in_which_all_was_held_or_taken_back_is_no_fact(district: District) -> None:
    record(district.first, LAST_MONDAY, status=HomeworkStatus.HELD, sent_at=None)
    record(district.first, LAST_MONDAY, status=HomeworkStatus.WITHDRAWN, sent_at=None)
    assert judged(district.first, LAST_MONDAY) == []


def test_a_subject_or_class_that_came_after_publishing_is_not_covered_until_it_is_corrected(district: District) -> None:
    school = district.first
    record(school, LAST_MONDAY)
    first = published(school, LAST_MONDAY, after_days=4)
    assert breached(school, LAST_MONDAY) == []
    record(school, LAST_MONDAY, subject=homework(school.class_32, school.teacher, "英语").subject)
    assert breached(school, LAST_MONDAY) == ["homework.disclosure-by-subject"]
    record(school, LAST_MONDAY, school_class=school.class_31)
    assert breached(school, LAST_MONDAY) == ["homework.disclosure-by-class", "homework.disclosure-by-subject"]
    second = build_snapshot(school=school.school, grade=3, week_from=LAST_MONDAY, **SAID)
    Disclosure.objects.create(
        school=school.school, school_year=school.year, grade=3, week_from=LAST_MONDAY, version=2, snapshot=second, sha256="1" * 64,
        correction="补上英语", published_by=school.grade_head, published_at=timezone.now(),
    )  # fmt: skip
    # The correction came late; what counts as published in time is the first version.
    assert breached(school, LAST_MONDAY) == []
    (fact,) = judged(school, LAST_MONDAY)
    assert fact.row["published_on"] == timezone.localdate(first.published_at)


def test_what_is_not_said_is_missed(district: District) -> None:
    record(district.first, LAST_MONDAY)
    published(district.first, LAST_MONDAY, after_days=4, intent="", requirements="")
    assert breached(district.first, LAST_MONDAY) == ["homework.disclosure-intent", "homework.disclosure-requirements"]


def test_weeks_and_grades_of_all_schools_are_facts_of_their_own(district: District) -> None:
    for school in (district.first, district.second):
        record(school, LAST_MONDAY)
        record(school, LAST_MONDAY, school_class=school.class_21, form="oral")
        record(school, LAST_MONDAY - datetime.timedelta(days=7))
    facts = list(current_law().judge_all("homework_disclosure"))
    assert len({fact.row_id for fact in facts}) == len(facts) == 6
    assert len({fact.key for fact in facts}) == 6
    owners = current_law().owners(facts[0].kind, [fact.row_id for fact in facts])
    assert sorted(owners.values()) == sorted([district.first.school.pk, district.second.school.pk] * 3)


@pytest.mark.parametrize(("day", "facts"), [(SUNDAY, 0), (SUNDAY + datetime.timedelta(days=1), 1)], ids=["sunday", "monday"])
def test_an_unpublished_week_is_a_fact_from_the_monday_after(district: District, day: datetime.date, facts: int) -> None:
    record(district.first, THIS_MONDAY)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, TRUE)", [DAY_OF_FACTS, day.isoformat()])
    assert len(judged(district.first, THIS_MONDAY)) == facts


def test_without_a_day_of_their_own_facts_are_of_today_in_china(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, '', TRUE)", [DAY_OF_FACTS])
        cursor.execute(f"SELECT {TODAY}")
        assert cursor.fetchone() == (timezone.localdate(),)
