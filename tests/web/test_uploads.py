"""Handing in workbooks through the browser's door, and reading what was found."""

from __future__ import annotations

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from qingdan.uploads.actions import judge_upload
from qingdan.uploads.enums import UploadStatus
from qingdan.uploads.models import Finding, Upload
from tests.web.conftest import Cast, Submit, courses, homework, prepayments, signed_in, xlsx


def hand_in(client: Client, layer: str, *files: tuple[str, bytes]) -> str:
    """Post the form; return the page that it leads to."""
    workbooks = [SimpleUploadedFile(name, content) for name, content in files]
    response = client.post(reverse("uploads:new"), {"layer": layer, "workbooks": workbooks}, follow=True)
    return str(response.content.decode())


def test_three_workbooks_go_in_and_cited_findings_come_out(cast: Cast) -> None:
    client = signed_in(cast.institution)
    waiting = hand_in(client, "cn-shanghai", ("作业.xlsx", homework()), ("课程.xlsx", courses()), ("台账.xlsx", prepayments()))
    assert "排队中" in waiting
    upload = Upload.objects.get()
    assert [file.name for file in upload.files.all()] == ["作业.xlsx", "课程.xlsx", "台账.xlsx"]
    judge_upload(upload.pk)
    page = client.get(reverse("uploads:findings", args=[upload.pk])).content.decode()
    found = {(finding.file, finding.rule_id.split(".")[0]) for finding in upload.findings.filter(verdict="breach")}
    assert found == {("作业.xlsx", "homework"), ("课程.xlsx", "training"), ("台账.xlsx", "prepaid")}
    assert "三（2）班 11月17日 书面家庭作业合计 65 分钟，超过本地上限 60 分钟" in page
    assert "作业.xlsx〔作业公示〕 第 3–5 行" in page
    assert "上海市</a>规定，2021年8月24日起" in page
    for finding in upload.findings.all():
        assert finding.cites
        assert reverse("library:clause", args=[finding.cites[0]["clause"]]) in page
        assert finding.remedy in page
    first = upload.findings.filter(rule_id="homework.daily-total").get()
    assert client.get(reverse("library:clause", args=[first.cites[0]["clause"]]), follow=True).status_code == 200


def test_the_layer_chosen_decides(cast: Cast, submit: Submit) -> None:
    late = xlsx(
        [
            ["机构名称", "课程名称", "类别", "方式", "上课日期", "开始时间", "结束时间"],
            ["星河在线", "小学英语", "学科类", "线上", "2026-11-19", "21:00", "21:30"],
        ]
    )
    shanghai = submit(cast.institution, late, layer="cn-shanghai")
    xinjiang = submit(cast.institution, late, layer="cn-xinjiang")
    ends = [upload.findings.filter(verdict="breach", sentence__contains="21:30").exists() for upload in (shanghai, xinjiang)]
    assert ends == [True, False]


def test_findings_are_filtered_by_verdict_rule_table_and_text(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.institution, homework(), courses(), names=["作业.xlsx", "课程.xlsx"])
    client = signed_in(cast.institution)
    address = reverse("uploads:findings", args=[upload.pk])

    def count(**filters: str) -> int:
        page = client.get(address, filters, headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in page, "htmx gets the results alone"
        return len(re.findall(r'<li class="is-', page))

    assert count(verdict="breach") == upload.findings.filter(verdict="breach").count() > 0
    assert count(rule="homework.daily-total") == 1
    assert count(table="作业.xlsx|作业公示") == upload.findings.filter(file="作业.xlsx").count()
    assert count(q="初二数学") == upload.findings.filter(sentence__contains="初二数学").count() > 0
    assert "没有符合筛选条件的结果" in client.get(address, {"q": "并不存在"}).content.decode()
    assert client.get(address, {"verdict": "nonsense", "page": "x"}).status_code == 200


def test_a_workbook_without_fault_says_so(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school, homework((20, 20)))
    assert upload.breach == 0
    page = signed_in(cast.school).get(reverse("uploads:findings", args=[upload.pk])).content.decode()
    assert "没有发现违规" in page or "待定" in page


def test_cells_that_cannot_be_read_are_listed_with_reason(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school, homework((20, "很久", 25)))
    client = signed_in(cast.school)
    assert upload.unreadable == upload.unread_items.count() == 1
    page = client.get(reverse("uploads:unread", args=[upload.pk])).content.decode()
    assert "很久" in page
    assert "预计时长" in page
    assert "标题行" in page, "what is no record is listed too"
    assert "未读内容（1）" in client.get(reverse("uploads:findings", args=[upload.pk])).content.decode()


def test_rules_that_lack_a_column_are_named(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school)
    page = signed_in(cast.school).get(reverse("uploads:unjudged", args=[upload.pk])).content.decode()
    assert upload.unjudged_rules.exists()
    for each in upload.unjudged_rules.all():
        assert each.title in page
        assert "、".join(each.missing) in page


def test_the_report_is_a_workbook_with_the_findings(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school)
    response = signed_in(cast.school).get(reverse("uploads:report", args=[upload.pk]))
    assert response["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E4%BD%93%E6%A3%80%E7%BB%93%E6%9E%9C_")
    book = load_workbook(io.BytesIO(response.content))
    cells = [cell for row in book.worksheets[0].values for cell in row]
    assert any("合计 65 分钟" in str(cell) for cell in cells)


def test_a_file_comes_back_byte_for_byte(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school)
    response = signed_in(cast.school).get(reverse("uploads:file", args=[upload.pk, upload.files.get().pk]))
    assert response.content == homework()
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("说明.pdf", b"%PDF-1.4", "不是表格文件"),
        ("作业.xlsx", b"", "是空的"),
        ("作业.xlsx", b"MZ\x90\x00" * 20, "内容不是 .xlsx 表格"),
        ("作业.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "内容不是 .csv 表格"),
        ("大表.csv", b"a" * (20 * 1024 * 1024 + 1), "超过 20 MB"),
    ],
)
def test_what_is_no_workbook_is_refused_at_the_door(name: str, content: bytes, told: str, cast: Cast) -> None:
    page = hand_in(signed_in(cast.school), "demo-school", (name, content))
    assert told in page
    assert name in page
    assert not Upload.objects.exists()


