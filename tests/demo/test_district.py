"""What the demonstration holds: believable, fictional, lawful but for the three troubled schools."""

from __future__ import annotations

import datetime
import itertools
from collections import Counter

import pytest
from django.contrib.auth import authenticate
from django.db.models import Count, Sum
from django.test import Client
from django.urls import reverse

from qingdan.accounts.models import Organisation, User
from qingdan.demo.loading import Outcome, ensure_district
from qingdan.demo.plan import ACCOUNTS, FIRST_SCHOOL, PASSWORD, Trouble
from qingdan.draws.models import Draw
from qingdan.homework.actions.disclosure import build_snapshot, told_by_items
from qingdan.homework.actions.register import Refused, day_total, enter
from qingdan.homework.enums import DesignStatus, HomeworkStatus
from qingdan.homework.models import Design, Disclosure, FamilyReport, Homework, Marking, MonthlyReview, SchoolFinish, SpotCheck
from qingdan.judging.law import current_law
from qingdan.places.calendar import SchoolCalendar, monday_of
from qingdan.schools.models import Pupil, School, SchoolClass, TeachingAssignment
from qingdan.serving import DEMO_ACCOUNTS, DEMO_PASSWORD
from tests.demo.conftest import TODAY, TROUBLED

STORY_CLASS = "三（2）班"


#: As the product reads a week.
IN_ORDER = ("school_class__number", "on_date", "subject__position", "subject__name", "tier", "content", "pk")


def breaches(kind: str) -> Counter[tuple[str, str]]:
    """School and rule -> how often it is broken."""
    found: Counter[tuple[str, str]] = Counter()
    for judged in current_law().judge_all(kind):
        for finding in judged.breaches:
            found[str(judged.row["school"]), finding.rule.id] += 1
    return found


def story_class() -> SchoolClass:
    return SchoolClass.objects.select_related("school__organisation", "school_year").get(
        name=STORY_CLASS, school__organisation__name=FIRST_SCHOOL
    )


def test_the_district_is_whole_and_clearly_fictional(district: Outcome) -> None:
    assert district.act == "loaded"
    assert School.objects.count() == 4
    assert not Organisation.objects.filter(is_fictional=False).exists()
    assert {code[:2] for code in Organisation.objects.values_list("region_code", flat=True)} == {"99"}
    assert SchoolClass.objects.count() == 12 + 12 + 6 + 12
    assert 35 <= Pupil.objects.count() / SchoolClass.objects.count() <= 45
    assert Homework.objects.count() == district.homework > 42 * 12 * 3
    assert set(Homework.objects.values_list("status", flat=True)) == {HomeworkStatus.OUT}
    assert all(name.startswith("学生") and name[2:].isdecimal() for name in Pupil.objects.values_list("name", flat=True))
    for model in (Marking, SchoolFinish, FamilyReport, Disclosure, MonthlyReview, SpotCheck):
        assert model.objects.exists(), model.__name__


def test_every_class_has_a_class_teacher_and_every_homework_a_teacher_who_teaches_it(district: Outcome) -> None:
    assert not SchoolClass.objects.filter(class_teacher=None).exists()
    taught = set(TeachingAssignment.objects.values_list("teacher", "school_class", "subject"))
    given = set(Homework.objects.values_list("teacher", "school_class", "subject"))
    assert given <= taught


def test_homework_is_only_of_school_days_up_to_today_and_the_next_one(district: Outcome) -> None:
    calendar = SchoolCalendar("demo-district")
    days = set(Homework.objects.values_list("on_date", flat=True))
    assert all(calendar.is_school_day(day) for day in days)
    assert sorted(days)[-2:] == [TODAY, datetime.date(2026, 11, 19)]
    assert min(days) == datetime.date(2026, 10, 26)


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.username)
def test_every_demo_account_signs_in_and_finds_its_home_page(district: Outcome, account: object) -> None:
    name = account.username  # type: ignore[attr-defined]
    client = Client()
    assert client.post(reverse("accounts:login"), {"username": name, "password": PASSWORD}).status_code == 302
    assert client.get(reverse("home"), follow=True).status_code == 200


def test_nobody_else_has_a_password(district: Outcome) -> None:
    others = User.objects.exclude(username__in=[account.username for account in ACCOUNTS])
    assert others.count() > 1_000
    assert not any(user.has_usable_password() for user in others)


def test_the_launcher_names_the_same_accounts() -> None:
    assert list(DEMO_ACCOUNTS) == [account.username for account in ACCOUNTS]
    assert DEMO_PASSWORD == PASSWORD


def test_only_the_troubled_school_is_over_the_daily_limit(district: Outcome) -> None:
    found = breaches("class_day")
    assert set(found) == {(TROUBLED[Trouble.OVER_LIMIT], "homework.daily-total")}
    assert found[TROUBLED[Trouble.OVER_LIMIT], "homework.daily-total"] > 20


def test_only_the_troubled_school_writes_at_home_in_grade_two_and_lets_parents_mark(district: Outcome) -> None:
    by_rule = {rule: school for school, rule in breaches("homework_item") if rule in NOT_OF_CHECKS}
    assert by_rule == dict.fromkeys(NOT_OF_CHECKS, TROUBLED[Trouble.UNDERESTIMATED])


#: Rules over homework that no spot check brings to light.
NOT_OF_CHECKS = ("homework.no-written-at-home", "homework.no-parent-checking")


def test_families_report_more_than_allowed_only_where_something_is_wrong(district: Outcome) -> None:
    found = breaches("homework_completion")
    assert found[TROUBLED[Trouble.UNDERESTIMATED], "homework.actual-minutes"] > 20
    assert {school for school, _ in found} <= {TROUBLED[Trouble.UNDERESTIMATED], TROUBLED[Trouble.OVER_LIMIT]}


