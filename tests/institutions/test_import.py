"""A district's list of institutions is imported: preview, apply at once, undo; an export imported again changes nothing."""

from __future__ import annotations

import io

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from qingdan.accounts.models import Organisation
from qingdan.institutions.models import Institution, Permit, Premises, RegisterImport
from tests.district import District, signed_in
from tests.institutions.making import credit_code, make_institution, make_permit, make_premises

HEADERS = (
    "培训机构名称", "社会信用代码", "法人", "机构性质", "类型", "业务类别", "培训对象", "审批部门", "许可证号", "有效期", "街道",
    "办学地址", "办学面积", "联系电话",
)  # fmt: skip


def row(number: int, **values: str) -> dict[str, str]:
    """One row of a list as a district has it, under its own headers."""
    given = {
        "培训机构名称": f"示例{number}号艺术中心", "社会信用代码": credit_code(number), "法人": "王示例", "机构性质": "民非",
        "类型": "非学科类", "业务类别": "文化艺术", "培训对象": "义务教育阶段", "审批部门": "文旅局",
        "许可证号": f"教民{number:06}号", "有效期": "2025-09-01至2028-08-31", "街道": "示范街道", "办学地址": f"示范路{number}号",
        "办学面积": "300平方米",
        "联系电话": "000-0000",
    }  # fmt: skip
    return given | values


