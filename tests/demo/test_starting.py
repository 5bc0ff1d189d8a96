"""Starting the demonstration: refused elsewhere, on any day of the year, again the day after, and anew."""

from __future__ import annotations

import datetime
import io

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from qingdan.accounts.enums import OrganisationKind
from qingdan.accounts.models import Organisation, User
from qingdan.demo import loading
from qingdan.demo.calendar import plan_year
from qingdan.demo.loading import Scale, ensure_district
from qingdan.demo.models import Demonstration
from qingdan.demo.plan import ACCOUNTS, PASSWORD
from qingdan.homework.models import Disclosure, FamilyReport, Homework
from qingdan.judging.law import current_law
from qingdan.places.calendar import SchoolCalendar, monday_of
from qingdan.places.models import Region
from qingdan.schools.models import SchoolClass
from tests.demo.conftest import SCHOOL, TINY, TODAY
from tests.district import signed_in

pytestmark = pytest.mark.django_db
DAYS = [
    datetime.date(2026, 11, 18),
    datetime.date(2026, 11, 22),  # a Sunday
    datetime.date(2026, 7, 20),  # the summer vacation
    datetime.date(2026, 9, 2),  # a term that has only begun
    datetime.date(2026, 2, 17),  # the Spring Festival
    datetime.date(2026, 12, 30),  # the next school day lies in a year whose calendar is not out
    datetime.date(2027, 5, 10),
    datetime.date(2029, 3, 14),  # years beyond the calendar
]
#: On these the training institutions are loaded too: a day of rest, one in a vacation, one beyond the calendar.
WITH_INSTITUTIONS = {DAYS[1], DAYS[4], DAYS[7]}


def on(monkeypatch: pytest.MonkeyPatch, day: datetime.date) -> None:
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: day)


def standing(day: datetime.date) -> None:
    """Assert today's story: minutes left, a week to publish, a family that is asked."""
    calendar = SchoolCalendar("demo-district")
    following = calendar.next_school_day(day)
    assert following is not None
    room = SchoolClass.objects.get(name="三（2）班", school__organisation__name="示范区第一小学")
    items = Homework.objects.out().filter(school_class=room, on_date=following)
    assert sum(item.homework_minutes for item in items if item.is_written_at_home) == 50
    assert FamilyReport.objects.open(day).filter(pupil__guardians__user__username="demo-parent").exists()
    assert not Disclosure.objects.filter(week_from=monday_of(day), school=room.school, grade=3).exists() or day.weekday() >= 5


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_story_stands_on_any_day_of_the_year(monkeypatch: pytest.MonkeyPatch, day: datetime.date) -> None:
    on(monkeypatch, day)
    assert ensure_district(scale=TINY if day in WITH_INSTITUTIONS else SCHOOL).act == "loaded"
    standing(day)
    calendar = SchoolCalendar("demo-district")
    assert all(calendar.is_school_day(each) for each in Homework.objects.values_list("on_date", flat=True).distinct())
    assert not list(current_law().judge_all("class_day"))
    assert not Disclosure.objects.filter(published_at__date__gt=day).exists()


def test_in_an_ordinary_term_the_school_year_is_the_ordinary_one() -> None:
    plan = plan_year(TODAY, [])
    assert (plan.first_year, plan.days[0], plan.terms[1][0]) == (2026, datetime.date(2026, 9, 1), datetime.date(2026, 9, 1))
    assert set(plan.vacations) == {"winter", "summer"}


