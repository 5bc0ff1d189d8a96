"""Yearly inspections, advertisements, activities: officers start, check and record; the institution answers and reads its own."""

from __future__ import annotations

from typing import Any

from qingdan.institutions.models import Activity, Advertisement, Inspection, InspectionCampaign, InspectionEvidence, Institution
from tests.district import MONDAY
from tests.institutions.inspecting import UNTIL
from tests.institutions.making import credit_code
from tests.rights.table import Row, World

_BOTH = {"institution": 200, "bureau": 200}
_STATES: dict[str, dict[str, Any]] = {
    "waiting": {},
    "reported": {},
    "to_correct": {"correct_until": UNTIL},
    "failed": {"conclusion": "不合格"},
}


def prepare(world: World) -> None:
    """The institution with an inspection in each state, an advertisement and an activity."""
    owner, region, by = world.institution.employer, world.district.region, world.district.bureau
    owner.region_code = region.code
    owner.save()
    institution = Institution.objects.create(
        organisation=owner, region=region, credit_code=credit_code(77_003), legal_person="王示例", registration="non_profit",
        category="non_academic", field="culture", audience="compulsory", department="culture", registered_on=MONDAY,
    )  # fmt: skip
    for number, (state, values) in enumerate(_STATES.items()):
        campaign = InspectionCampaign.objects.create(
            bureau=by.employer, title=f"{2026 - number}年检", year=2026 - number, report_until=UNTIL, created_by=by
        )
        signed = {"inspected_on": MONDAY, "inspected_by": by} if state in ("to_correct", "failed") else {}
        inspection = Inspection.objects.create(campaign=campaign, institution=institution, state=state, **signed, **values)
        item = inspection.items.create(rule_id="institutions.licensed", title="证照齐全", cites=[], self_answer=True)
        file = InspectionEvidence.objects.create(item=item, name="a.png", content_type="image/png", size_bytes=1, content=b"1")
        world.records |= {f"{state}_campaign": campaign.pk, state: inspection.pk, f"{state}_item": item.pk, f"{state}_file": file.pk}
    common: dict[str, Any] = {"institution": institution, "category": "academic", "recorded_by": by}
    world.records["advertisement"] = Advertisement.objects.create(
        found_on=MONDAY, medium="residential", location="某小区", text="班", photo=b"1", photo_name="a.png", photo_type="image/png",
        **common,
    ).pk  # fmt: skip
    world.records["activity"] = Activity.objects.create(
        name="赛", held_on=MONDAY, kind="competition", role="organise", audience="compulsory", **common
    ).pk  # fmt: skip


def _row(allowed: dict[str, int], key: str = "", method: str = "get", **data: str) -> Row:
    args = (lambda world: (world.records[key],)) if key else (lambda world: ())
    return Row(allowed, method, args=args, data=lambda world: data)


def _own(key: str, **data: str) -> Row:
    return _row({"institution": 302}, key, "post", **data)


def _officers(key: str, status: int = 302, **data: str) -> Row:
    return _row({"bureau": status}, key, "post", **data)


ROWS = {
    "institutions:inspections": _row(_BOTH),
    "institutions:inspection_campaign_new": _row({"bureau": 200}),
    "institutions:inspection_campaign": _row({"bureau": 200}, "waiting_campaign"),
    "institutions:inspection_campaign_export": _row({"bureau": 200}, "waiting_campaign"),
    "institutions:inspection_campaign_extend": _officers("waiting_campaign"),
    "institutions:inspection_campaign_cancel": _officers("waiting_campaign"),
    "institutions:inspection": _row(_BOTH, "waiting"),
    "institutions:inspection_submit": _own("waiting"),
    "institutions:inspection_corrected": _own("to_correct", note="已改正"),
    "institutions:inspection_rest_met": _officers("reported"),
    "institutions:inspection_conclude": _officers("reported", 400, result="failed"),
    "institutions:inspection_reopen": _officers("failed"),
    "institutions:inspection_suspend": _officers("failed", reason="不合格"),
    "institutions:inspection_blacklist": _officers("failed", reason="不合格"),
    "institutions:inspection_item_report": _own("waiting_item", answer="yes"),
    "institutions:inspection_item_check": _officers("reported_item", answer="yes"),
    "institutions:inspection_evidence": _row(_BOTH, "waiting_file"),
    "institutions:inspection_evidence_delete": _own("waiting_file"),
    "institutions:advertisements": _row(_BOTH),
    "institutions:advertisements_export": _row({"bureau": 200}),
    "institutions:advertisement_new": _row({"bureau": 200}),
    "institutions:advertisement_words": _row({"bureau": 200}, method="post", text="状元"),
    "institutions:advertisement": _row(_BOTH, "advertisement"),
    "institutions:advertisement_photo": _row(_BOTH, "advertisement"),
    "institutions:advertisement_withdraw": _officers("advertisement", reason="有误"),
    "institutions:activities": _row(_BOTH),
    "institutions:activities_export": _row({"bureau": 200}),
    "institutions:activity_new": _row({"bureau": 200}),
    "institutions:activity": _row(_BOTH, "activity"),
    "institutions:activity_withdraw": _officers("activity", reason="有误"),
}
