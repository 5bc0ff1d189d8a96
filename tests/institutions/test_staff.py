"""Staff: real names, no serving school teachers, checked and published by the bureau."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.enums import Role
from qingdan.accounts.identity import digest, masked
from qingdan.accounts.models import User
from qingdan.institutions.models import Institution, Staff
from qingdan.notices.models import Notice
from qingdan.schools.models import StaffIdentity
from tests.district import District, make_region, make_user, signed_in
from tests.institutions.making import make_institution, make_staff

#: The example of GB 11643; nobody's.
NUMBER = "11010519491231002X"


def filled(**values: Any) -> dict[str, Any]:
    """What somebody types into the form."""
    return {
        "name": "陈示例", "nationality": "中国", "identity_number": NUMBER, "role": "teaching", "category": "non_academic",
        "subject": "美术", "certificate_number": "", "experience": "教龄五年", "employed_from": "2026-09-01",
    } | values  # fmt: skip


def text_of(response: Any) -> str:
    return str(response.content.decode())


def school_teacher(district: District, number: str = NUMBER) -> User:
    """A teacher of the first school whose identity the school has entered."""
    teacher = district.first.teacher
    StaffIdentity.objects.create(user=teacher, identity_digest=digest(number), masked_identity=masked(number))
    return teacher


def test_somebody_is_added_checked_published_and_leaves(operator: User, district: District) -> None:
    mine, bureau = signed_in(operator), signed_in(district.bureau)
    assert mine.post(reverse("institutions:staff_new"), filled()).status_code == 302
    person = Staff.objects.get()
    assert person.masked_identity == "110*************2X"
    assert person.identity_digest == digest("11010519491231002x")
    assert "陈示例" in text_of(bureau.get(reverse("institutions:staff"), {"standing": "waiting"}))
    bureau.post(reverse("institutions:staff_check", args=[person.pk]), {"verdict": "pass", "fitting": "yes"})
    person.refresh_from_db()
    assert (person.is_qualification_checked, person.is_filed, person.is_published, person.checked_by) == (True, True, True, district.bureau)
    assert "陈示例" in text_of(mine.get(reverse("institutions:staff_sheet")))
    mine.post(reverse("institutions:staff_put_up"))
    person.refresh_from_db()
    assert person.is_shown_on_site
    assert Notice.objects.filter(user=operator).exists()
    mine.post(reverse("institutions:staff_leave", args=[person.pk]), {"last_day": "2026-11-16"})
    person.refresh_from_db()
    assert str(person.employed_until) == "2026-11-16"


def test_the_number_itself_is_kept_and_logged_nowhere(operator: User, caplog: pytest.LogCaptureFixture) -> None:
    signed_in(operator).post(reverse("institutions:staff_new"), filled())
    with connection.cursor() as cursor:
        cursor.execute("SELECT s::text FROM institutions_staff AS s")
        assert NUMBER not in str(cursor.fetchall())
    assert NUMBER not in caplog.text


def test_a_serving_teacher_is_refused_with_the_clause_and_without_the_school(operator: User, district: District) -> None:
    school_teacher(district)
    answer = signed_in(operator).post(reverse("institutions:staff_new"), filled())
    assert answer.status_code == 400
    assert "在职中小学教师" in text_of(answer)
    assert "s2.institution.no-school-teachers" in text_of(answer)
    assert district.first.school.name not in text_of(answer)
    assert not Staff.objects.exists()
    notice = Notice.objects.get(user=district.bureau)
    assert "示例艺术培训中心" in notice.text
    assert "陈示例" not in notice.text
    assert not Notice.objects.filter(user=district.first.leader).exists()


def test_a_match_that_comes_later_is_seen_by_the_bureau_and_by_the_school_each_its_own_side(
    institution: Institution, operator: User, district: District
) -> None:
    teacher = school_teacher(district)
    make_staff(institution, "机构里的名字", identity_digest=digest(NUMBER))
    listed = text_of(signed_in(district.bureau).get(reverse("institutions:staff"), {"standing": "matched"}))
    assert "机构里的名字" in listed
    assert "疑似在职教师" in listed
    assert teacher.display_name not in listed
    seen = text_of(signed_in(district.first.leader).get(reverse("institutions:staff_matched")))
    assert teacher.display_name in seen
    assert institution.organisation.name not in seen
    assert "机构里的名字" not in seen
    assert teacher.display_name not in text_of(signed_in(district.second.leader).get(reverse("institutions:staff_matched")))
    assert "疑似在职教师" not in text_of(signed_in(operator).get(reverse("institutions:staff")))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"identity_number": "110105194912310021"}, "身份证号不对"),
        ({"identity_number": ""}, "请填写证件号"),
        ({"identity_number": "短", "nationality": "英国"}, "护照号应为"),
        ({"subject": ""}, "教学人员要写明任教类别和学科"),
        ({"employed_from": "2027-01-01"}, "入职日期不能晚于今天"),
        ({"name": ""}, "这个字段是必填项"),
    ],
)
def test_bad_input_is_refused_and_nothing_kept(operator: User, values: dict[str, Any], words: str) -> None:
    answer = signed_in(operator).post(reverse("institutions:staff_new"), filled(**values))
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert not Staff.objects.exists()


def test_the_same_person_twice_is_refused(operator: User) -> None:
    browser = signed_in(operator)
    browser.post(reverse("institutions:staff_new"), filled())
    assert "已在本机构的在职名单里" in text_of(browser.post(reverse("institutions:staff_new"), filled(name="另名")))
    assert Staff.objects.count() == 1


def test_shanghai_refuses_foreigners_abroad_and_academic_teachers_without_certificate(db: None) -> None:
    region = make_region("990201", "cn-shanghai")
    institution = make_institution(region, "示例学科培训中心", category="academic", field="academic", department="education")
    browser = signed_in(make_user("academic", Role.INSTITUTION, institution.organisation))
    new = reverse("institutions:staff_new")
    abroad = filled(nationality="英国", identity_number="GB1234567", is_abroad="on")
    assert "不得聘用境外的外籍人员" in text_of(browser.post(new, abroad))
    assert "没有相应的教师资格" in text_of(browser.post(new, filled(category="academic", subject="数学")))
    assert not Staff.objects.exists()
    assert browser.post(new, filled(category="academic", subject="数学", certificate_number="2020001")).status_code == 302


def test_a_change_has_to_be_checked_again(operator: User, institution: Institution) -> None:
    person = make_staff(institution)
    edit = reverse("institutions:staff_edit", args=[person.pk])
    signed_in(operator).post(edit, filled(name="陈改名", identity_number=""))
    before = person.identity_digest
    person.refresh_from_db()
    assert (person.name, person.is_published, person.identity_digest) == ("陈改名", False, before)


def test_the_bureau_returns_only_with_a_reason(district: District, institution: Institution, operator: User) -> None:
    person = make_staff(institution)
    check = reverse("institutions:staff_check", args=[person.pk])
    browser = signed_in(district.bureau)
    assert "退回要写明理由" in text_of(browser.post(check, {"verdict": "return"}))
    browser.post(check, {"verdict": "return", "reason": "证书已过期"})
    person.refresh_from_db()
    assert not person.is_published
    assert "证书已过期" in Notice.objects.get(user=operator).text


def test_leaving_later_than_today_or_before_the_first_day_is_refused(operator: User, institution: Institution) -> None:
    person = make_staff(institution)
    leave = reverse("institutions:staff_leave", args=[person.pk])
    browser = signed_in(operator)
    assert "离职日期不能晚于今天" in text_of(browser.post(leave, {"last_day": "2026-12-01"}))
    assert "离职日期不能早于入职日期" in text_of(browser.post(leave, {"last_day": "2020-01-01"}))
    person.refresh_from_db()
    assert person.employed_until is None


def test_the_list_asks_the_database_no_more_for_many_people(district: District, institution: Institution) -> None:
    bureau = signed_in(district.bureau)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            bureau.get(reverse("institutions:staff"))
        return len(caught)

    make_staff(institution)
    queries()
    few = queries()
    for number in range(20):
        make_staff(institution, f"陈示例{number}")
    assert queries() == few


def test_numbers_are_one_in_any_spelling_and_masked_whatever_their_length() -> None:
    assert digest(" 110105 1949 1231 002x") == digest("１１０１０５１９４９１２３１００２Ｘ")
    assert digest("GB1234567", is_foreign=True) != digest("GB1234568", is_foreign=True)
    assert masked("GB1234567") == "G******67"
