"""The bureau writes the calendar; everybody of the region reads it; the law judges by it at once."""

from __future__ import annotations

import datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation
from qingdan.homework.actions.register import enter, refuse_day
from qingdan.places.calendar import SchoolCalendar
from qingdan.places.forms import read_days
from qingdan.places.models import OverriddenDay, Region, SchoolYear, Term, Vacation
from tests.district import SATURDAY, TUESDAY, District, homework, make_region, make_user, signed_in


@pytest.fixture
def bureau(district: District) -> Client:
    """The bureau's browser."""
    return signed_in(district.bureau)


def year_data(**changes: str) -> dict[str, str]:
    """The form of the school year 2026 as the small district has it."""
    spans = {
        "whole": ("2026-09-01", "2027-08-31"),
        "term1": ("2026-09-01", "2027-01-22"),
        "winter": ("2027-01-23", "2027-02-21"),
        "term2": ("2027-02-22", "2027-07-02"),
        "summer": ("", ""),
    }
    data = {f"{name}_{end}": day for name, both in spans.items() for end, day in zip(("from", "until"), both, strict=True)}
    return data | changes


def override(client: Client, days: str, kind: str, note: str = "", year: int = 2026) -> str:
    answer = client.post(reverse("places:add_days", args=[year]), {"days": days, "kind": kind, "note": note}, follow=True)
    return answer.content.decode()


def test_a_school_day_turned_into_a_holiday_takes_no_homework(district: District, bureau: Client) -> None:
    school = district.first
    assert SchoolCalendar("demo-school").is_school_day(TUESDAY)
    assert "已把 1 天改为放假" in override(bureau, "2026-11-17", "holiday", "运动会")
    assert not SchoolCalendar("demo-school").is_school_day(TUESDAY)
    with pytest.raises(ValidationError, match="不上学"):
        refuse_day(school.class_32, TUESDAY)
    bureau.post(reverse("places:undo"))
    assert SchoolCalendar("demo-school").is_school_day(TUESDAY)
    refuse_day(school.class_32, TUESDAY)


def test_a_saturday_made_a_workday_takes_homework(district: District, bureau: Client) -> None:
    school = district.first
    with pytest.raises(ValidationError, match="休息日"):
        refuse_day(school.class_32, SATURDAY)
    override(bureau, "11月21日（周六）", "workday", "补课日")
    assert enter([homework(school.class_32, school.teacher, on_date=SATURDAY)], by=school.teacher)[0].status == "out"
    page = bureau.get(reverse("places:calendar")).content.decode()
    assert "places-make_up" in page
    assert "补课日" in page


def test_several_days_are_pasted_at_once_and_a_fault_saves_none(bureau: Client, district: District) -> None:
    override(bureau, "2027-02-10、2月11日\n2027年2月15日（周一）至2月17日", "holiday")
    assert OverriddenDay.objects.count() == 5
    assert "看不懂“大年三十”" in override(bureau, "2027-03-01、大年三十", "holiday")
    assert "没有“2月30日”这一天" in override(bureau, "2027-03-01、2月30日", "holiday")
    assert "超出日历的范围" in override(bureau, "2030-03-01", "holiday")
    assert "请至少写一个日期" in override(bureau, "", "holiday")
    assert OverriddenDay.objects.count() == 5


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2027-02-15", ["2027-02-15"]),
        ("2月15日至2月16日", ["2026-02-15", "2026-02-16"]),
        ("2026年12月31日—2027年1月1日", ["2026-12-31", "2027-01-01"]),
        ("２０２７／２／１５，2.16", ["2027-02-15", "2027-02-16"]),
        ("2027-02-15（周一）、2月20日（周六）", ["2027-02-15", "2027-02-20"]),
        ("2027-02-15 ~ 2027-02-16", ["2027-02-15", "2027-02-16"]),
    ],
)
def test_days_are_read_as_notices_write_them(text: str, days: list[str]) -> None:
    assert [each.isoformat() for each in read_days(text, year=2026)] == days


def test_a_day_said_again_is_changed_and_the_undo_puts_the_old_word_back(bureau: Client, district: District) -> None:
    override(bureau, "2026-11-17", "holiday", "运动会")
    override(bureau, "2026-11-17", "rest_day")
    assert OverriddenDay.objects.get().kind == "rest_day"
    assert "已撤销" in bureau.post(reverse("places:undo"), follow=True).content.decode()
    assert (OverriddenDay.objects.get().kind, OverriddenDay.objects.get().note) == ("holiday", "运动会")
    assert "没有可以撤销的操作" in bureau.post(reverse("places:undo"), follow=True).content.decode()


def test_days_are_taken_back_and_the_taking_back_is_undone(bureau: Client, district: District) -> None:
    override(bureau, "2026-11-17、2026-11-18", "holiday")
    first = OverriddenDay.objects.first()
    assert first is not None
    bureau.post(reverse("places:remove_days", args=[2026]), {"day": [first.pk]})
    assert OverriddenDay.objects.count() == 1
    bureau.post(reverse("places:undo"))
    assert OverriddenDay.objects.filter(pk=first.pk, day=TUESDAY).exists()


