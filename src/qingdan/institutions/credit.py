"""An institution's credit: no score, but what stands on record, said in sentences that anybody can check on the same page."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from qingdan.institutions.enums import InspectionState, ListColour
from qingdan.institutions.models import Inspection, Listing
from qingdan.institutions.oversight import SettledFinding


def credit_of(
    listings: Iterable[Listing], inspections: Sequence[Inspection], settled: Sequence[SettledFinding], day: datetime.date
) -> list[str]:
    """The record in sentences: lists now and before, the last inspection (``inspections`` latest first), closed breaches."""
    return [_of_lists(list(listings), day), _of_inspections(inspections), _of_findings(settled)]


def _of_lists(listings: list[Listing], day: datetime.date) -> str:
    now = next((each for each in listings if each.since <= day and (each.until is None or day < each.until)), None)
    before = sum(each.colour == ListColour.BLACK and each is not now for each in listings)
    said = f"现在在{now.get_colour_display()}上（{now.since} 列入）" if now else "现在不在黑白名单上"
    return f"{said}，曾列入黑名单 {before} 次。" if before else f"{said}。"


def _of_inspections(inspections: Sequence[Inspection]) -> str:
    if not inspections:
        return "还没有年检结果。"
    last = inspections[0]
    failed = sum(each.state == InspectionState.FAILED for each in inspections)
    said = f"最近一次年检（{last.campaign.year} 年）：{last.get_state_display()}"
    return f"{said}；历次不合格 {failed} 次。" if failed else f"{said}。"


def _of_findings(settled: Sequence[SettledFinding]) -> str:
    if not settled:
        return "没有已办结的违规记录。"
    return f"已办结的违规 {len(settled)} 件，最近一件办结于 {settled[0].settled_on}。"
