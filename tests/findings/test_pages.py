"""The pages: what each side sees, filters, takes along and does."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from qingdan.accounts.models import User
from qingdan.findings import exporting
from qingdan.findings.actions import correct
from qingdan.findings.auditing import run_audit
from qingdan.findings.enums import FindingStatus, RunStatus
from qingdan.findings.models import AuditRun, Finding
from qingdan.findings.views import listing
from tests.district import TUESDAY, WEDNESDAY, District, signed_in
from tests.findings.conftest import Audit, finding_of, record

LIST = "/findings/"
HTMX = {"HTTP_HX_REQUEST": "true"}


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def test_a_bureau_sees_its_region_and_a_school_its_own(district: District) -> None:
    mine, others = finding_of(district.first), finding_of(district.second)
    of_bureau, of_school = page(signed_in(district.bureau), LIST), page(signed_in(district.first.leader), LIST)
    assert mine.sentence in of_bureau
    assert others.sentence in of_bureau
    assert "乙小学" in of_bureau
    assert mine.sentence in of_school
    assert others.sentence not in of_school
    assert signed_in(district.first.leader).get(reverse("findings:finding", args=[others.pk])).status_code == 404


@pytest.fixture
def mixed(district: District) -> dict[str, Finding]:
    """Findings that differ in one respect each."""
    return {
        "plain": finding_of(district.first),
        "school": finding_of(district.second, sentence="二（1）班 另一所学校"),
        "rule": finding_of(district.first, rule_id="homework.no-punitive", title="不布置惩罚性作业", kind="homework_item", sentence="罚抄"),
        "date": finding_of(district.first, date=WEDNESDAY, day_kind="holiday", sentence="节日作业"),
        "disputed": finding_of(district.first, status=FindingStatus.DISPUTED, sentence="有争议"),
        "settled": finding_of(district.first, status=FindingStatus.SETTLED, sentence="了结"),
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["plain", "school", "rule", "date", "disputed"]),
        ("status=all", ["plain", "school", "rule", "date", "disputed", "settled"]),
        ("status=disputed", ["disputed"]),
        ("status=settled", ["settled"]),
        ("rule=homework.no-punitive", ["rule"]),
        ("kind=homework_item", ["rule"]),
        ("day_kind=holiday", ["date"]),
        (f"first={WEDNESDAY}", ["date"]),
        (f"last={TUESDAY}", ["plain", "school", "rule", "disputed"]),
        ("q=罚抄", ["rule"]),
        ("q=yixx", ["school"]),
        ("q=乙小学 二（1）班", ["school"]),
        ("q=没有这样的", []),
        ("rule=no.such-rule", ["plain", "school", "rule", "date", "disputed"]),
    ],
)
def test_filters(query: str, expected: list[str], district: District, mixed: dict[str, Finding]) -> None:
    if query == "q=yixx":
        assert "yxx" in district.second.school.organisation.pinyin
        query = "q=yxx"
    shown = page(signed_in(district.bureau), f"{LIST}?{query}")
    assert [name for name, finding in mixed.items() if finding.sentence in shown] == expected
    assert ("没有符合筛选条件" in shown) == (not expected)


def test_a_filter_that_makes_no_sense_is_told(district: District) -> None:
    finding = finding_of(district.first)
    shown = page(signed_in(district.bureau), f"{LIST}?first=昨天")
    assert "没有用来筛选" in shown
    assert finding.sentence in shown


def test_the_tabs_count_under_the_other_filters(district: District, mixed: dict[str, Finding]) -> None:
    response = signed_in(district.bureau).get(LIST, {"organisation": district.first.school.pk, "status": "disputed"})
    counts = {tab["label"]: tab["count"] for tab in response.context["tabs"]}
    assert (counts["待处理"], counts["待答复"], counts["有异议"], counts["已办结"], counts["全部"]) == (4, 3, 1, 1, 5)


def test_htmx_gets_the_results_alone(district: District) -> None:
    finding = finding_of(district.first)
    part = signed_in(district.bureau).get(LIST, **HTMX).content.decode()  # type: ignore[arg-type]
    assert finding.sentence in part
    assert "<html" not in part


@pytest.mark.parametrize("sort", ["", "date", "found", "waiting", "organisation", "rule", "nonsense"])
def test_every_order_shows_everything(sort: str, district: District, mixed: dict[str, Finding]) -> None:
    response = signed_in(district.bureau).get(LIST, {"sort": sort, "status": "all"})
    found = list(response.context["page"].object_list)
    assert {each.pk for each in found} == {each.pk for each in mixed.values()}
    if sort == "organisation":
        assert found[-1] == mixed["school"]
    if sort == "waiting":
        assert found == sorted(found, key=lambda each: each.found_at)


def test_long_lists_have_pages(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_PER_PAGE", 2)
    findings = [finding_of(district.first) for _ in range(5)]
    client = signed_in(district.bureau)
    shown = [page(client, f"{LIST}?page={number}") for number in (1, 2, 3)]
    assert [sum(each.sentence in text for each in findings) for text in shown] == [2, 2, 1]
    assert "第 1 / 3 页，共 5 条" in shown[0]


def test_empty_lists_say_what_to_do(district: District, audit: Audit) -> None:
    assert "还没有做过体检" in page(signed_in(district.bureau), LIST)
    audit()
    assert "没有发现问题" in page(signed_in(district.bureau), LIST)
    finding_of(district.first, status=FindingStatus.SETTLED)
    assert "没有待处理的问题" in page(signed_in(district.bureau), LIST)


# ---- one finding


def test_a_finding_says_everything_with_links(district: District, audit: Audit) -> None:
    record(district.first)
    audit()
    finding = Finding.objects.get(rule_id="homework.daily-total")
    shown = page(signed_in(district.first.leader), reverse("findings:finding", args=[finding.pk]))
    for words in (finding.sentence, finding.remedy, "70 分钟", "60 分钟", "甲小学", "2026年11月17日", "工作日", "发现"):
        assert words in shown
    for cite in finding.cites:
        assert reverse("library:clause", args=[cite["clause"]]) in shown
    assert reverse("library:rule", args=[finding.rule_id]) in shown
    assert reverse("library:layer", args=[finding.limits[0]["layer"]]) in shown


def test_a_clause_that_left_the_library_is_words_without_a_link(district: District) -> None:
    finding = finding_of(district.first, cites=[{"clause": "gone.clause", "text": "旧文件 第三条"}])
    shown = page(signed_in(district.bureau), reverse("findings:finding", args=[finding.pk]))
    assert "旧文件 第三条" in shown
    assert "gone.clause" not in shown


def test_the_school_answers_and_the_bureau_decides(district: District) -> None:
    finding = finding_of(district.first)
    address = reverse("findings:finding", args=[finding.pk])
    school, bureau = signed_in(district.first.leader), signed_in(district.bureau)
    assert "等待甲小学答复" in page(bureau, address)
    response = school.post(reverse("findings:answer", args=[finding.pk]), {"act": "correct", "reason": "已把数学减到 20 分钟"}, follow=True)
    assert "已办理，现在是“称已整改”" in response.content.decode()
    assert "教育局处理之前可以修改" in page(school, address)
    shown = page(bureau, address)
    assert "已把数学减到 20 分钟" in shown
    assert district.first.leader.display_name not in shown.split("<main")[1]
    bureau.post(reverse("findings:decide", args=[finding.pk]), {"act": "confirm", "reason": ""})
    finding.refresh_from_db()
    assert finding.status == FindingStatus.SETTLED
    assert "教育局已处理：已办结" in page(school, address)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"act": "correct", "reason": ""}, "请写明情况或理由"),
        ({"act": "correct", "reason": "长" * 501}, "最多 500 个字"),
        ({"reason": "已改"}, "请选择怎样办理"),
        ({"act": "confirm", "reason": "自己办结"}, "confirm"),
    ],
)
def test_a_bad_answer_is_refused_with_a_message_and_keeps_the_words(data: dict[str, str], message: str, district: District) -> None:
    finding = finding_of(district.first)
    response = signed_in(district.first.leader).post(reverse("findings:answer", args=[finding.pk]), data)
    assert response.status_code == 400
    assert message in response.content.decode()
    assert data["reason"] in response.content.decode()
    finding.refresh_from_db()
    assert (finding.status, finding.events.count()) == (FindingStatus.OPEN, 0)


def test_who_comes_too_late_is_told(district: District) -> None:
    finding = finding_of(district.first, status=FindingStatus.SETTLED)
    response = signed_in(district.first.leader).post(
        reverse("findings:answer", args=[finding.pk]), {"act": "correct", "reason": "已改"}, follow=True
    )
    assert "现在是“已办结”" in response.content.decode()


# ---- several at once


def test_a_clerk_answers_several_at_once(district: District) -> None:
    findings = [finding_of(district.first) for _ in range(3)]
    response = signed_in(district.first.leader).post(
        reverse("findings:act_many") + "?rule=homework.daily-total",
        {"finding": [each.pk for each in findings], "act": "correct", "reason": "年级组已统筹"},
        follow=True,
    )
    assert "已办理 3 个问题" in response.content.decode()
    assert response.redirect_chain[0][0].endswith("?rule=homework.daily-total")
    assert set(Finding.objects.values_list("status", flat=True)) == {"corrected"}


def test_nothing_ticked_no_words_and_foreign_findings_change_nothing(district: District) -> None:
    own, foreign = finding_of(district.first), finding_of(district.second)
    client, address = signed_in(district.first.leader), reverse("findings:act_many")
    assert "没有选中" in client.post(address, {"act": "correct", "reason": "x"}, follow=True).content.decode()
    assert "请写明情况" in client.post(address, {"finding": own.pk, "act": "correct"}, follow=True).content.decode()
    assert "请选择怎样办理" in client.post(address, {"finding": own.pk, "reason": "x"}, follow=True).content.decode()
    assert client.post(address, {"finding": [own.pk, foreign.pk], "act": "correct", "reason": "x"}).status_code == 404
    assert client.post(address, {"finding": ["nonsense", "9" * 30], "act": "correct", "reason": "x"}).status_code == 302
    assert set(Finding.objects.values_list("status", flat=True)) == {"open"}


def test_the_bureau_decides_together_only_what_has_the_same_answer(district: District) -> None:
    finding_of(district.first, status=FindingStatus.CORRECTED)
    client = signed_in(district.bureau)
    assert 'name="finding"' not in page(client, LIST)
    shown = page(client, f"{LIST}?status=corrected")
    assert "确认整改，办结" in shown
    assert "异议成立，撤销" not in shown


# ---- taking along


def rows_of(response_bytes: bytes) -> list[tuple[object, ...]]:
    sheet = load_workbook(io.BytesIO(response_bytes)).active
    assert sheet is not None
    return list(sheet.iter_rows(values_only=True))


def test_the_export_holds_what_the_filter_shows(district: District, mixed: dict[str, Finding]) -> None:
    correct(mixed["plain"], by=district.first.leader, reason="=已调减")
    client = signed_in(district.bureau)
    head, *found = rows_of(client.get(reverse("findings:export_xlsx"), {"organisation": district.first.school.pk, "status": "all"}).content)
    assert head == exporting.COLUMNS
    assert {row[9] for row in found} == {finding.sentence for name, finding in mixed.items() if name != "school"}
    (plain,) = [row for row in found if row[0] == mixed["plain"].pk]
    assert plain[1:4] == ("甲小学", "称已整改", "homework.daily-total")
    assert plain[17:20:2] == ("答复：已整改", "=已调减")
    text = b"".join(client.get(reverse("findings:export_csv"), {"status": "all"}).streaming_content).decode()  # type: ignore[attr-defined]
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(lines) == 1 + len(mixed)
    assert "'=已调减" in {cell for line in lines for cell in line}  # no formula for a spreadsheet


def test_a_school_exports_its_own_only(district: District, mixed: dict[str, Finding]) -> None:
    _, *found = rows_of(signed_in(district.second.leader).get(reverse("findings:export_xlsx")).content)
    assert [row[0] for row in found] == [mixed["school"].pk]


def test_too_much_is_not_exported_and_nothing_is_cut(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "EXPORT_ROWS_MAX", 1)
    finding_of(district.first)
    finding_of(district.first)
    response = signed_in(district.bureau).get(reverse("findings:export_xlsx"), {"status": "all"}, follow=True)
    assert "共 2 个问题，一次最多导出 1 个" in response.content.decode()
    assert response.redirect_chain[0][0].endswith("?status=all")


# ---- summary and audits


def test_the_summary_counts_by_rule_school_and_day(district: District, mixed: dict[str, Finding]) -> None:
    response = signed_in(district.bureau).get(reverse("findings:summary"))
    by_rule = {each.value: (each.pending, each.whole) for each, _ in response.context["rules"]}
    assert by_rule == {"homework.daily-total": (4, 5), "homework.no-punitive": (1, 1)}
    by_school = {name: each.whole for each, name in response.context["organisations"]}
    assert by_school == {"甲小学": 5, "乙小学": 1}
    assert {each.value: each.whole for each, _ in response.context["days"]} == {"workday": 5, "holiday": 1}
    only = signed_in(district.bureau).get(reverse("findings:summary"), {"first": WEDNESDAY.isoformat()})
    assert only.context["totals"]["whole"] == 1


def test_the_bureau_runs_the_audit_now_and_sees_how_far_it_is(district: District) -> None:
    record(district.first)
    client = signed_in(district.bureau)
    assert "还没有做过体检" in page(client, reverse("findings:runs"))
    address = client.post(reverse("findings:run_now")).headers["Location"]
    run = AuditRun.objects.get()
    assert run.started_by == district.bureau
    assert "排队中" in page(client, address)
    assert "已有一次体检在进行" in client.post(reverse("findings:run_now"), follow=True).content.decode()
    assert AuditRun.objects.count() == 1
    progress = reverse("findings:run_progress", args=[run.pk])
    run.take_up()
    run.tell_progress("判定班级一日作业", 3, 10)
    shown = page(client, progress)
    assert "判定班级一日作业" in shown
    assert 'value="30"' in shown
    run_audit(run.pk)
    assert client.get(progress).headers["HX-Redirect"] == address
    shown = page(client, address)
    assert "班级一日作业" in shown
    assert "工作日" in shown
    assert "现在体检" in page(client, reverse("findings:runs"))


def test_a_queue_that_nobody_works_at_is_told(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(district.bureau)
    address = client.post(reverse("findings:run_now")).headers["Location"]
    run = AuditRun.objects.get()
    AuditRun.objects.update(queued_at=run.queued_at.replace(year=2025))
    assert "后台任务程序可能没有运行" in page(client, address)


def test_a_failed_audit_says_why(district: District) -> None:
    run = AuditRun.objects.create(status=RunStatus.RUNNING, attempt=1)
    run.fail("数据库停了")
    shown = page(signed_in(district.bureau), reverse("findings:run", args=[run.pk]))
    assert "数据库停了" in shown
    assert "再做一次" in shown


# ---- the price of a page


def cost(user: User, address: str) -> int:
    client = signed_in(user)
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("who", [lambda each: each.bureau, lambda each: each.first.leader], ids=["bureau", "leader"])
def test_pages_cost_the_same_however_much_there_is(who: Callable[[District], User], district: District) -> None:
    user = who(district)
    finding = finding_of(district.first)
    correct(finding, by=district.first.leader, reason="一")
    addresses = [LIST, f"{LIST}?status=all&q=班", reverse("findings:finding", args=[finding.pk]), reverse("findings:export_xlsx")]
    if user.is_bureau:
        addresses += [reverse("findings:summary"), reverse("findings:runs"), reverse("findings:run", args=[finding.last_run_id])]
    few = [cost(user, address) for address in addresses]
    for number in range(25):
        correct(finding, by=district.first.leader, reason="又")
        finding_of(district.first, rule_id=f"homework.r{number}", kind="homework_item" if number % 2 else "class_day")
        finding_of(district.second)
        AuditRun.objects.create(status=RunStatus.DONE, ended_at=finding.found_at, started_by=district.bureau)
    assert [cost(user, address) for address in addresses] == few
    assert max(few) <= 16
