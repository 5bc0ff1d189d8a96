"""Yearly inspections: institutions report, officers check, results have consequences."""

from __future__ import annotations

import datetime
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook
from procrastinate.contrib.django import app

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.institutions.actions import inspections as acts
from qingdan.institutions.models import Inspection, InspectionEvidence, Institution, Listing
from qingdan.judging.law import current_law
from qingdan.notices.models import Notice
from tests.district import MONDAY, District, make_user, signed_in
from tests.institutions.inspecting import UNTIL, check, report, start
from tests.institutions.making import make_institution

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 32
FILED = "institutions.staff-filed"


@pytest.fixture
def inspection(district: District, institution: Institution, operator: User) -> Inspection:
    """The institution's inspection in this year's campaign."""
    start(district.bureau)
    return Inspection.objects.get(institution=institution)


def at(day: datetime.date, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is another day."""
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: day)


def words(response: Any) -> str:
    """A page's text."""
    return str(response.content.decode())


# The report.


def test_an_institution_answers_item_by_item_and_hands_in(inspection: Inspection, operator: User) -> None:
    client = signed_in(operator)
    item = inspection.items.get(rule_id=FILED)
    url = reverse("institutions:inspection_item_report", args=[item.pk])
    files = [SimpleUploadedFile("备案回执.png", PNG), SimpleUploadedFile("名单.png", PNG)]
    response = client.post(url, {"answer": "yes", "note": "已全部备案", "evidence": files}, headers={"HX-Request": "true"})
    assert "已保存" in words(response)
    assert 'hx-swap-oob="true"' in words(response)
    item.refresh_from_db()
    assert (item.self_answer, item.self_note) == (True, "已全部备案")
    assert item.evidence.count() == 2
    assert "项没有自查" in words(client.post(reverse("institutions:inspection_submit", args=[inspection.pk]), follow=True))
    # Without a script the page comes back at the item.
    assert client.post(url, {"answer": "yes", "note": ""}).url.endswith(f"#item-{item.pk}")  # type: ignore[attr-defined]
    report(inspection, operator)
    inspection.refresh_from_db()
    assert inspection.state == "reported"
    assert client.post(url, {"answer": "no", "note": "改了"}).status_code == 400
    item.refresh_from_db()
    assert item.self_answer is True


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"answer": "no", "note": " "}, "不符合的项目请写明情况"),
        ({"answer": "maybe"}, "maybe"),
        ({"answer": "yes", "evidence": ("假.png", b"no picture")}, "不是可以收的文件"),
        ({"answer": "yes", "evidence": ("空.png", b"")}, "是空的"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_with_what_to_do(
    inspection: Inspection, operator: User, sent: dict[str, Any], said: str
) -> None:
    item = inspection.items.all()[0]
    url = reverse("institutions:inspection_item_report", args=[item.pk])

    def data() -> dict[str, Any]:
        return sent | ({"evidence": SimpleUploadedFile(*sent["evidence"])} if "evidence" in sent else {})

    response = signed_in(operator).post(url, data())
    assert response.status_code == 400
    assert said in words(response)
    assert said in words(signed_in(operator).post(url, data(), headers={"HX-Request": "true"}))
    item.refresh_from_db()
    assert item.self_answer is None
    assert not InspectionEvidence.objects.exists()


def test_evidence_is_read_by_both_sides_and_deleted_only_while_the_report_is_open(
    district: District, inspection: Inspection, operator: User
) -> None:
    item = inspection.items.all()[0]
    signed_in(operator).post(
        reverse("institutions:inspection_item_report", args=[item.pk]), {"answer": "yes", "evidence": SimpleUploadedFile("证.png", PNG)}
    )
    file = InspectionEvidence.objects.get()
    response = signed_in(district.bureau).get(reverse("institutions:inspection_evidence", args=[file.pk]))
    assert response.content == PNG
    assert response["Content-Disposition"].startswith("attachment")
    report(inspection, operator)
    delete = reverse("institutions:inspection_evidence_delete", args=[file.pk])
    signed_in(operator).post(delete)
    assert InspectionEvidence.objects.exists()
    Inspection.objects.update(state="waiting")
    signed_in(operator).post(delete)
    assert not InspectionEvidence.objects.exists()


# The check.


def test_officers_wait_for_the_report_or_its_last_day(district: District, inspection: Inspection, monkeypatch: pytest.MonkeyPatch) -> None:
    url = reverse("institutions:inspection_item_check", args=[inspection.items.all()[0].pk])
    client = signed_in(district.bureau)
    assert "机构还在自查" in words(client.post(url, {"answer": "yes"}))
    at(UNTIL + datetime.timedelta(days=1), monkeypatch)
    assert client.post(url, {"answer": "yes"}).status_code == 302


def test_an_inspection_is_checked_and_passed_and_counts_for_the_law(district: District, inspection: Inspection, operator: User) -> None:
    Institution.objects.update(registered_on=datetime.date(2023, 3, 1))
    rule = "institutions.annual-inspection"
    assert breaches(inspection.institution, rule) == 1
    report(inspection, operator)
    client = signed_in(district.bureau)
    item = inspection.items.get(rule_id="institutions.real-name")
    answer = client.post(
        reverse("institutions:inspection_item_check", args=[item.pk]), {"answer": "yes", "note": ""}, headers={"HX-Request": "true"}
    )
    assert "已保存" in words(answer)
    conclude = reverse("institutions:inspection_conclude", args=[inspection.pk])
    assert "项没有核查" in words(client.post(conclude, {"result": "passed"}))
    known = inspection.items.filter(known_breaches__gt=0)
    assert known.exists()
    client.post(reverse("institutions:inspection_rest_met", args=[inspection.pk]))
    # What the records speak against is never taken for met by the dozen.
    assert set(inspection.items.filter(is_met=None)) == set(known)
    check(inspection, district.bureau)
    client.post(conclude, {"result": "passed", "conclusion": "材料齐全"})
    inspection.refresh_from_db()
    assert (inspection.state, inspection.inspected_on) == ("passed", MONDAY)
    assert breaches(inspection.institution, rule) == 0
    assert list(Inspection.objects.concluded()) == [inspection]
    assert "合格" in Notice.objects.filter(user=operator).latest("pk").text
    assert client.post(reverse("institutions:inspection_item_check", args=[item.pk]), {"answer": "yes"}).status_code == 400


def breaches(institution: Institution, rule: str) -> int:
    """Of the facts of today in the register."""
    judged = current_law().judge_touched("institution", organisation_id=institution.pk)
    return sum(finding.rule.id == rule for each in judged for finding in each.breaches)


@pytest.mark.parametrize(
    ("wanting", "sent", "said"),
    [
        ((), {"result": "failed", "conclusion": "差"}, "没有一项核查不符合"),
        ((FILED,), {"result": "passed"}, "不能判定合格"),
        ((FILED,), {"result": "to_correct"}, "限期整改要写明期限"),
        ((FILED,), {"result": "to_correct", "correct_until": MONDAY.isoformat()}, "期限要在今天之后"),
        ((FILED,), {"result": "failed"}, "要写明理由"),
        ((FILED,), {"result": ""}, "请填写结论"),
    ],
)
def test_a_result_that_the_items_do_not_bear_is_refused(
    district: District, inspection: Inspection, operator: User, wanting: tuple[str, ...], sent: dict[str, str], said: str
) -> None:
    report(inspection, operator)
    check(inspection, district.bureau, wanting=wanting)
    response = signed_in(district.bureau).post(reverse("institutions:inspection_conclude", args=[inspection.pk]), sent)
    assert response.status_code == 400
    assert said in words(response)
    inspection.refresh_from_db()
    assert inspection.state == "reported"


def test_a_failed_check_of_an_item_is_explained(district: District, inspection: Inspection, operator: User) -> None:
    report(inspection, operator)
    url = reverse("institutions:inspection_item_check", args=[inspection.items.all()[0].pk])
    response = signed_in(district.bureau).post(url, {"answer": "no", "note": ""})
    assert response.status_code == 400
    assert "核查不符合的项目要写明情况" in words(response)


# What follows.


@pytest.fixture
def to_correct(district: District, inspection: Inspection, operator: User) -> Inspection:
    """The institution has a week to file its staff."""
    report(inspection, operator)
    check(inspection, district.bureau, wanting=(FILED,))
    until = MONDAY + datetime.timedelta(days=7)
    return acts.conclude(inspection, result="to_correct", conclusion="请备案", correct_until=until, by=district.bureau)


def test_a_correction_is_shown_and_checked_again(district: District, to_correct: Inspection, operator: User) -> None:
    client = signed_in(operator)
    met, wanting = to_correct.items.filter(is_met=True)[0], to_correct.items.get(rule_id=FILED)
    assert client.post(reverse("institutions:inspection_item_report", args=[met.pk]), {"answer": "yes"}).status_code == 400
    client.post(
        reverse("institutions:inspection_item_report", args=[wanting.pk]),
        {"answer": "yes", "note": "已备案", "evidence": SimpleUploadedFile("回执.png", PNG)},
    )
    url = reverse("institutions:inspection_corrected", args=[to_correct.pk])
    assert "请填写整改说明" in words(client.post(url, {"note": " "}))
    client.post(url, {"note": "三名教师已备案"})
    assert "请复查" in Notice.objects.filter(user=district.bureau).latest("pk").text
    assert list(Inspection.objects.to_check()) == [to_correct]
    page = words(signed_in(district.bureau).get(reverse("institutions:inspection", args=[to_correct.pk])))
    assert "三名教师已备案" in page
    acts.check_item(wanting, is_met=True, note="", by=district.bureau)
    acts.conclude(to_correct, result="passed", conclusion="已改正", by=district.bureau)
    to_correct.refresh_from_db()
    assert (to_correct.state, to_correct.correct_until, to_correct.corrected_at) == ("passed", None, None)


def test_an_overdue_correction_fails_once_and_one_that_was_reported_waits_for_the_officer(
    district: District, to_correct: Inspection, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(MONDAY + datetime.timedelta(days=7), monkeypatch)
    assert acts.fail_overdue() == 0
    at(MONDAY + datetime.timedelta(days=8), monkeypatch)
    Inspection.objects.update(corrected_at="2026-11-20T08:00:00+08:00", correction_note="好了")
    assert acts.fail_overdue() == 0
    Inspection.objects.update(corrected_at=None)
    assert acts.fail_overdue() == 1
    assert acts.fail_overdue() == 0
    to_correct.refresh_from_db()
    assert to_correct.state == "failed"
    assert to_correct.conclusion == "请备案；逾期未完成整改，自动转为不合格"
    for user in (operator, district.bureau):
        assert Notice.objects.filter(user=user, occasion__startswith="inspection-overdue").count() == 1


def test_reports_and_corrections_are_reminded_of_once_before_and_once_after_their_day(
    inspection: Inspection, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reminders() -> int:
        acts.remind()
        return Notice.objects.filter(user=operator, occasion__startswith="inspection-due").count()

    assert reminders() == 0
    at(UNTIL - datetime.timedelta(days=acts.REMINDED_DAYS_AHEAD), monkeypatch)
    assert [reminders(), reminders()] == [1, 1]
    at(UNTIL + datetime.timedelta(days=1), monkeypatch)
    assert [reminders(), reminders()] == [2, 2]


def test_both_jobs_run_every_day() -> None:
    jobs = {each.task.name: each.cron for each in app.periodic_registry.periodic_tasks.values()}
    # UTC: twenty past midnight and eight in the morning in China.
    assert jobs["institutions.fail_overdue_corrections"] == "20 16 * * *"
    assert jobs["institutions.remind_of_inspections"] == "0 0 * * *"


@pytest.fixture
def failed(district: District, inspection: Inspection, operator: User) -> Inspection:
    """The institution has failed."""
    report(inspection, operator, wanting=(FILED,))
    check(inspection, district.bureau, wanting=(FILED,))
    return acts.conclude(inspection, result="failed", conclusion="多名教师未备案", by=district.bureau)


def test_a_failed_institution_is_suspended_and_black_listed_with_a_reason(
    district: District, failed: Inspection, institution: Institution
) -> None:
    client = signed_in(district.bureau)
    suspend, blacklist = (reverse(f"institutions:inspection_{each}", args=[failed.pk]) for each in ("suspend", "blacklist"))
    assert client.post(suspend, {"reason": ""}).status_code == 400
    page = words(client.get(reverse("institutions:inspection", args=[failed.pk])))
    assert "2026年校外培训机构年检不合格：多名教师未备案" in page
    client.post(suspend, {"reason": "年检不合格"})
    client.post(blacklist, {"reason": "年检不合格"})
    institution.refresh_from_db()
    assert (institution.state, institution.state_reason) == ("suspended", "年检不合格")
    assert (Listing.objects.get().colour, Listing.objects.get().reason) == ("black", "年检不合格")
    # A second click finds the list taken.
    assert "同一时间只能在一个名单上" in words(client.post(blacklist, {"reason": "再来"}, follow=True))


def test_only_who_failed_is_suspended_here(district: District, inspection: Inspection, institution: Institution) -> None:
    url = reverse("institutions:inspection_suspend", args=[inspection.pk])
    assert "只有年检不合格的机构" in words(signed_in(district.bureau).post(url, {"reason": "x"}, follow=True))
    institution.refresh_from_db()
    assert institution.state == "active"


def test_a_result_is_taken_back_and_checked_again(district: District, failed: Inspection, operator: User) -> None:
    signed_in(district.bureau).post(reverse("institutions:inspection_reopen", args=[failed.pk]))
    failed.refresh_from_db()
    assert (failed.state, failed.inspected_on, failed.conclusion) == ("reported", None, "")
    assert failed.items.filter(is_met=False).count() == 1
    assert "重新核查" in Notice.objects.filter(user=operator).latest("pk").text


# Pages.


def test_an_institution_sees_no_officers_name_and_no_other_institution(district: District, failed: Inspection, operator: User) -> None:
    User.objects.filter(pk=district.bureau.pk).update(display_name="检查员甲")
    page = words(signed_in(operator).get(reverse("institutions:inspection", args=[failed.pk])))
    assert "现场未见" in page
    assert "检查员甲" not in page
    stranger = make_user("stranger", Role.INSTITUTION, make_institution(district.region).organisation)
    assert signed_in(stranger).get(reverse("institutions:inspection", args=[failed.pk])).status_code == 404
    assert "还没有年检" in words(signed_in(stranger).get(reverse("institutions:inspections")))


def test_the_campaign_is_narrowed_and_exported(district: District, failed: Inspection) -> None:
    other = make_institution(district.region, "示例舞蹈中心")
    acts.extend_campaign(failed.campaign, by=district.bureau)
    client = signed_in(district.bureau)
    url = reverse("institutions:inspection_campaign", args=[failed.campaign_id])
    for asked, is_failed_listed in (
        ("state=failed", True),
        ("state=waiting", False),
        ("q=舞蹈", False),
        ("known=none", False),
        ("state=late", None),
    ):
        part = words(client.get(f"{url}?{asked}", headers={"HX-Request": "true"}))
        assert (failed.institution.name in part) is bool(is_failed_listed), asked
    assert other.name in words(client.get(url))
    response = client.get(reverse("institutions:inspection_campaign_export", args=[failed.campaign_id]) + "?state=failed")
    rows = list(load_workbook(io.BytesIO(response.content)).active.iter_rows(values_only=True))
    assert len(rows) == 2
    assert rows[1][0] == failed.institution.name
    assert "多名教师未备案" in rows[1]


@pytest.mark.parametrize("page", ["campaign", "inspection", "own"])
def test_pages_ask_the_database_no_more_for_more_rows(district: District, institution: Institution, operator: User, page: str) -> None:
    campaign = start(district.bureau)
    inspection = Inspection.objects.get()
    user = operator if page == "own" else district.bureau
    url = {
        "campaign": reverse("institutions:inspection_campaign", args=[campaign.pk]),
        "inspection": reverse("institutions:inspection", args=[inspection.pk]),
        "own": reverse("institutions:inspections"),
    }[page]
    inspection.items.exclude(pk=inspection.items.all()[0].pk).delete()

    def queries() -> int:
        client = signed_in(user)
        client.get(url)
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert client.get(url).status_code == 200
        return len(caught)

    few = queries()
    for _ in range(5):
        make_institution(district.region)
    acts.extend_campaign(campaign, by=district.bureau)
    for year in (2025, 2024):
        start(district.bureau, year=year, title=f"{year}年年检")
    for each in range(8):
        item = inspection.items.create(rule_id=f"x.{each}", title="项目", cites=[])
        InspectionEvidence.objects.create(item=item, name="a.png", content_type="image/png", size_bytes=1, content=b"1")
    assert queries() == few
