"""An institution hands in the list of its people: preview, all at once, back again; the law is asked as for a single entry."""

from __future__ import annotations

import io
import json

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from stdnum.cn import ric

from qingdan.accounts.enums import Role
from qingdan.accounts.identity import digest, masked
from qingdan.accounts.models import User
from qingdan.institutions.models import Institution, Staff, StaffImport, StaffRow
from qingdan.notices.models import Notice
from qingdan.schools.enums import RollStatus
from qingdan.schools.models import StaffIdentity
from tests.district import District, make_region, make_user, signed_in
from tests.institutions.making import make_institution, make_staff

HEADERS = ("姓名", "身份证号", "国籍", "岗位", "任教类别", "项目", "教师资格证号", "入职时间", "离职日期", "手机")


def number(serial: int) -> str:
    """A fictional id number with its right check digit."""
    base = f"11010519491231{serial:03}"
    return base + ric.calc_check_digit(f"{base}0")


def row(serial: int, **values: str) -> list[str]:
    """One person under the headers of an institution's own list."""
    given = {
        "姓名": f"示例{serial}", "身份证号": number(serial), "国籍": "", "岗位": "教学人员", "任教类别": "非学科", "项目": "美术",
        "教师资格证号": "", "入职时间": "2026-09-01", "离职日期": "", "手机": "000",
    }  # fmt: skip
    return [(given | values)[name] for name in HEADERS]


def workbook(*rows: list[str]) -> SimpleUploadedFile:
    """The rows as xlsx."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "人员"
    for each in (["示例艺术培训中心人员表"], list(HEADERS), *rows):
        sheet.append(each)
    out = io.BytesIO()
    book.save(out)
    return SimpleUploadedFile("人员.xlsx", out.getvalue())


@pytest.fixture
def mine(operator: User) -> Client:
    """The institution's browser."""
    return signed_in(operator)


def preview(client: Client, *rows: list[str]) -> str:
    return client.post(reverse("institutions:staff_imports"), {"workbook": workbook(*rows)}, follow=True).content.decode()


def act(client: Client, name: str) -> str:
    url = reverse(f"institutions:staff_{name}", args=[StaffImport.objects.latest("pk").pk])
    return client.post(url, follow=True).content.decode()


def rows() -> list[tuple[str, str]]:
    """Act and reason of the newest list's rows."""
    return list(StaffImport.objects.latest("pk").rows.values_list("act", "what"))


def test_a_list_is_previewed_applied_and_undone(mine: Client, institution: Institution, district: District) -> None:
    page = preview(mine, row(1), row(2, 岗位="行政", 任教类别="", 项目=""), row(3, 国籍="英国", 身份证号="AB1234567"))
    assert "确认导入（3 行）" in page
    assert "没有读入的列：手机" in page
    assert masked(number(1)) in page
    assert not Staff.objects.exists()
    assert "已导入" in act(mine, "apply")
    first, second, third = Staff.objects.order_by("name")
    assert (first.identity_digest, first.role, first.category, first.subject) == (digest(number(1)), "teaching", "non_academic", "美术")
    assert (second.role, third.nationality, third.is_foreign) == ("administration", "英国", True)
    assert not any(each.is_qualification_checked or each.is_published or each.is_shown_on_site for each in (first, second, third))
    assert "示例1" in signed_in(district.bureau).get(reverse("institutions:staff"), {"standing": "waiting"}).content.decode()
    assert "先前已经处理过" in act(mine, "apply")
    assert "没有要导入的内容" in preview(mine, row(1))
    StaffImport.objects.latest("pk").delete()
    assert "已撤销" in act(mine, "undo")
    assert not Staff.objects.exists()