def test_a_year_the_nation_has_not_published_is_filled_in_by_the_week(bureau: Client, district: District) -> None:
    unknown = datetime.date(2027, 3, 1)
    assert SchoolCalendar("demo-school").kind(unknown) == "unknown"
    answer = bureau.post(reverse("places:fill_days", args=[2026]), {"first": "2027-03-01", "last": "2027-03-14"}, follow=True)
    assert "已按周填写未定的日子" in answer.content.decode()
    calendar = SchoolCalendar("demo-school")
    assert calendar.is_school_day(unknown)
    assert calendar.kind(datetime.date(2027, 3, 6)) == "rest_day"
    again = bureau.post(reverse("places:fill_days", args=[2026]), {"first": "2027-03-01", "last": "2027-03-14"})
    assert again.status_code == 400
    assert "没有未定的日子" in again.content.decode()


def test_a_new_school_year_with_its_terms_is_saved_in_one_act_and_undone(bureau: Client, district: District) -> None:
    data = {
        "whole_from": "2027-09-01", "whole_until": "2028-08-31", "term1_from": "2027-09-01", "term1_until": "2028-01-20",
        "winter_from": "2028-01-21", "winter_until": "2028-02-20", "term2_from": "", "term2_until": "",
        "summer_from": "", "summer_until": "",
    }  # fmt: skip
    answer = bureau.post(reverse("places:save_year", args=[2027]), data, follow=True)
    assert "已保存2027学年的日期" in answer.content.decode()
    assert Term.objects.filter(school_year__first_year=2027).count() == 1
    assert Vacation.objects.filter(starts_on="2028-01-21").exists()
    bureau.post(reverse("places:undo"))
    assert not SchoolYear.objects.filter(first_year=2027).exists()
    assert Vacation.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"whole_until": "2026-08-31"}, "学年的结束日期要晚于开始日期"),
        ({"term1_until": ""}, "要一起填写"),
        ({"term2_from": "2027-01-10"}, "第二学期要在寒假结束"),
        ({"term1_from": "2026-08-20"}, "不在学年"),
        ({"whole_from": ""}, "请填写学年的开始日期"),
        ({"whole_from": "明天"}, "日期请写成"),
    ],
)
def test_dates_out_of_order_are_refused_and_nothing_is_saved(
    bureau: Client, district: District, changes: dict[str, str], words: str
) -> None:
    before = list(Term.objects.values()), list(SchoolYear.objects.values())
    answer = bureau.post(reverse("places:save_year", args=[2026]), year_data(**changes))
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert (list(Term.objects.values()), list(SchoolYear.objects.values())) == before


def test_a_school_year_that_overlaps_another_is_refused_in_the_constraint_s_words(bureau: Client, district: District) -> None:
    data = year_data(**{name: "" for name in year_data() if not name.startswith("whole")})
    data |= {"whole_from": "2027-08-01", "whole_until": "2028-07-31"}
    answer = bureau.post(reverse("places:save_year", args=[2027]), data)
    assert "与另一个学年的日期重叠" in answer.content.decode()
    assert SchoolYear.objects.count() == 1


def test_a_term_that_grows_into_the_other_s_old_days_is_saved(bureau: Client, district: District) -> None:
    data = year_data(term1_until="2027-03-01", winter_from="2027-03-02", winter_until="2027-03-10", term2_from="2027-03-11")
    answer = bureau.post(reverse("places:save_year", args=[2026]), data)
    assert answer.status_code == 302
    assert Term.objects.get(ordinal=1).ends_on == datetime.date(2027, 3, 1)


def test_the_history_says_who_did_what(bureau: Client, district: District) -> None:
    override(bureau, "2026-11-17", "holiday", "运动会")
    bureau.post(reverse("places:undo"))
    page = bureau.get(reverse("places:calendar")).content.decode()
    assert "填写 2026-11-17 为放假（运动会）" in page
    assert "删去 2026-11-17 为放假（运动会）" in page
    assert district.bureau.display_name in page.partition("修改记录")[2]


def test_everybody_reads_the_calendar_of_the_own_region(district: District) -> None:
    make_region("990102", "cn-shanghai")
    for user in (district.bureau, district.first.leader, district.first.teacher, district.first.parent):
        page = signed_in(user).get(reverse("places:calendar")).content.decode()
        assert district.region.name in page
        assert "2026年11月" in page
        assert ("编辑校历" in page) == user.is_bureau
    assert signed_in(district.bureau).get(reverse("places:calendar"), {"region": "990102"}).status_code == 404


def test_a_bureau_without_a_calendar_begins_one(db: None) -> None:
    office = Organisation.objects.create(
        name="某市教育局", kind=OrganisationKind.BUREAU, layer_code="demo-district", region_code="990201", is_fictional=True
    )
    client = signed_in(make_user("office", Role.BUREAU, office))
    assert "建立本地区的校历" in client.get(reverse("places:calendar")).content.decode()
    assert client.post(reverse("places:start")).status_code == 302
    assert Region.objects.get().code == "990201"
    assert client.get(reverse("places:edit")).status_code == 200


def test_a_parent_without_a_child_is_told_how_to_join(district: District) -> None:
    client = signed_in(make_user("lonely", Role.PARENT))
    assert reverse("schools:join") in client.get(reverse("places:calendar")).content.decode()


def test_the_page_asks_as_much_for_many_days_as_for_few(district: District, bureau: Client) -> None:
    def cost(name: str) -> int:
        bureau.get(reverse(name))
        with CaptureQueriesContext(connection) as captured:
            assert bureau.get(reverse(name)).status_code == 200
        return len(captured)

    override(bureau, "2026-11-17", "holiday")
    few = [cost("places:calendar"), cost("places:edit")]
    override(bureau, "2026-11-18至2026-12-31", "holiday")
    assert [cost("places:calendar"), cost("places:edit")] == few
    assert max(few) <= 20
