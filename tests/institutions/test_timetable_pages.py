"""Looking at timetables: month, week, the bureau's day, workbooks in and out."""

from __future__ import annotations

import datetime
import io
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.audit.running import run_audit
from qingdan.institutions.actions import timetable as acts
from qingdan.institutions.models import Room, Session
from qingdan.institutions.timetables import exporting
from qingdan.judging.law import current_law
from qingdan.places.calendar import current_pack
from qingdan.places.models import OverriddenDay
from tests.district import MONDAY, SATURDAY, TUESDAY, WEDNESDAY, District, signed_in
from tests.institutions.timetabling import EVENING, School, make_school

OWN, IMPORT = reverse("institutions:timetable"), reverse("institutions:timetable_import")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def school(district: District) -> School:
    return make_school(district.region, district.bureau)


def fill(school: School, count: int, first: datetime.date = MONDAY) -> None:
    """Sessions as they may stand there, one after another, past the check of entering."""
    days = (first + datetime.timedelta(days=number % 28) for number in range(count))
    for number, day in enumerate(days):
        begin = 8 * 60 + (number // 28) * 10
        school.session(day, starts_at=begin, ends_at=begin + 10).save()


def test_the_month_shows_each_session_and_marks_what_the_law_says_against_it(school: School) -> None:
    school.session(TUESDAY).save()
    school.session(SATURDAY).save()
    text = school.client.get(OWN + "?month=2026-11").content.decode()
    assert text.count("it-session") == 2
    assert text.count("is-breach") == 1
    assert "学科类培训不占假日" in text
    assert "休息日" in text


@pytest.mark.parametrize("by", ["room", "teacher"])
def test_the_week_shows_who_is_where(school: School, by: str) -> None:
    school.session(TUESDAY).save()
    school.session(WEDNESDAY, room=school.other_room, teacher=school.other_teacher).save()
    answer = school.client.get(OWN, {"view": "week", "day": str(TUESDAY), "by": by})
    names = [name for name, _ in answer.context["rows"]]
    assert names == (["总部 · 101", "总部 · 102"] if by == "room" else ["李二", "王一"])
    only_room = {"view": "week", "day": str(TUESDAY), "room": str(school.room.pk)}
    part = school.client.get(OWN, only_room, headers={"HX-Request": "true"})
    assert part.content.decode().count("it-session") == 1
    assert "<html" not in part.content.decode()


@pytest.mark.parametrize("asked", [{"month": "nonsense"}, {"day": "2026-02-31"}, {"day": "9999-12-31"}, {"room": "9" * 30}, {"view": "?"}])
def test_a_nonsense_address_still_shows_a_timetable(school: School, asked: dict[str, str]) -> None:
    school.session(TUESDAY).save()
    assert school.client.get(OWN, asked).status_code == 200


def test_an_empty_timetable_says_what_to_do(school: School) -> None:
    assert "排第一门课" in school.client.get(OWN).content.decode()


def test_the_bureau_sees_what_became_a_breach_when_the_calendar_changed(school: School, district: District) -> None:
    (session,) = acts.enter(sessions=[school.session(TUESDAY)], by=school.clerk)
    OverriddenDay.objects.create(region=district.region, day=TUESDAY, kind="holiday")
    client = signed_in(district.bureau)
    address = reverse("institutions:timetable_of", args=[school.institution.pk])
    text = client.get(address).content.decode()
    assert "is-breach" in text
    assert "排课</a>" not in text
    today = client.get(reverse("institutions:timetable_today"), {"day": str(TUESDAY), "street": school.premises.street, "only": "breach"})
    assert "1 次不合规定" in today.content.decode()
    assert [each.pk for each in today.context["page"]] == [session.pk]
    assert "依据" in client.get(reverse("institutions:session", args=[session.pk])).content.decode()
    assert client.post(reverse("institutions:session", args=[session.pk])).status_code == 405
    assert client.get(OWN).status_code == 302


def test_a_bureau_sees_no_session_of_another_region(school: School, district: District) -> None:
    district.bureau.employer.region_code = "990102"
    district.bureau.employer.save()
    client = signed_in(district.bureau)
    school.session(MONDAY).save()
    assert client.get(reverse("institutions:timetable_of", args=[school.institution.pk])).status_code == 404
    assert len(client.get(reverse("institutions:timetable_today")).context["page"]) == 0


@pytest.mark.parametrize("page", ["month", "week", "today", "of"])
def test_pages_ask_as_many_questions_for_many_sessions_as_for_few(school: School, district: District, page: str) -> None:
    client = school.client if page in ("month", "week") else signed_in(district.bureau)
    address = {
        "month": OWN, "week": f"{OWN}?view=week", "today": reverse("institutions:timetable_today"),
        "of": reverse("institutions:timetable_of", args=[school.institution.pk]),
    }[page]  # fmt: skip
    counts = []
    for count, first in ((2, MONDAY), (80, MONDAY + datetime.timedelta(days=2))):
        fill(school, count, first) if count == 2 else fill(school, count - 2, first)
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(address)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_entering_many_dates_asks_as_many_questions_as_few(school: School) -> None:
    counts = []
    school.client.post(reverse("institutions:timetable_trial"), school.form())  # puts the law in its place
    for first, last in (("2026-11-16", "2026-11-30"), ("2026-12-01", "2027-01-20")):
        with CaptureQueriesContext(connection) as asked:
            answer = school.client.post(
                reverse("institutions:timetable_new"), school.form(first_day=first, last_day=last, room=school.room.pk)
            )
        assert answer.status_code == 302
        counts.append(len(asked))
    assert abs(counts[0] - counts[1]) <= 1


def test_the_export_gives_the_audit_the_findings_of_the_database(school: School, district: District, tmp_path: Path) -> None:
    arts = make_school(district.region, district.bureau, prefix="arts", category="non_academic", mode="online", lesson_minutes=40)
    OverriddenDay.objects.create(region=district.region, day=WEDNESDAY, kind="holiday")
    for day, ends_at in ((TUESDAY, 20 * 60), (WEDNESDAY, 20 * 60), (SATURDAY, 20 * 60 + 31), (MONDAY, 20 * 60 + 31)):
        school.session(day, ends_at=ends_at).save()
        arts.session(day, ends_at=ends_at, room=None).save()
    of_database = sorted(
        (finding.rule.id, finding.verdict, str(finding.date), judged.row["course"], judged.row["institution"])
        for judged in current_law().judge_all("training_session")
        for finding in judged.findings
    )
    paths = []
    for each in (school, arts):
        answer = each.client.get(reverse("institutions:timetable_export", args=[each.institution.pk]) + "?month=2026-11")
        path = tmp_path / f"{each.institution.pk}.xlsx"
        path.write_bytes(answer.content)
        paths.append(path)
    audit = run_audit(paths, pack=current_pack(), layer=district.region.layer_code)
    assert [str(each) for each in audit.unreadable] == []
    of_files = sorted(
        (found.rule.id, found.verdict, str(found.date), found.subject.removeprefix(name).strip(), name)
        for found in audit.findings()
        for name in (school.institution.name, arts.institution.name)
        if found.subject.startswith(name)
    )
    assert of_files == of_database
    assert len(of_files) == 4  # two end too late, two are on a day off; the online arts course may do both


def sheet(*rows: tuple[object, ...], columns: tuple[str, ...] = ()) -> SimpleUploadedFile:
    """A workbook as a clerk fills it in."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "课表"
    page.append(list(columns or exporting.headers(exporting.TEMPLATE_COLUMNS)))
    for row in rows:
        page.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return SimpleUploadedFile("课表.xlsx", out.getvalue(), XLSX)


def test_a_workbook_is_looked_at_row_by_row_and_then_saved(school: School) -> None:
    file = sheet(
        ("数学提高", TUESDAY, "18:30", "20:00", "101", "王一"),
        ("数学提高", SATURDAY, "18:30", "20:00", "101", "王一"),
        ("数学提高", WEDNESDAY, "18:30", "20:00", "总部 / 102", "李二"),
        ("没有这门", WEDNESDAY, "18:30", "20:00", "101", "王一"),
        ("数学提高", WEDNESDAY, "18:30", "20:00", "999", "王一"),
        ("数学提高", WEDNESDAY, "半夜", "20:00", "101", "王一"),
        ("数学提高", TUESDAY, "18:30", "20:00", "101", "王一"),
    )
    client = school.client
    answer = client.post(IMPORT, {"workbook": file})
    text = answer.content.decode()
    assert "1 次课不能排，其余 2 次可以" in text
    for said in ("“课表”第 5 行", "没有找到课程“没有这门”", "没有找到教室“999”", "“课表”第 7 行", "与“课表”第 2 行完全相同"):
        assert said in text
    assert not Session.objects.exists()
    keys = [each.key for each in answer.context["batch"]["refused"]]
    assert client.post(IMPORT, {"kept": answer.context["kept"]}).status_code == 400
    saved = client.post(IMPORT, {"kept": answer.context["kept"], "leave_out": "1", "left_out": keys}, follow=True)
    assert "已排 2 次课" in saved.content.decode()
    assert Session.objects.count() == 2


def test_an_export_comes_back_as_an_import(school: School) -> None:
    acts.enter(sessions=[school.session(TUESDAY), school.session(WEDNESDAY)], by=school.clerk)
    client = school.client
    content = client.get(reverse("institutions:timetable_export", args=[school.institution.pk]) + "?month=2026-11").content
    Session.objects.all().delete()
    answer = client.post(IMPORT, {"workbook": SimpleUploadedFile("a.xlsx", content, XLSX)})
    client.post(IMPORT, {"kept": answer.context["kept"]})
    assert Session.objects.filter(room=school.room, starts_at=EVENING).count() == 2


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (SimpleUploadedFile("a.pdf", b"%PDF-1.4"), "不是认识的表格文件"),
        (SimpleUploadedFile("a.xlsx", b"no workbook"), "xlsx"),
        (sheet(("数学",), columns=("课程名称",)), "缺少"),
        (sheet(), "课表"),
    ],
)
def test_a_file_that_is_no_timetable_is_refused_with_what_to_do(school: School, file: SimpleUploadedFile, said: str) -> None:
    file.seek(0)
    answer = school.client.post(IMPORT, {"workbook": file})
    assert answer.status_code == 400
    assert said in answer.content.decode()


def test_a_preview_of_somebody_else_or_a_forged_one_is_refused(school: School, district: District) -> None:
    stranger = make_school(district.region, district.bureau, prefix="b")
    answer = school.client.post(IMPORT, {"workbook": sheet(("数学提高", TUESDAY, "18:30", "20:00", "101", "王一"))})
    for client, kept in ((stranger.client, answer.context["kept"]), (school.client, "forged")):
        refused = client.post(IMPORT, {"kept": kept})
        assert refused.status_code == 400
        assert "预览已过期" in refused.content.decode()
    assert not Session.objects.exists()


def test_the_template_has_the_columns_that_the_import_wants(school: School) -> None:
    content = school.client.get(reverse("institutions:timetable_template")).content
    page = openpyxl.load_workbook(io.BytesIO(content)).active
    assert page is not None
    assert [each.value for each in next(page.iter_rows())] == ["课程名称", "上课日期", "开始时间", "结束时间", "教室", "教师"]


def test_rooms_are_added_renamed_and_removed_only_when_unused(school: School) -> None:
    client, rooms = school.client, reverse("institutions:rooms")
    added = client.post(rooms, {"premises": school.premises.pk, "name": "201", "seats": 12}, follow=True)
    assert "已添加教室“201”" in added.content.decode()
    twice = client.post(rooms, {"premises": school.premises.pk, "name": "201", "seats": 12})
    assert twice.status_code == 400
    assert "这个教学点已有同名的教室" in twice.content.decode()
    assert "座位至少 1 个" in client.post(rooms, {"premises": school.premises.pk, "name": "0", "seats": 0}).content.decode()
    room = Room.objects.get(name="201")
    address = reverse("institutions:room", args=[room.pk])
    client.post(address, {"premises": school.premises.pk, "name": "202", "seats": 12})
    school.session(TUESDAY, room=room).save()
    assert "不能删除" in client.post(address, {"remove": "1"}, follow=True).content.decode()
    Session.objects.all().delete()
    client.post(address, {"remove": "1"})
    assert not Room.objects.filter(pk=room.pk).exists()
