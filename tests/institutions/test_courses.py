"""Courses: filed before they are taught, within the permit, judged when submitted, reviewed by the bureau."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.institutions.models import Course, Institution, Permit
from qingdan.notices.models import Notice
from tests.district import MONDAY, District, make_region, make_user, signed_in
from tests.institutions.making import make_course, make_institution, make_permit, make_premises

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture
def permit(institution: Institution, district: District) -> Permit:
    return make_permit(institution, make_premises(institution), district.bureau)


def filled(held: Permit, /, **values: Any) -> dict[str, Any]:
    """What somebody types into the form."""
    return {
        "name": "儿童水彩", "field": "culture", "subject": "美术", "permit": held.pk, "audience": "compulsory", "first_grade": "1",
        "last_grade": "6", "youngest_age": "6", "mode": "offline", "class_size": "20", "lesson_count": "20", "lesson_minutes": "40",
        "gap_minutes": "10", "lesson_price_yuan": "79.50", "starts_on": "2026-12-01", "ends_on": "2027-01-20", "goal": "学会观察",
        "syllabus": "第一讲 绘画线条；第二讲 色彩", "submit": "1",
    } | values  # fmt: skip


def text_of(response: Any) -> str:
    return str(response.content.decode())


def test_a_course_goes_from_the_form_over_return_to_filing(operator: User, district: District, permit: Permit) -> None:
    mine, bureau = signed_in(operator), signed_in(district.bureau)
    material = SimpleUploadedFile("讲义.png", PNG)
    assert mine.post(reverse("institutions:course_new"), filled(permit, materials=[material])).status_code == 302
    course = Course.objects.get()
    assert (course.state, course.lesson_price_fen, course.category) == ("submitted", 7950, "non_academic")
    assert [each["word"] for each in course.evidence] == ["绘画", "美术"]
    assert course.files.get().label == "讲义"
    assert "儿童水彩" in text_of(bureau.get(reverse("institutions:courses")))
    review = reverse("institutions:course_review", args=[course.pk])
    assert "退回课程要写明理由" in text_of(bureau.post(review, {"verdict": "return"}))
    bureau.post(review, {"verdict": "return", "note": "请写明每讲时长"})
    course.refresh_from_db()
    assert (course.state, course.review_note) == ("returned", "请写明每讲时长")
    assert "请写明每讲时长" in text_of(mine.get(reverse("institutions:course", args=[course.pk])))
    mine.post(reverse("institutions:course_submit", args=[course.pk]))
    bureau.post(review, {"verdict": "file"})
    course.refresh_from_db()
    assert (course.state, course.reviewed_by) == ("filed", district.bureau)
    assert Notice.objects.filter(user=operator).count() == 2
    downloaded = bureau.get(reverse("institutions:course_file", args=[course.pk, course.files.get().pk]))
    assert downloaded.content == PNG


def test_a_filed_course_is_changed_only_by_submitting_it_anew(operator: User, institution: Institution, permit: Permit) -> None:
    course = make_course(institution, permit, starts_on=MONDAY)
    edit = reverse("institutions:course_edit", args=[course.pk])
    browser = signed_in(operator)
    refused = browser.post(edit, filled(permit, name="线上儿童画", mode="online"))
    assert refused.status_code == 400
    course.refresh_from_db()
    assert (course.name, course.state) == ("儿童画", "filed")
    browser.post(edit, filled(permit, name="儿童水彩二", submit=""))
    course.refresh_from_db()
    assert (course.name, course.state) == ("儿童水彩二", "submitted")


def test_a_course_outside_the_permit_stays_a_draft_with_one_sentence(operator: User, permit: Permit) -> None:
    answer = signed_in(operator).post(reverse("institutions:course_new"), filled(permit, name="少儿数学", field="academic", subject="数学"))
    assert answer.status_code == 400
    assert f"课程属于学科，许可 {permit.number} 只许可文化艺术：超出许可范围，不能备案" in text_of(answer)
    assert Course.objects.get().state == "draft"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"ends_on": "2029-01-01"}, "不全在许可"),
        ({"audience": "preschool", "first_grade": "", "last_grade": ""}, "课程面向学龄前儿童"),
        ({"mode": "online"}, "线上课程要凭线上许可"),
        ({"permit": ""}, "请选择课程所依的办学许可"),
        ({"ends_on": "2026-11-30"}, "结课日期不能早于开课日期"),
        ({"lesson_minutes": "300"}, "至多 240"),
        ({"last_grade": ""}, "最低年级和最高年级要么都填"),
        ({"mode": "online", "gap_minutes": ""}, "线上课程要写明课间休息几分钟"),
        ({"lesson_price_yuan": "免费"}, "请写金额，如 80 或 79.50"),
        ({"lesson_price_yuan": "1.234"}, "金额最多两位小数"),
        ({"materials": SimpleUploadedFile("讲义.png", b"MZ")}, "不是可以收的文件"),
    ],
)
def test_what_cannot_be_filed_is_told(operator: User, permit: Permit, values: dict[str, Any], words: str) -> None:
    answer = signed_in(operator).post(reverse("institutions:course_new"), filled(permit, **values))
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert not Course.objects.exclude(state="draft").exists()


def test_the_law_refuses_a_course_with_its_clause(district: District) -> None:
    region = make_region("990201", "cn-shanghai")
    institution = make_institution(region, "示例学科培训中心", category="academic", field="academic", department="education")
    user = make_user("academic", Role.INSTITUTION, institution.organisation)
    permit = make_permit(institution, make_premises(institution), district.bureau)
    data = filled(permit, name="数学提高", field="academic", subject="数学")
    answer = signed_in(user).post(reverse("institutions:course_new"), data)
    assert answer.status_code == 400
    assert "所用材料没有备案" in text_of(answer)
    assert "s0.content.filing" in text_of(answer)
    course = Course.objects.get()
    assert course.state == "draft"
    edit = reverse("institutions:course_edit", args=[course.pk])
    assert signed_in(user).post(edit, data | {"materials": SimpleUploadedFile("教材.png", PNG)}).status_code == 302
    overseas = signed_in(user).post(edit.replace("edit", "withdraw"))
    assert overseas.status_code == 302
    answer = signed_in(user).post(edit, data | {"is_overseas_curriculum": "on"})
    assert "境外教育课程" in text_of(answer)
    assert Course.objects.get().state == "draft"


def test_what_the_reviewer_finds_is_judged(district: District, institution: Institution, permit: Permit) -> None:
    course = make_course(institution, permit, state="submitted", starts_on=MONDAY + datetime.timedelta(days=7))
    bureau = signed_in(district.bureau)
    review = reverse("institutions:course_review", args=[course.pk])
    answer = bureau.post(review, {"verdict": "file", "found": ["is_exam_oriented"]})
    assert answer.status_code == 400
    assert "不能备案，请退回" in text_of(answer)
    bureau.post(review, {"verdict": "return", "found": ["is_exam_oriented"]})
    course.refresh_from_db()
    assert course.state == "returned"
    assert "应试" in course.review_note
    assert not course.is_exam_oriented


def test_the_aid_tells_academic_content_behind_another_name(operator: User, permit: Permit) -> None:
    data = filled(permit, name="思维素养夏令营", syllabus="奥数与口算，AMC 竞赛获奖率高")
    answer = text_of(signed_in(operator).post(reverse("institutions:course_aid"), data))
    assert "像学科类" in answer
    for word in ("思维素养", "奥数", "口算", "s4.hidden.as-literacy"):
        assert word in answer
    assert "出现“AMC”“竞赛”" in answer
    assert not Course.objects.exists()


def test_a_submitted_course_cannot_be_edited_but_taken_back_and_only_an_unseen_draft_deleted(
    operator: User, institution: Institution, permit: Permit
) -> None:
    course = make_course(institution, permit, state="draft")
    browser = signed_in(operator)
    browser.post(reverse("institutions:course_submit", args=[course.pk]))
    assert browser.get(reverse("institutions:course_edit", args=[course.pk])).status_code == 302
    browser.post(reverse("institutions:course_withdraw", args=[course.pk]))
    browser.post(reverse("institutions:course_delete", args=[course.pk]))
    assert Course.objects.get().state == "draft"
    fresh = make_course(institution, permit, name="新课", state="draft")
    browser.post(reverse("institutions:course_delete", args=[fresh.pk]))
    assert not Course.objects.filter(pk=fresh.pk).exists()


def test_an_ended_course_is_no_longer_filed(operator: User, institution: Institution, permit: Permit) -> None:
    course = make_course(institution, permit)
    signed_in(operator).post(reverse("institutions:course_end", args=[course.pk]))
    assert not Course.objects.filed().exists()


def test_two_reviewers_do_not_overwrite_each_other(district: District, institution: Institution, permit: Permit) -> None:
    course = make_course(institution, permit, state="filed")
    review = reverse("institutions:course_review", args=[course.pk])
    answer = signed_in(district.bureau).post(review, {"verdict": "return", "note": "晚了"}, follow=True)
    assert "课程现在是“已备案”" in text_of(answer)
    course.refresh_from_db()
    assert course.state == "filed"


def test_another_institution_sees_nothing(district: District, institution: Institution, permit: Permit) -> None:
    course = make_course(institution, permit)
    other = make_institution(district.region, "另一家")
    stranger = signed_in(make_user("stranger", Role.INSTITUTION, other.organisation))
    assert stranger.get(reverse("institutions:course", args=[course.pk])).status_code == 404
    assert "儿童画" not in text_of(stranger.get(reverse("institutions:courses")))


def test_the_list_asks_the_database_no_more_for_many_courses(district: District, institution: Institution, permit: Permit) -> None:
    bureau = signed_in(district.bureau)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            bureau.get(reverse("institutions:courses"), {"state": ""})
        return len(caught)

    make_course(institution, permit, name="一")
    queries()
    few = queries()
    for number in range(20):
        make_course(institution, permit, name=f"课{number}")
    assert queries() == few