def test_of_a_number_only_digest_and_mask_are_kept_anywhere(mine: Client, caplog: pytest.LogCaptureFixture) -> None:
    page = preview(mine, row(1), row(2, 身份证号="110105194912310021"), row(3, 国籍="英国", 身份证号="短" * 120))
    act(mine, "apply")
    kept = json.dumps(list(StaffRow.objects.values("values", "what")), ensure_ascii=False) + caplog.text + page
    assert number(1)[4:] not in kept
    assert "110105194912310021" not in kept
    assert "短短" not in kept
    assert [each for each, _ in rows()] == ["add", "refuse", "refuse"]


def test_somebody_known_is_changed_checked_anew_and_put_back(mine: Client, institution: Institution) -> None:
    known = make_staff(institution, "示例1", identity_digest=digest(number(1)), employed_from="2026-09-01", certificate_number="")
    preview(mine, row(1))
    assert rows() == [("same", "")]
    preview(mine, row(1, 项目="舞蹈"))
    assert rows() == [("change", "任教学科或项目：美术 → 舞蹈；要由教育部门重新审核")]
    act(mine, "apply")
    known.refresh_from_db()
    assert (known.subject, known.is_qualification_checked, known.is_published, known.is_shown_on_site) == ("舞蹈", False, False, False)
    act(mine, "undo")
    known.refresh_from_db()
    assert (known.subject, known.is_qualification_checked, known.is_shown_on_site) == ("美术", True, True)


def test_a_last_day_lets_somebody_go_without_a_new_check(mine: Client, institution: Institution) -> None:
    known = make_staff(institution, "示例1", identity_digest=digest(number(1)), employed_from="2026-09-01", certificate_number="")
    preview(mine, row(1, 离职日期="2026-10-31"))
    assert rows() == [("change", "离职日期：（空） → 2026-10-31")]
    act(mine, "apply")
    known.refresh_from_db()
    assert (str(known.employed_until), known.is_qualification_checked) == ("2026-10-31", True)


def test_a_serving_teacher_is_refused_with_the_clause_and_the_bureau_hears_of_it(mine: Client, district: District) -> None:
    StaffIdentity.objects.create(user=district.first.teacher, identity_digest=digest(number(1)), masked_identity="x")
    preview(mine, row(1), row(2))
    (refused, reason), (added, _) = rows()
    assert (refused, added) == ("refuse", "add")
    assert "在职中小学教师" in reason
    assert "依据" in reason
    assert district.first.school.name not in reason
    assert Notice.objects.get(user=district.bureau).text == "示例艺术培训中心拟聘用的一人是在职中小学教师，系统已拦下"
    act(mine, "apply")
    assert Staff.objects.get().name == "示例2"


def test_the_law_of_the_place_is_asked(db: None) -> None:
    place = make_region("990201", "cn-shanghai")
    institution = make_institution(place, "上海示例", category="academic", field="academic", department="education")
    browser = signed_in(make_user("shanghai", Role.INSTITUTION, institution.organisation))
    preview(browser, row(1, 任教类别="学科类", 项目="数学"), row(2, 任教类别="学科类", 项目="数学", 教师资格证号="20201234567"))
    assert [each for each, _ in rows()] == ["refuse", "add"]
    assert "资格" in rows()[0][1]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"身份证号": "110105194912310021"}, "身份证号不对"),
        ({"身份证号": ""}, "缺证件号"),
        ({"身份证号": number(1)}, "证件号与“人员”第 3 行重复"),
        ({"姓名": ""}, "缺姓名"),
        ({"岗位": ""}, "新人员缺岗位"),
        ({"岗位": "飞行员"}, "岗位“飞行员”不在可选的名称之内"),
        ({"项目": ""}, "教学人员要写明任教类别和学科"),
        ({"入职时间": ""}, "新人员缺入职日期"),
        ({"入职时间": "2027-01-01"}, "入职日期不能晚于今天"),
        ({"离职日期": "2026-10-31"}, "不在在职名单里，不能登记离职"),
        ({"姓名": "长" * 51}, "超过 50 个字"),
    ],
)
def test_a_bad_row_is_refused_with_sheet_row_and_reason(mine: Client, values: dict[str, str], said: str) -> None:
    page = preview(mine, row(1), row(5, **values))
    refused = StaffImport.objects.get().rows.get(act="refuse")
    assert (refused.sheet, refused.row) == ("人员", 4)
    assert said in refused.what
    assert "人员 第 4 行" in page
    act(mine, "apply")
    assert Staff.objects.get().name == "示例1"


