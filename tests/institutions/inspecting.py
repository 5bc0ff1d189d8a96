"""Builders of yearly inspections, for tests."""

from __future__ import annotations

import datetime

from qingdan.accounts.models import User
from qingdan.institutions.actions import inspections as acts
from qingdan.institutions.models import Inspection, InspectionCampaign
from tests.district import MONDAY

UNTIL = MONDAY + datetime.timedelta(days=14)


def start(by: User, **values: object) -> InspectionCampaign:
    """A campaign of all institutions that an officer may see, counted as its job would."""
    given = {"title": "2026年校外培训机构年检", "year": 2026, "category": "", "report_until": UNTIL}
    campaign = InspectionCampaign(**(given | values))
    acts.start_campaign(campaign, by=by)
    acts.count_known(campaign)
    return campaign


def report(inspection: Inspection, by: User, *, wanting: tuple[str, ...] = ()) -> Inspection:
    """The institution says that it meets everything but the rules in ``wanting``, and hands its report in."""
    for item in inspection.items.all():
        is_met = item.rule_id not in wanting
        acts.answer_item(item, answer=is_met, note="" if is_met else "正在办理", files=[], by=by)
    return acts.submit_report(inspection, by=by)


def check(inspection: Inspection, by: User, *, wanting: tuple[str, ...] = ()) -> None:
    """An officer finds everything met but the rules in ``wanting``."""
    for item in inspection.items.all():
        is_met = item.rule_id not in wanting
        acts.check_item(item, is_met=is_met, note="" if is_met else "现场未见", by=by)
