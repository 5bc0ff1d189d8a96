"""What the public reads of an institution's record: closed breaches with clause and days, and nothing that is not proven."""

from __future__ import annotations

import datetime

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.findings.actions import confirm, correct
from qingdan.institutions.models import Inspection, InspectionCampaign, Institution, Listing
from qingdan.institutions.oversight import settled_findings
from qingdan.policy.packs import default_pack
from tests.district import MONDAY, District
from tests.institutions.finding import make_finding


def page_of(institution: Institution) -> str:
    """What anybody reads."""
    return Client().get(reverse("directory:institution", args=[institution.pk])).content.decode()


def test_a_closed_breach_is_shown_with_clause_and_days(district: District, institution: Institution, operator: User) -> None:
    finding = make_finding(institution.organisation, sentence="周某某 没有备案")
    correct(finding, by=operator, reason="已为周某某补办备案")
    assert "没有已办结的违规" in page_of(institution)
    finding.refresh_from_db()
    confirm(finding, by=district.bureau, reason="周某某已备案")
    page = page_of(institution)
    clause = default_pack().rules[finding.rule_id].cites[0]
    day = timezone.localdate().isoformat()
    for said in ("已办结的违规 <small>1 件</small>", finding.title, reverse("library:clause", args=[clause]), f"{day} 发现", f"{day} 办结"):
        assert said in page, said
    assert f"已办结的违规 1 件，最近一件办结于 {day}。" in page
    # Neither people nor what anybody wrote.
    assert "周某某" not in page


def test_nothing_open_disputed_withdrawn_or_gone_is_shown(institution: Institution) -> None:
    for status in ("open", "corrected", "disputed", "withdrawn", "gone"):
        make_finding(institution.organisation, status=status, title=f"标题{status}", decided_at=timezone.now())
    page = page_of(institution)
    assert "标题" not in page.partition("<main")[2]
    assert "没有已办结的违规记录。" in page
    assert settled_findings(institution.pk) == []


def test_only_the_own_ones_and_a_clause_that_is_gone_has_no_link(district: District, institution: Institution) -> None:
    cites = [{"clause": "s0.no-longer-there", "text": "旧条款"}]
    make_finding(institution.organisation, status="settled", decided_at=timezone.now(), title="本机构的", cites=cites)
    make_finding(district.first.school.organisation, status="settled", decided_at=timezone.now(), title="学校的")
    page = page_of(institution)
    assert "本机构的" in page
    assert "依据：旧条款" in page
    assert "学校的" not in page


def test_credit_sums_up_lists_and_inspections(district: District, institution: Institution) -> None:
    assert "现在不在黑白名单上。" in page_of(institution)
    assert "还没有年检结果。" in page_of(institution)
    day = datetime.timedelta(days=1)
    given = {"institution": institution, "decided_by": district.bureau}
    Listing.objects.create(
        **given, colour="black", since=MONDAY - 30 * day, until=MONDAY - 9 * day, reason="虚假宣传", removal_reason="已改"
    )
    assert "现在不在黑白名单上，曾列入黑名单 1 次。" in page_of(institution)
    Listing.objects.create(**given, colour="white", since=MONDAY, reason="连续合格")
    assert "现在在白名单上（2026-11-16 列入），曾列入黑名单 1 次。" in page_of(institution)
    for year, state in ((2024, "failed"), (2025, "passed")):
        campaign = InspectionCampaign.objects.create(
            bureau=district.bureau.employer, title=f"{year}", year=year, report_until=MONDAY, created_by=district.bureau
        )
        Inspection.objects.create(
            campaign=campaign, institution=institution, state=state, inspected_on=MONDAY, inspected_by=district.bureau
        )
    assert "最近一次年检（2025 年）：合格；历次不合格 1 次。" in page_of(institution)


def test_as_many_queries_for_few_as_for_many(institution: Institution) -> None:
    counts = []
    for number in (1, 30):
        for _ in range(number):
            make_finding(institution.organisation, status="settled", decided_at=timezone.now())
        with CaptureQueriesContext(connection) as seen:
            page_of(institution)
        counts.append(len(seen))
    page = page_of(institution)
    assert counts[0] == counts[1]
    assert "31 件" in page
    assert "这里列出最近的 20 件" in page


def test_the_directory_leads_to_notices_and_to_the_law(db: None) -> None:
    page = Client().get(reverse("directory:home")).content.decode()
    for address in (reverse("institutions:applications_public"), reverse("library:rules")):
        assert address in page