def test_a_later_start_adds_the_days_since_and_keeps_what_people_did(monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_district(scale=SCHOOL)
    room = SchoolClass.objects.get(name="三（2）班", school__organisation__name="示范区第一小学")
    own = Homework.objects.filter(school_class=room, on_date=datetime.date(2026, 11, 19)).first()
    assert own is not None
    own.content = "改过的内容"
    own.save()
    later = datetime.date(2026, 11, 23)
    on(monkeypatch, later)
    outcome = ensure_district()
    assert outcome.act == "topped_up"
    assert outcome.homework > 0
    standing(later)
    own.refresh_from_db()
    assert own.content == "改过的内容"
    published = Disclosure.objects.filter(week_from=datetime.date(2026, 11, 16), school=room.school)
    assert set(published.values_list("grade", flat=True)) == {1, 2, 3, 4, 5, 6}
    assert all(each.published_at.date() == datetime.date(2026, 11, 20) for each in published)
    for day in (datetime.date(2026, 11, 19), datetime.date(2026, 11, 20), later):
        assert Homework.objects.filter(on_date=day).values("school_class").distinct().count() == SchoolClass.objects.count(), day
    assert not list(current_law().judge_all("class_day"))
    assert ensure_district().act == "unchanged"


def test_two_starts_from_day_to_day_come_to_the_same_homework_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def given() -> list[tuple[object, ...]]:
        found = Homework.objects.filter(on_date=TODAY).exclude(school_class__grade=3)
        order = ("school_class__grade", "school_class__number", "subject__position", "tier", "form", "done_at", "content")
        return list(found.order_by(*order).values_list(*order, "homework_minutes"))

    on(monkeypatch, TODAY - datetime.timedelta(days=2))
    ensure_district(scale=SCHOOL)
    on(monkeypatch, TODAY)
    ensure_district()
    in_two = given()
    ensure_district(scale=SCHOOL, fresh=True)
    assert given() == in_two


@pytest.mark.parametrize("later", [datetime.date(2027, 1, 25), datetime.date(2028, 10, 16)], ids=["vacation", "years-later"])
def test_when_its_term_is_over_it_is_loaded_anew(monkeypatch: pytest.MonkeyPatch, later: datetime.date) -> None:
    ensure_district(scale=SCHOOL)
    on(monkeypatch, later)
    assert ensure_district(scale=SCHOOL).act == "loaded"
    standing(later)
    assert Demonstration.objects.get().arranged_for == later


def test_what_another_version_loaded_is_loaded_anew() -> None:
    ensure_district(scale=TINY)
    Demonstration.objects.update(version=0)
    assert ensure_district(scale=TINY).act == "loaded"


def test_fresh_never_clears_away_what_is_not_fictional() -> None:
    ensure_district(scale=SCHOOL)
    Organisation.objects.create(name="真实学校", kind=OrganisationKind.SCHOOL, layer_code="cn")
    count = Homework.objects.count()
    with pytest.raises(ValidationError, match="不是虚构"):
        ensure_district(scale=SCHOOL, fresh=True)
    assert Homework.objects.count() == count


def test_a_region_that_somebody_else_made_is_not_touched() -> None:
    Region.objects.create(code="990101", name="某区", layer_code="demo-district", is_fictional=True)
    with pytest.raises(ValidationError, match="不是演示程序装入的"):
        ensure_district(scale=SCHOOL)


def test_an_interrupted_load_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "review_past_month", broken)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        ensure_district(scale=SCHOOL)
    assert not Organisation.objects.exists()
    assert not Homework.objects.exists()
    monkeypatch.undo()
    on(monkeypatch, TODAY)
    assert ensure_district(scale=SCHOOL).act == "loaded"


def test_the_accounts_of_an_older_demonstration_are_taken_over() -> None:
    owner = Organisation.objects.create(name="示范区教育局", kind=OrganisationKind.BUREAU, layer_code="demo-district", is_fictional=True)
    user = User.objects.create_user("demo-bureau", password=PASSWORD, display_name="示范科员", role="bureau", organisation=owner)
    client = signed_in(user)
    ensure_district(scale=SCHOOL)
    owner.refresh_from_db()
    assert owner.region_code == "990101"
    assert client.get(reverse("uploads:list")).status_code == 200  # nobody was signed out


def test_the_command_names_the_accounts_and_speaks_of_its_work(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plans = TINY.plans()
    monkeypatch.setattr(Scale, "plans", lambda scale: plans)
    out = io.StringIO()
    call_command("demo_district", schools=1, stdout=out)
    said = out.getvalue()
    assert "已装入示范区" in said
    assert all(account.username in said for account in ACCOUNTS)
    assert "装入示范区……" in capsys.readouterr().err
    again = io.StringIO()
    call_command("demo_district", stdout=again)
    assert "示范区已是最新" in again.getvalue()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("count", [0, 25])
def test_a_number_of_schools_that_cannot_be_is_refused(count: int) -> None:
    with pytest.raises(CommandError, match="1 至 24"):
        call_command("demo_district", schools=count)
    assert not Organisation.objects.exists()


def test_it_is_refused_on_a_real_server(settings: Settings) -> None:
    settings.DEMO = settings.DEBUG = False
    with pytest.raises(CommandError, match="人人皆知"):
        call_command("demo_district")
    assert not User.objects.exists()


def test_the_database_holds_one_demonstration_that_runs_forward() -> None:
    region = Region.objects.create(code="990102", name="某区", layer_code="cn", is_fictional=True)
    dated = {"region": region, "version": 1, "school_count": 1, "first_day": TODAY, "arranged_for": TODAY}
    with pytest.raises(IntegrityError, match="demonstration_is_one"), transaction.atomic():
        Demonstration.objects.create(id=2, last_day=TODAY, **dated)
    backwards = Demonstration(last_day=TODAY - datetime.timedelta(days=1), **dated)
    with pytest.raises(IntegrityError, match="demonstration_runs_forward"), transaction.atomic():
        backwards.save()
    with pytest.raises(ValidationError, match="不能早于最早一天"):
        backwards.full_clean()
    with pytest.raises(ValidationError, match="只有一份"):
        Demonstration(id=2, last_day=TODAY, **dated).full_clean()


def test_somebody_not_signed_in_finds_no_demo_account_elsewhere(settings: Settings) -> None:
    settings.DEMO = settings.DEBUG = False
    assert "qingdan-demo" not in Client().get(reverse("accounts:login")).content.decode()