def test_one_school_publishes_late_or_not_and_all_others_in_time(district: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    found = breaches("homework_disclosure")
    assert set(found) == {(TROUBLED[Trouble.LATE_DISCLOSURE], "homework.disclosure-weekly")}


def test_what_was_published_is_what_the_product_would_publish(district: Outcome) -> None:
    first = Disclosure.objects.filter(version=1).order_by("-week_from", "school", "grade")[0]
    monday = first.week_from
    assert monday == monday_of(TODAY) - datetime.timedelta(weeks=1)
    for disclosure in Disclosure.objects.filter(week_from=monday).select_related("school__organisation"):
        items = Homework.objects.of_grade(disclosure.school_id, disclosure.grade, monday, monday + datetime.timedelta(days=6))
        told = told_by_items(
            list(
                items.select_related("subject").order_by(
                    "school_class__number", "on_date", "subject__position", "subject__name", "tier", "content", "pk"
                )
            )
        )
        school, grade = disclosure.school, disclosure.grade
        assert disclosure.snapshot == build_snapshot(school=school, grade=grade, week_from=monday, **told)
        assert disclosure.is_intact()


def test_one_week_was_corrected_and_both_versions_are_intact(district: Outcome) -> None:
    corrected = Disclosure.objects.get(version=2)
    before = Disclosure.objects.get(school=corrected.school_id, grade=corrected.grade, week_from=corrected.week_from, version=1)
    assert corrected.school.organisation.name == FIRST_SCHOOL
    assert corrected.correction
    assert corrected.snapshot != before.snapshot
    assert corrected.is_intact()
    assert before.is_intact()


def test_ten_minutes_are_left_on_the_next_school_day_and_twenty_are_refused(district: Outcome) -> None:
    room, following = story_class(), datetime.date(2026, 11, 19)
    total = day_total(room, following)
    assert (total.minutes, total.limit_minutes) == (50, 60)
    standing = dict(Homework.objects.filter(school_class=room, on_date=following).values_list("subject__name", "homework_minutes"))
    assert standing == {"语文": 30, "英语": 20}
    teacher = User.objects.get(username="demo-teacher")
    subject = TeachingAssignment.objects.get(teacher=teacher, school_class=room).subject
    twenty = Homework(
        school_class=room, on_date=following, subject=subject, teacher=teacher, content="练习", form="written", homework_minutes=20
    )
    with pytest.raises(Refused):
        enter([twenty], by=teacher)


def test_the_week_of_the_storys_grade_is_not_published_yet(district: Outcome) -> None:
    assert not Disclosure.objects.filter(week_from=monday_of(TODAY)).exists()


def test_the_demo_parent_is_asked_today(district: Outcome) -> None:
    parent = User.objects.get(username="demo-parent")
    waiting = FamilyReport.objects.open(TODAY).get(pupil__guardians__user=parent)
    assert waiting.on_date == TODAY
    assert waiting.school_class == story_class()
    assert waiting.draw.is_right()


def test_every_draw_can_be_held_again_and_no_family_is_asked_two_days_in_a_row(district: Outcome) -> None:
    assert all(draw.is_right() for draw in Draw.objects.all())
    days = sorted(set(FamilyReport.objects.values_list("on_date", flat=True)))
    asked = {day: set(FamilyReport.objects.filter(on_date=day).values_list("pupil", flat=True)) for day in days}
    assert all(asked[day].isdisjoint(asked[following]) for day, following in itertools.pairwise(days))


def test_most_families_answer(district: Outcome) -> None:
    past = FamilyReport.objects.filter(on_date__lt=TODAY)
    assert 0.8 < past.answered().count() / past.count() < 0.9
    assert not FamilyReport.objects.filter(on_date=TODAY).answered().exists()


def test_designs_stand_in_the_library_and_some_wait_for_the_research_group(district: Outcome) -> None:
    counted = Counter(Design.objects.values_list("status", flat=True))
    assert sum(counted.values()) == 60
    assert set(counted) == set(DesignStatus.values)
    research = User.objects.get(username="demo-research")
    assert Design.objects.to_review(research).exists()
    used = Design.objects.annotate(uses=Count("homework"), rated=Count("ratings")).filter(uses__gt=0, rated__gt=0)
    assert used.exists()


def test_nothing_comes_from_the_future(district: Outcome) -> None:
    assert not Homework.objects.filter(sent_at__date__gt=TODAY).exists()
    assert not Disclosure.objects.filter(published_at__date__gt=TODAY).exists()
    assert not FamilyReport.objects.filter(answered_at__date__gte=TODAY).exists()


def test_the_closed_spot_check_is_whole(district: Outcome) -> None:
    (check,) = SpotCheck.objects.all()
    assert check.draw.is_right()
    assert not check.classes.filter(checked_at=None).exists()
    assert all(checked.items.exists() for checked in check.classes.all())


def test_a_second_start_changes_nothing(district: Outcome) -> None:
    before = fingerprint()
    assert ensure_district().act == "unchanged"
    assert fingerprint() == before


def fingerprint() -> tuple[object, ...]:
    counted = [model.objects.count() for model in (User, Homework, FamilyReport, Disclosure, Draw)]
    return (*counted, Homework.objects.aggregate(Sum("homework_minutes")))


def test_authentication_goes_through_the_ordinary_backends(district: Outcome, rf: object) -> None:
    request = rf.get("/")  # type: ignore[attr-defined]
    assert authenticate(request, username="demo-parent", password=PASSWORD) is not None
    assert authenticate(request, username="demo-p00002", password=PASSWORD) is None