def workbook(*rows: dict[str, str]) -> SimpleUploadedFile:
    """The rows as xlsx below a title."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "机构"
    sheet.append(["示范区校外培训机构名单"])
    sheet.append(HEADERS)
    for each in rows:
        sheet.append([each[name] for name in HEADERS])
    out = io.BytesIO()
    book.save(out)
    return SimpleUploadedFile("名单.xlsx", out.getvalue())


def preview(client: Client, file: SimpleUploadedFile) -> str:
    """The page after the upload."""
    return client.post(reverse("institutions:register_imports"), {"workbook": file}, follow=True).content.decode()


def act(client: Client, name: str) -> str:
    """The page after applying, undoing or discarding the newest import."""
    return client.post(
        reverse(f"institutions:register_{name}", args=[RegisterImport.objects.latest("pk").pk]), follow=True
    ).content.decode()


def test_a_list_is_previewed_applied_and_undone(district: District) -> None:
    client = signed_in(district.bureau)
    page = preview(client, workbook(row(1), row(2, 许可证号="", 有效期="")))
    assert "新机构缺登记日期" in page
    assert not Institution.objects.exists()
    assert "没有读入的列：联系电话" in page
    page = preview(client, workbook(row(1), row(2)))
    assert "确认导入（2 行）" in page
    assert "已导入" in act(client, "apply")
    first = Institution.objects.get(credit_code=credit_code(1))
    assert (first.name, first.category, first.field, first.department) == ("示例1号艺术中心", "non_academic", "culture", "culture")
    assert first.organisation.pinyin
    permit = first.permits.get()
    assert (permit.number, permit.premises, str(permit.ends_on)) == ("教民000001号", first.premises.get(), "2028-08-31")
    assert first.premises.get().area_m2 == 300
    assert "先前已经处理过" in act(client, "apply")
    assert Institution.objects.count() == 2
    assert "已撤销" in act(client, "undo")
    assert not Institution.objects.exists()
    assert not Permit.objects.exists()
    assert not Organisation.objects.filter(kind="institution").exists()


def test_an_export_imported_again_changes_nothing(district: District) -> None:
    client = signed_in(district.bureau)
    one, two = make_institution(district.region), make_institution(district.region, runs_online=True, website="https://example.com/")
    make_permit(one, make_premises(one), district.bureau)
    make_permit(two, None, district.bureau)
    make_premises(make_institution(district.region), "东校区", address="东路8号")
    exported = client.get(reverse("institutions:registry_export")).content
    page = preview(client, SimpleUploadedFile("导出.xlsx", exported))
    assert set(RegisterImport.objects.get().rows.values_list("act", flat=True)) == {"same"}
    assert RegisterImport.objects.get().rows.count() == 3
    assert "没有要导入的内容" in page
    assert "没有要导入的内容" in act(client, "apply")


def test_known_codes_are_changed_and_put_back(district: District) -> None:
    client = signed_in(district.bureau)
    preview(client, workbook(row(1)))
    act(client, "apply")
    page = preview(client, workbook(row(1, 培训机构名称="新名艺术中心", 法人="赵示例", 有效期="2025-09-01至2029-08-31", 办学面积="400")))
    assert "更名：示例1号艺术中心 → 新名艺术中心" in page
    assert "法定代表人：王示例 → 赵示例" in page
    act(client, "apply")
    assert Organisation.objects.get(name="新名艺术中心").pinyin.startswith("xin ming")
    assert (str(Permit.objects.get().ends_on), Premises.objects.get().area_m2) == ("2029-08-31", 400)
    act(client, "undo")
    assert Organisation.objects.get(kind="institution").pinyin.startswith("shi li")
    assert (str(Permit.objects.get().ends_on), Premises.objects.get().area_m2) == ("2028-08-31", 300)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"社会信用代码": credit_code(5)[:-1] + "X"}, "末位是校验码"),
        ({"社会信用代码": credit_code(1)}, "统一社会信用代码与“机构”第 3 行重复"),
        ({"许可证号": "教民000001号"}, "许可证号“教民000001号”与“机构”第 3 行重复"),
        ({"审批部门": "月球管理局"}, "主管部门“月球管理局”不在可选的名称之内"),
        ({"业务类别": "学科"}, "学科类机构的领域是学科"),
        ({"有效期": "长期"}, "看不出起止"),
        ({"有效期": "2028-09-01至2025-08-31"}, "有效期"),
        ({"办学面积": ""}, "没有写面积"),
        ({"法人": ""}, "新机构缺法定代表人"),
        ({"培训机构名称": "甲小学"}, "已有单位叫“甲小学”"),
        ({"培训机构名称": "示例1号艺术中心"}, "机构名称与“机构”第 3 行重复"),
        ({"培训机构名称": ""}, "缺机构名称"),
    ],
)
def test_a_bad_row_is_refused_with_sheet_row_and_reason(district: District, values: dict[str, str], said: str) -> None:
    client = signed_in(district.bureau)
    page = preview(client, workbook(row(1), row(5, **values)))
    refused = RegisterImport.objects.get().rows.get(act="refuse")
    assert (refused.sheet, refused.row) == ("机构", 4)
    assert said in refused.what
    assert "机构 第 4 行" in page
    act(client, "apply")
    assert Institution.objects.count() == 1


def test_a_permit_number_of_another_institution_is_refused(district: District) -> None:
    make_permit(make_institution(district.region, "先来的机构"), None, district.bureau, number="教民000007号")
    preview(signed_in(district.bureau), workbook(row(7)))
    assert RegisterImport.objects.get().rows.get().what == "许可证号“教民000007号”已属于先来的机构；请核对"


def test_what_changed_since_the_preview_is_shown_anew(district: District) -> None:
    client = signed_in(district.bureau)
    preview(client, workbook(row(1)))
    make_institution(district.region, "示例1号艺术中心", credit_code=credit_code(1))
    page = act(client, "apply")
    assert "预览之后名册有了变化" in page
    assert not Permit.objects.exists()
    assert RegisterImport.objects.get().rows.get().act == "change"


def test_an_import_that_others_rest_on_is_not_undone(district: District) -> None:
    client = signed_in(district.bureau)
    preview(client, workbook(row(1)))
    act(client, "apply")
    Institution.objects.get().listings.create(colour="white", since="2026-11-01", reason="优秀", decided_by=district.bureau)
    assert "不能撤销" in act(client, "undo")
    assert Institution.objects.exists()


def test_a_preview_is_thrown_away_but_never_an_import(district: District) -> None:
    client = signed_in(district.bureau)
    preview(client, workbook(row(1)))
    assert "已放弃" in act(client, "discard")
    preview(client, workbook(row(1)))
    act(client, "apply")
    assert "不能放弃" in act(client, "discard")
    assert Institution.objects.exists()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (SimpleUploadedFile("名单.xlsx", b"not a workbook"), "不是真正的 .xlsx 文件"),
        (SimpleUploadedFile("名单.pdf", b"%PDF-"), "请另存为 .xlsx"),
        (SimpleUploadedFile("名单.csv", "姓名,学号\n张三,1\n".encode()), "至少要有“机构名称”和“统一社会信用代码”两列"),
    ],
)
def test_a_file_that_is_no_register_is_refused(district: District, file: SimpleUploadedFile, said: str) -> None:
    file.seek(0)
    sent = signed_in(district.bureau).post(reverse("institutions:register_imports"), {"workbook": file})
    assert sent.status_code == 400
    assert said in sent.content.decode()
    assert not RegisterImport.objects.exists()


def test_the_template_says_how_to_fill_it(district: District) -> None:
    content = signed_in(district.bureau).get(reverse("institutions:register_template")).content
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["机构名册", "填写示例"]
    headers = [cell.value for cell in next(iter(book["机构名册"].rows))]
    assert headers[:2] == ["机构名称", "统一社会信用代码"]