def test_what_changed_since_the_preview_is_shown_anew(mine: Client, institution: Institution) -> None:
    preview(mine, row(1))
    make_staff(institution, "别名", identity_digest=digest(number(1)))
    assert "预览之后名册有了变化" in act(mine, "apply")
    assert rows()[0][0] == "change"
    assert Staff.objects.get().name == "别名"


def test_a_preview_is_thrown_away_but_never_an_import(mine: Client) -> None:
    preview(mine, row(1))
    assert "已放弃" in act(mine, "discard")
    preview(mine, row(1))
    act(mine, "apply")
    assert "不能放弃" in act(mine, "discard")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (SimpleUploadedFile("人员.xlsx", b"not a workbook"), "不是真正的 .xlsx 文件"),
        (SimpleUploadedFile("人员.pdf", b"%PDF-"), "请另存为 .xlsx"),
        (SimpleUploadedFile("人员.csv", "班级,学号\n三班,1\n".encode()), "至少要有“姓名”和“证件号”两列"),
        (SimpleUploadedFile("人员.xlsx", b""), "文件是空的"),
    ],
)
def test_a_file_that_is_no_list_of_people_is_refused(mine: Client, file: SimpleUploadedFile, said: str) -> None:
    file.seek(0)
    sent = mine.post(reverse("institutions:staff_imports"), {"workbook": file})
    assert sent.status_code == 400
    assert said in sent.content.decode()
    assert not StaffImport.objects.exists()


def test_the_template_says_how_to_fill_it_and_is_read_again(mine: Client) -> None:
    content = mine.get(reverse("institutions:staff_template")).content
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["从业人员", "填写示例"]
    assert [cell.value for cell in next(iter(book["从业人员"].rows))][:2] == ["姓名", "证件号"]
    given = dict.fromkeys([cell.value for cell in next(iter(book["从业人员"].rows))], "")
    given |= {"姓名": "示例1", "证件号": number(1), "岗位": "管理服务人员", "入职日期": "2026-09-01"}
    book["从业人员"].append(list(given.values()))
    out = io.BytesIO()
    book.save(out)
    mine.post(reverse("institutions:staff_imports"), {"workbook": SimpleUploadedFile("人员.xlsx", out.getvalue())})
    assert [each for each, _ in rows()] == ["add"]


def test_pages_and_comparison_ask_as_much_for_many_rows_as_for_few(mine: Client) -> None:
    def cost(count: int) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as sent:
            preview(mine, *(row(each) for each in range(count)))
        page = reverse("institutions:staff_import", args=[StaffImport.objects.latest("pk").pk])
        with CaptureQueriesContext(connection) as shown:
            mine.get(page)
        return len(sent), len(shown)

    cost(1)
    few, many = cost(2), cost(60)
    assert many == few


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [("staff_import_status_fits_its_times", {"status": RollStatus.APPLIED}, "状态与时间不符")],
)
def test_an_import_that_must_not_be_is_refused(
    institution: Institution, operator: User, name: str, values: dict[str, str], words: str
) -> None:
    record = StaffImport(institution=institution, file_name="a.xlsx", uploaded_by=operator, **values)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        record.save()
    with pytest.raises(ValidationError, match=words):
        record.validate_constraints()


def test_a_refused_row_says_why(institution: Institution, operator: User) -> None:
    made = StaffImport.objects.create(institution=institution, file_name="a.xlsx", uploaded_by=operator)
    record = StaffRow(register=made, row=1, act="refuse", values={})
    with pytest.raises(IntegrityError, match="staff_row_refused_has_a_reason"), transaction.atomic():
        record.save()
    with pytest.raises(ValidationError, match="拒收的行要写明原因"):
        record.validate_constraints()
