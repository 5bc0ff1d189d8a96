"""What the database itself refuses of inspections, advertisements and activities, and in which words."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.utils import timezone

from qingdan.institutions.models import (
    Activity,
    Advertisement,
    Inspection,
    InspectionCampaign,
    InspectionEvidence,
    InspectionItem,
    Institution,
)
from tests.district import MONDAY, District
from tests.institutions.test_constraints_staff_courses import refuses


@pytest.fixture
def inspection(district: District, institution: Institution) -> Inspection:
    """An institution in a campaign."""
    campaign = InspectionCampaign.objects.create(
        bureau=district.bureau.employer, title="2026年年检", year=2026, report_until=MONDAY, created_by=district.bureau
    )
    return Inspection.objects.create(campaign=campaign, institution=institution)


def item(inspection: Inspection, **values: Any) -> InspectionItem:
    """A requirement of the list, not saved."""
    given = {"rule_id": "institutions.licensed", "title": "证照齐全", "cites": [{"clause": "x", "text": "y"}]}
    return InspectionItem(inspection=inspection, **(given | values))


def test_a_campaign_is_once_a_year_for_a_category(inspection: Inspection) -> None:
    again = InspectionCampaign.objects.get()
    again.pk, again._state.adding = None, True
    refuses(again, "campaign_once_a_year", "年检已经发起")


def test_an_institution_is_inspected_once_in_a_campaign(inspection: Inspection) -> None:
    inspection.pk, inspection._state.adding = None, True
    refuses(inspection, "inspection_once_per_campaign", "已在本次年检中")


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("inspection_correction_has_a_day", {"state": "to_correct", "inspected_on": MONDAY}, "限期整改要写明期限"),
        ("inspection_result_is_signed", {"state": "passed"}, "年检结论要有核查人和日期"),
    ],
)
def test_a_result_is_whole(district: District, inspection: Inspection, name: str, values: dict[str, Any], words: str) -> None:
    for each, value in values.items():
        setattr(inspection, each, value)
    if "inspected_on" in values:
        inspection.inspected_by = district.bureau
    refuses(inspection, name, words)


def test_items(inspection: Inspection) -> None:
    item(inspection).save()
    refuses(item(inspection), "inspection_item_once", "这一项已在清单里")
    refuses(item(inspection, rule_id="institutions.real-name", is_met=False), "inspection_item_failed_is_explained", "要写明情况")


def test_evidence_is_not_empty(inspection: Inspection) -> None:
    required = item(inspection)
    required.save()
    empty = InspectionEvidence(item=required, name="a.pdf", content_type="application/pdf", size_bytes=0, content=b"")
    refuses(empty, "inspection_evidence_is_not_empty", "文件是空的")


def test_an_advertisement_says_where_and_what(district: District, institution: Institution) -> None:
    seen = {"category": "academic", "found_on": datetime.date(2026, 11, 1), "medium": "residential", "recorded_by": district.bureau}
    nowhere = Advertisement(institution=institution, location="", text="暑期班", **seen)
    refuses(nowhere, "advertisement_has_place_and_text", "位置和内容")


def test_an_activity_has_a_name(district: District, institution: Institution) -> None:
    nameless = Activity(
        institution=institution,
        name="",
        held_on=MONDAY,
        kind="competition",
        category="academic",
        role="organise",
        audience="compulsory",
        recorded_by=district.bureau,
    )
    refuses(nameless, "activity_has_a_name", "请写明活动名称")


def test_only_what_is_to_be_corrected_is_reported_as_corrected(inspection: Inspection) -> None:
    inspection.corrected_at = timezone.now()
    refuses(inspection, "inspection_corrects_what_was_found", "只有限期整改")


def test_a_withdrawal_is_explained(district: District, institution: Institution) -> None:
    common: dict[str, Any] = {"institution": institution, "category": "academic", "recorded_by": district.bureau}
    withdrawn: dict[str, Any] = {"withdrawn_at": timezone.now(), "withdrawn_by": district.bureau}
    seen = Advertisement(found_on=MONDAY, medium="residential", location="某小区", text="暑期班", **common, **withdrawn)
    refuses(seen, "advertisement_withdrawal_is_explained", "撤销记录要写明理由")
    held = Activity(name="赛", held_on=MONDAY, kind="competition", role="organise", audience="compulsory", **common, **withdrawn)
    refuses(held, "activity_withdrawal_is_explained", "撤销记录要写明理由")
