"""What supervision saw: last year's inspection, this year's half done, advertisements and activities."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from qingdan.accounts.models import User
from qingdan.demo.calendar import at
from qingdan.demo.institutions.plan import InstitutionPlan, Plant
from qingdan.demo.institutions.registry import Loaded
from qingdan.demo.plan import REGION_CODE, seeded
from qingdan.institutions.actions.advertising import record_activity, record_advertisement
from qingdan.institutions.actions.inspections import count_known, start_campaign
from qingdan.institutions.enums import ActivityKind, ActivityRole, AdMedium, InspectionState, TrainingAudience
from qingdan.institutions.models import Activity, Advertisement, Inspection, InspectionCampaign, InspectionItem

_DAY = datetime.timedelta(days=1)
#: How far last year's inspection lies back: near enough for the law, also after the district has been topped up.
_LAST_INSPECTED = 190
#: With so many requirements missed nobody is asked to correct any more.
_GRAVE = 4
_ANSWERED = "已逐条对照，材料存机构备查"
_FOUND = "现场查看与记录不符，已当面指出"


def write_last_inspection(loaded: Sequence[Loaded], day: datetime.date, *, by: User) -> None:
    """The inspection of last year: whoever taught then passed, but for those that were overlooked."""
    until = day - (_LAST_INSPECTED + 30) * _DAY
    campaign = InspectionCampaign.objects.create(
        bureau=by.employer, title=f"{day.year - 1}年度校外培训机构年检", year=day.year - 1, report_until=until, created_by=by
    )
    InspectionCampaign.objects.filter(pk=campaign.pk).update(created_at=at(until - 40 * _DAY, 9))
    Inspection.objects.bulk_create(
        Inspection(
            campaign=campaign, institution=each.institution, state=InspectionState.PASSED,
            reported_at=at(until - each.plan.number % 25 * _DAY, 14),
            inspected_on=day - (_LAST_INSPECTED - each.plan.number % 20) * _DAY, inspected_by=each.officer, conclusion="各项符合",
        )
        for each in loaded
        if _was_inspected(each.plan)
    )  # fmt: skip


def _was_inspected(plan: InstitutionPlan) -> bool:
    is_there = plan.region_code == REGION_CODE and plan.closed_on is None
    return is_there and not plan.plants & {Plant.UNLICENSED, Plant.NOT_INSPECTED}


def start_inspection(loaded: Sequence[Loaded], day: datetime.date, *, by: User) -> None:
    """The inspection of this year: started three weeks ago, half of the institutions seen."""
    campaign = InspectionCampaign(title=f"{day.year}年度校外培训机构年检", year=day.year, report_until=day + 10 * _DAY)
    start_campaign(campaign, by=by)
    count_known(campaign)
    InspectionCampaign.objects.filter(pk=campaign.pk).update(created_at=at(day - 21 * _DAY, 9))
    plans = {each.institution.pk: each for each in loaded}
    inspections = list(Inspection.objects.filter(campaign=campaign).prefetch_related("items").order_by("institution_id"))
    failed: list[InspectionItem] = []
    for number, inspection in enumerate(inspections):
        # One that has only just got its first permit is none of those planned, and has not begun.
        if (each := plans.get(inspection.institution_id)) is not None:
            failed += _step(inspection, number, each, day)
    Inspection.objects.bulk_update(inspections, ["state", "reported_at", "inspected_on", "inspected_by", "correct_until", "conclusion"])
    items = InspectionItem.objects.filter(inspection__campaign=campaign)
    items.exclude(inspection__reported_at=None).update(self_answer=True, self_note=_ANSWERED)
    items.exclude(inspection__inspected_on=None).update(is_met=True)
    items.filter(pk__in=[item.pk for item in failed]).update(is_met=False, note=_FOUND)


def _step(inspection: Inspection, number: int, each: Loaded, day: datetime.date) -> list[InspectionItem]:
    """How far one institution is, and what it failed: every second has been seen, of the others some have reported.

    Who was overlooked still is.
    """
    if number % 4 == 3 or each.plan.has(Plant.NOT_INSPECTED):
        return []
    inspection.state, inspection.reported_at = InspectionState.REPORTED, at(day - (2 + number % 9) * _DAY, 16)
    if number % 2:
        return []
    items = list(inspection.items.all())
    failed = [item for item in items if item.known_breaches][:_GRAVE] or (items[:1] if number % 12 == 6 else [])
    inspection.inspected_on, inspection.inspected_by = day - (1 + number // 2 % 2) * _DAY, each.officer
    if len(failed) == _GRAVE:
        inspection.state, inspection.conclusion = InspectionState.FAILED, "多项不符合，性质严重"
    elif failed:
        inspection.state, inspection.conclusion = InspectionState.TO_CORRECT, "限期整改后复查"
        inspection.correct_until = day + 15 * _DAY
    else:
        inspection.state, inspection.conclusion = InspectionState.PASSED, "各项符合"
    return failed


def write_advertising(loaded: Sequence[Loaded], day: datetime.date) -> None:
    """What officers saw and wrote down, judged as they do it."""
    for each in loaded:
        for advertisement in _advertisements(each, day):
            record_advertisement(advertisement, photo=None, by=each.officer)
        for activity in _activities(each, day):
            record_activity(activity, by=each.officer)


def _advertisements(each: Loaded, day: datetime.date) -> Iterator[Advertisement]:
    plan, chance = each.plan, seeded("advertisement", each.plan.number)
    found = day - (3 + int(chance.random() * 40)) * _DAY
    given = {"institution": each.institution, "category": plan.category, "found_on": found}
    if plan.has(Plant.ACADEMIC_AD):
        yield Advertisement(medium=AdMedium.RESIDENTIAL, location=f"{plan.street}示例小区宣传栏", text="数学提高班招生，名额有限", **given)
        text = "跟着我们学，成绩不用愁"
        yield Advertisement(
            medium=AdMedium.NEW_MEDIA, location="示例短视频号", text=text, exaggerates_effect=True, causes_anxiety=True, **given
        )
    if plan.has(Plant.FALSE_AD):
        text = "全市第一名师团队，三个月必进专业队"
        yield Advertisement(
            medium=AdMedium.ONLINE_PLATFORM, location="示例生活平台店铺页", text=text, is_false=True, exaggerates_effect=True, **given
        )
    if plan.teaches and plan.number % 13 == 3 and plan.region_code == REGION_CODE:
        yield Advertisement(medium=AdMedium.OWN_PREMISES, location="门店橱窗", text="周末体验课，每次 60 元，欢迎家长陪同", **given)


def _activities(each: Loaded, day: datetime.date) -> Iterator[Activity]:
    plan, chance = each.plan, seeded("activity", each.plan.number)
    given = {
        "institution": each.institution, "held_on": day - (5 + int(chance.random() * 45)) * _DAY, "category": plan.category,
        "audience": plan.audience,
    }  # fmt: skip
    if plan.has(Plant.CONTEST):
        name = "“示例杯”数学能力邀请赛"
        yield Activity(
            name=name, kind=ActivityKind.COMPETITION, role=ActivityRole.ORGANISE, is_for_ranking=True, is_across_districts=True, **given
        )
    if plan.teaches and plan.number % 14 == 4 and plan.region_code == REGION_CODE and plan.audience != TrainingAudience.PRESCHOOL:
        yield Activity(name="学员作品汇报展示", kind=ActivityKind.OTHER, role=ActivityRole.ORGANISE, is_approved=True, **given)
