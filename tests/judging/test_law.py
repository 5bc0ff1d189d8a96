"""The law stands in the database as pack and calendars have it, and judges there what the desk would judge."""

from __future__ import annotations

import datetime
from threading import Thread

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from qingdan.homework.models import Homework
from qingdan.judging.facts import FactSource, drop_views, fact_sources, make_views, page_of, view_sql
from qingdan.judging.law import current_law
from qingdan.judging.models import InstalledLaw
from qingdan.places.calendar import SchoolCalendar, current_pack, monday_of
from qingdan.places.enums import SchoolDayKind
from qingdan.places.models import OverriddenDay
from qingdan.policy.compiler import SQL_TYPES
from qingdan.policy.packs import default_pack
from tests.district import FRIDAY, MONDAY, SATURDAY, TUESDAY, District, homework, make_district

POSTGRES_NAMES = {"VARCHAR": {"text", "character varying"}, "BIGINT": {"bigint"}, "DATE": {"date"}, "BOOLEAN": {"boolean"}}


def put_out(*items: Homework) -> None:
    """Homework that went out, without asking the law."""
    for item in items:
        item.status, item.sent_at = "out", timezone.now()
        item.save()


def day_kind_of(district: District, day: datetime.date) -> object:
    put_out(homework(district.first.class_32, district.first.teacher, minutes=61, on_date=day))
    judged, *_ = current_law().judge_touched("homework_item", every_fact=True, class_id=district.first.class_32.pk, on_date=day)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT day_kind FROM policy_calendar c JOIN policy_places p USING (calendar) WHERE p.place = 'demo-school' AND day = %s", [day]
        )
        (kind,) = cursor.fetchone()
    assert judged.place == "demo-school"
    return kind


@pytest.mark.parametrize("kind", sorted(fact_sources()))
def test_each_view_of_facts_has_the_columns_of_its_kind_in_their_types(kind: str, db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s", [f"facts_{kind}"])
        found = dict(cursor.fetchall())
    assert found["row_id"] == "bigint"
    assert found["organisation_id"] == "bigint"
    assert found["place"] in POSTGRES_NAMES["VARCHAR"]
    for name, column in default_pack().vocabulary.kinds[kind].columns.items():
        assert found[name] in POSTGRES_NAMES[SQL_TYPES[column.type]], name


def test_a_change_of_the_calendar_reaches_the_law_at_once(district: District) -> None:
    assert day_kind_of(district, TUESDAY) == "workday"
    OverriddenDay.objects.create(region=district.region, day=TUESDAY, kind="holiday", note="校运动会补休")
    assert day_kind_of(district, TUESDAY) == "holiday"
    OverriddenDay.objects.filter(day=TUESDAY).delete()
    assert day_kind_of(district, TUESDAY) == "workday"


def test_a_saturday_can_be_made_a_school_day_and_a_day_of_rest_told_apart(district: District) -> None:
    calendar = SchoolCalendar("demo-school")
    assert calendar.kind(SATURDAY) == SchoolDayKind.REST_DAY
    OverriddenDay.objects.create(region=district.region, day=SATURDAY, kind="workday")
    OverriddenDay.objects.create(region=district.region, day=FRIDAY, kind="rest_day")
    calendar = SchoolCalendar("demo-school")
    assert calendar.is_school_day(SATURDAY)
    assert calendar.kind(FRIDAY) == SchoolDayKind.REST_DAY
    assert calendar.next_school_day(FRIDAY) == SATURDAY
    assert calendar.last_school_day(MONDAY) == SATURDAY - datetime.timedelta(days=8)
    assert calendar.kind(datetime.date(1999, 1, 1)) == SchoolDayKind.UNKNOWN
    assert calendar.school_days(MONDAY, SATURDAY)[-1] == SATURDAY
    assert monday_of(SATURDAY) == MONDAY


def test_a_workday_outside_the_terms_is_no_school_day(district: District) -> None:
    assert SchoolCalendar("demo-district").kind(datetime.date(2026, 6, 1)) == SchoolDayKind.OUTSIDE_TERM


def test_the_law_is_written_once_and_again_only_after_a_change(district: District) -> None:
    law = current_law()
    first = InstalledLaw.objects.get()
    assert current_law() is law
    OverriddenDay.objects.create(region=district.region, day=TUESDAY, kind="holiday")
    assert current_law() is not law
    second = InstalledLaw.objects.get()
    assert second.limits == first.limits
    assert second.places != first.places


def test_a_lost_table_of_the_law_is_not_guessed(district: District) -> None:
    """Another process, another pack: whoever finds a fingerprint that is not his writes his own."""
    current_law()
    InstalledLaw.objects.update(limits="somebody else's")
    law = current_law()
    assert InstalledLaw.objects.get().limits == law.limits_fingerprint


def test_only_one_law_is_installed(db: None) -> None:
    with pytest.raises(IntegrityError, match="installed_law_is_one"), transaction.atomic():
        InstalledLaw.objects.create(id=2)
    (constraint,) = [each for each in InstalledLaw._meta.constraints if each.name == "installed_law_is_one"]
    assert "只装入一份" in str(constraint.violation_error_message)


def test_a_fact_keeps_its_name_from_day_to_day(district: District) -> None:
    school = district.first
    put_out(homework(school.class_21, school.teacher, minutes=30))
    put_out(homework(school.class_32, school.teacher, minutes=61))
    law = current_law()
    (item,) = [each for each in law.judge_all("homework_item") if each.breaches]
    assert item.key == f"homework_item:{item.row_id}"
    (day,) = law.judge_all("class_day")
    assert day.key == f"class_day:甲小学|三（2）班|{TUESDAY}"
    assert law.owners(day.kind, [day.row_id]) == {day.row_id: school.school.pk}
    assert law.count(law.kind("homework_item")) == 2
    assert page_of("sleep_record", 1) == ""


def test_views_go_before_migrations_and_come_back(db: None) -> None:
    def views() -> set[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT viewname FROM pg_views WHERE viewname LIKE 'facts\\_%%'")
            return {name for (name,) in cursor.fetchall()}

    assert views() == {f"facts_{kind}" for kind in fact_sources()}
    drop_views()
    assert views() == set()
    make_views()
    assert views() == {f"facts_{kind}" for kind in fact_sources()}
    assert not MigrationExecutor(connection).migration_plan(MigrationExecutor(connection).loader.graph.leaf_nodes())


def test_a_column_that_a_source_lacks_is_there_and_empty() -> None:
    text = view_sql(FactSource("sleep_record", "SELECT 1 AS row_id"), {"row_id", "place"})
    assert "CAST(NULL AS BIGINT) AS sleep_minutes" in text
    assert "CAST(NULL AS text) AS school" in text


@pytest.fixture
def committed(transactional_db: None) -> District:
    """The district where other connections see it."""
    return make_district()


def test_many_processes_that_find_no_law_write_it_once(committed: District) -> None:
    InstalledLaw.objects.all().delete()
    problems: list[Exception] = []

    def ask() -> None:
        try:
            current_law().judge_touched("homework_item", class_id=committed.first.class_32.pk, on_date=TUESDAY)
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert InstalledLaw.objects.count() == 1


def test_the_pack_of_the_installation_keeps_its_own_words_of_other_places(district: District) -> None:
    assert current_pack().layers["cn-shanghai"].calendars == default_pack().layers["cn-shanghai"].calendars
    assert current_pack().layers["demo-school"].calendar_code == "demo-district@local"