def test_no_file_and_too_many_files_are_told(cast: Cast) -> None:
    client = signed_in(cast.school)
    assert "请选择至少一个表格文件" in hand_in(client, "demo-school")
    assert "一次最多 20 个文件" in hand_in(client, "demo-school", *((f"{number}.csv", b"a,b\n1,2\n") for number in range(21)))


def test_a_layer_that_does_not_exist_is_refused(cast: Cast) -> None:
    page = hand_in(signed_in(cast.school), "atlantis", ("作业.xlsx", homework()))
    assert 'role="alert"' in page
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("随笔.xlsx", xlsx([["今天天气很好"], ["我们去了公园"]])),
        ("坏.xlsx", b"PK\x03\x04" + b"x" * 100),
        ("随笔.csv", "今天天气很好\n".encode("gbk")),
    ],
)
def test_workbooks_in_which_nothing_can_be_judged_say_why(name: str, content: bytes, cast: Cast) -> None:
    client = signed_in(cast.school)
    hand_in(client, "demo-school", (name, content))
    upload = Upload.objects.get()
    judge_upload(upload.pk)
    upload.refresh_from_db()
    assert upload.status == UploadStatus.FAILED
    page = client.get(reverse("uploads:findings", args=[upload.pk])).content.decode()
    assert "没有能判定的内容" in page
    assert name in page
    assert all(problem.startswith(name) for problem in upload.problems), "no folder of the server is shown"
    assert reverse("library:facts") in page


def test_names_are_cleaned_and_told_apart(cast: Cast) -> None:
    client = signed_in(cast.school)
    hand_in(client, "demo-school", ("..\\..\\作业<1>.XLSX", homework()), ("作业_1_.xlsx", homework((10, 10))))
    assert [file.name for file in Upload.objects.get().files.all()] == ["作业_1_.xlsx", "作业_1_（2）.xlsx"]


def test_text_from_a_workbook_is_shown_as_text(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school, homework(grade="三（2）班"), names=["<b>x<script>alert(1)<script>.xlsx"])
    assert "<script>alert" not in signed_in(cast.school).get(reverse("uploads:findings", args=[upload.pk])).content.decode()
    wild = xlsx(
        [
            ["机构名称", "课程名称", "类别", "方式", "上课日期", "开始时间", "结束时间"],
            ["<script>alert(1)</script>", "初二数学", "学科类", "线下", "2026-11-19", "19:00", "20:45"],
        ]
    )
    other = submit(cast.institution, wild)
    page = signed_in(cast.institution).get(reverse("uploads:findings", args=[other.pk])).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_progress_is_polled_until_there_are_findings(cast: Cast, submit: Submit) -> None:
    client = signed_in(cast.school)
    upload = submit(cast.school, judge=False)
    address = reverse("uploads:progress", args=[upload.pk])
    assert "排队中" in client.get(address).content.decode()
    assert upload.take_up()
    upload.tell_progress("读取作业", 3, 4)
    page = client.get(address).content.decode()
    assert 'value="75"' in page
    assert "读取作业" in page
    judge_upload(upload.pk)
    assert client.get(address)["HX-Redirect"] == reverse("uploads:findings", args=[upload.pk])


def test_deleting_can_be_undone(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school, names=["作业.xlsx"])
    client = signed_in(cast.school)
    page = client.post(reverse("uploads:delete", args=[upload.pk]), follow=True).content.decode()
    assert "最近删除（1）" in page
    assert "还没有上传过表格" in page
    assert "已删除" in client.get(reverse("uploads:findings", args=[upload.pk])).content.decode()
    page = client.post(reverse("uploads:restore", args=[upload.pk]), follow=True).content.decode()
    assert "已恢复" in page
    assert "合计 65 分钟" in page
    assert "最近删除" not in client.get(reverse("uploads:list")).content.decode()


def test_judging_again_replaces_the_findings(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school)
    before = upload.findings.count()
    client = signed_in(cast.school)
    assert "排队中" in client.post(reverse("uploads:retry", args=[upload.pk]), follow=True).content.decode()
    judge_upload(upload.pk)
    upload.refresh_from_db()
    assert upload.status == UploadStatus.DONE
    assert Finding.objects.filter(upload=upload).count() == before


def test_earlier_uploads_are_searched_and_paged(cast: Cast, submit: Submit) -> None:
    for number in range(22):
        submit(cast.school, f"a,b\n{number},2\n".encode(), names=[f"第{number}周.csv"], judge=False)
    client = signed_in(cast.school)
    first = client.get(reverse("uploads:list")).content.decode()
    assert "第 1 / 2 页，共 22 条" in first
    assert "第21周.csv" in first
    assert "第0周.csv" in client.get(reverse("uploads:list"), {"page": 2}).content.decode()
    found = client.get(reverse("uploads:list"), {"q": "第7周"}, headers={"HX-Request": "true"}).content.decode()
    assert re.findall(r"第\d+周\.csv", found) == ["第7周.csv"]
    assert "没有文件名含" in client.get(reverse("uploads:list"), {"q": "无此"}).content.decode()
