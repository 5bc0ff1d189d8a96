"""What cannot be is refused at the door, in one sentence that says what to do, and nothing of it is saved."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.institutions.models import (
    Application,
    ApplicationFile,
    Course,
    CourseFile,
    Institution,
    Permit,
    Room,
    Session,
    Staff,
    StaffImport,
    WeeklyPlan,
)
from tests.district import MONDAY, District, signed_in
from tests.institutions.applying import lead_to, make_applicant, make_application
from tests.institutions.making import credit_code, make_institution, make_permit, make_premises, make_room
from tests.institutions.test_courses import filled as filled_course
from tests.institutions.test_staff import filled as filled_staff
from tests.institutions.test_staff_import import row, workbook
from tests.institutions.timetabling import make_school

WRONG_CODE = credit_code(900)[:-1] + "X"


def refused(answer: Any, words: str, status: int = 400) -> None:
    """The sentence stands on the page once."""
    assert answer.status_code == status
    assert answer.content.decode().count(words) == 1, answer.content.decode()


def no_pdf(name: str = "章程.pdf") -> SimpleUploadedFile:
    """A program under the name of a document."""
    return SimpleUploadedFile(name, b"MZ\x90\x00 fictional", content_type="application/pdf")


def test_a_session_in_closed_premises(district: District) -> None:
    school = make_school(district.region, district.bureau)
    old = make_premises(school.institution, "旧址", closed_on=MONDAY)
    room = make_room(old, "301")
    answer = school.client.post(reverse("institutions:timetable_new"), school.form(room=room.pk, last_day="2026-11-18"))
    assert answer.status_code == 400
    assert "教学点“旧址”在 2026-11-17 没有启用或已停用；请换教室" in answer.content.decode()
    assert not Session.objects.exists()
    assert not WeeklyPlan.objects.exists()
    moved = school.session()
    moved.save()
    given = {"on_date": "2026-11-17", "starts_at": "18:30", "ends_at": "20:00", "room": room.pk, "teacher": school.teacher.pk}
    refused(school.client.post(reverse("institutions:session", args=[moved.pk]), given), "教学点“旧址”在 2026-11-17 没有启用或已停用")
    moved.refresh_from_db()
    assert moved.room == school.room


def test_a_room_in_closed_premises(institution: Institution, operator: User) -> None:
    old = make_premises(institution, "旧址", closed_on=MONDAY - datetime.timedelta(days=1))
    answer = signed_in(operator).post(reverse("institutions:rooms"), {"premises": old.pk, "name": "101", "seats": 20})
    refused(answer, "教学点“旧址”没有启用或已停用，不能添加或修改教室；请选别的教学点")
    assert not Room.objects.exists()


def test_premises_that_are_still_used_are_not_closed(district: District) -> None:
    school = make_school(district.region, district.bureau)
    bureau, url = signed_in(district.bureau), reverse("institutions:premises_close", args=[school.premises.pk])
    refused(bureau.post(url, {"until": "2026-11-16"}), "还有有效的办学许可")
    Permit.objects.update(revoked_on=MONDAY, revocation_reason="换证")
    school.session().save()
    refused(bureau.post(url, {"until": "2026-11-16"}), "2026-11-16 之后这里还排了 1 次课；请先取消或换教室")
    school.premises.refresh_from_db()
    assert school.premises.closed_on is None


def test_an_institution_with_permit_or_sessions_is_not_deregistered(district: District) -> None:
    school = make_school(district.region, district.bureau)
    bureau, url = signed_in(district.bureau), reverse("institutions:institution_state", args=[school.institution.pk])
    given = {"state": "closed", "reason": "举办者申请"}
    refused(bureau.post(url, given), "还有有效的办学许可")
    Permit.objects.update(revoked_on=MONDAY, revocation_reason="终止办学")
    school.session().save()
    refused(bureau.post(url, given), "今天起还排了 1 次课；请先让机构取消，再注销")
    school.institution.refresh_from_db()
    assert school.institution.state == "active"


def test_a_deregistered_institution_enters_nothing_more(institution: Institution, operator: User, district: District) -> None:
    premises = make_premises(institution)
    permit = make_permit(institution, premises, district.bureau)
    Institution.objects.update(state="closed", state_reason="经批准终止办学")
    mine, words = signed_in(operator), "“示例艺术培训中心”已注销，登记只供查看，不能再新增或修改"
    refused(mine.post(reverse("institutions:staff_new"), filled_staff()), words)
    refused(mine.post(reverse("institutions:course_new"), filled_course(permit)), words)
    refused(mine.post(reverse("institutions:rooms"), {"premises": premises.pk, "name": "101", "seats": 20}), words)
    refused(mine.post(reverse("institutions:staff_imports"), {"workbook": workbook(row(1))}), words)
    assert not any(model.objects.exists() for model in (Staff, Course, Room, StaffImport))


def test_a_permit_number_twice(district: District) -> None:
    by = make_applicant(district.region)
    application = lead_to(make_application(by), "to_decide", by=by, officer=district.bureau)
    make_permit(make_institution(district.region), None, district.bureau, number="教民1")
    given = {"number": " 教民1 ", "scope": "书画", "starts_on": "2026-12-01", "ends_on": "2029-11-30", "reason": "符合条件"}
    answer = signed_in(district.bureau).post(reverse("institutions:application_approve", args=[application.pk]), given)
    refused(answer, "这个许可证号已经用过，请核对")
    assert Permit.objects.count() == 1
    assert not Institution.objects.filter(organisation=by.employer).exists()


def test_a_credit_code_with_a_wrong_check_digit(district: District, institution: Institution) -> None:
    said = f"统一社会信用代码“{WRONG_CODE}”不对：应为 18 位，请对照营业执照逐位核对（末位是校验码）"
    bureau = signed_in(district.bureau)
    given = {
        "name": institution.name, "credit_code": WRONG_CODE, "legal_person": "王示例", "registration": "non_profit",
        "category": "non_academic", "field": "culture", "audience": "compulsory", "department": "culture",
        "approval_basis": "approval", "registered_on": "2025-09-01",
    }  # fmt: skip
    refused(bureau.post(reverse("institutions:institution_edit", args=[institution.pk]), given), said)
    applicant = signed_in(make_applicant(district.region))
    asked = {
        "category": "non_academic", "field": "culture", "audience": "compulsory", "credit_code": WRONG_CODE, "legal_person": "王示例",
        "registration": "company", "premises_name": "本部", "premises_address": "示范路1号", "premises_street": "示范街道",
        "area_m2": "300", "contact": "王示例", "phone": "010-0000000",
    }  # fmt: skip
    refused(applicant.post(reverse("institutions:application_apply", args=["new"]), asked), said)
    institution.refresh_from_db()
    assert institution.credit_code != WRONG_CODE
    assert not Application.objects.exists()


def test_an_upload_that_is_not_what_it_says(institution: Institution, operator: User, district: District) -> None:
    mine, words = signed_in(operator), "“章程.pdf”的内容不是可以收的文件（可能只改了扩展名，或带有宏）"
    application = make_application(operator, "closure", papers=False, details={"statement": "不再办学"})
    added = mine.post(reverse("institutions:application_file_add", args=[application.pk]), {"label": "章程", "files": no_pdf()})
    refused(added, words)
    permit = make_permit(institution, make_premises(institution), district.bureau)
    refused(mine.post(reverse("institutions:course_new"), filled_course(permit) | {"materials": no_pdf()}), words)
    refused(mine.post(reverse("institutions:staff_imports"), {"workbook": no_pdf("人员.xlsx")}), "不是真正的 .xlsx 文件，或已损坏")
    assert not ApplicationFile.objects.exists()
    assert not Course.objects.exists()
    assert not CourseFile.objects.exists()


@pytest.mark.parametrize("name", ["课表.xlsx", "课表.csv"])
def test_a_timetable_that_is_no_workbook(district: District, name: str) -> None:
    school = make_school(district.region, district.bureau)
    answer = school.client.post(
        reverse("institutions:timetable_import"), {"workbook": SimpleUploadedFile(name, b"MZ\x90\x00\xff\xfe fictional")}
    )
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert not Session.objects.exists()
