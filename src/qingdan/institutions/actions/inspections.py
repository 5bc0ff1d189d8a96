"""Yearly inspections: a campaign is started, institutions report on themselves, officers check, results have consequences."""

from __future__ import annotations

import datetime
import json
import logging
from collections import defaultdict
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.institutions.actions import registry
from qingdan.institutions.enums import InspectionState, InstitutionState, ListColour
from qingdan.institutions.models import Inspection, InspectionCampaign, InspectionEvidence, InspectionItem, Institution, Listing
from qingdan.institutions.requirements import Requirement, known_breaches, requirements
from qingdan.judging.law import current_law
from qingdan.notices.models import Notice
from qingdan.places.calendar import today
from qingdan.storage.files import FILES_MAX, ReadFile
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)

_S = InspectionState
#: Days before a deadline on which its institution is reminded; the product's own figure, no law's.
REMINDED_DAYS_AHEAD = 3
_OVERDUE = "逾期未完成整改，自动转为不合格"
_CONCLUSION_LENGTH_MAX = 500
_ITEMS = """
INSERT INTO institutions_inspectionitem (inspection_id, rule_id, title, cites, self_note, note)
SELECT i.id, r.item ->> 'rule_id', r.item ->> 'title', r.item -> 'cites', '', ''
FROM unnest(CAST(%s AS bigint[])) AS i (id)
    CROSS JOIN jsonb_array_elements(CAST(%s AS jsonb)) WITH ORDINALITY AS r (item, place)
ORDER BY i.id, r.place
"""


def _tell(institutions: Sequence[int], *, occasion: str, text: str, url: str) -> int:
    """Tell the people of institutions."""
    people = User.objects.filter(organisation__in=institutions, role=Role.INSTITUTION, is_active=True)
    return Notice.objects.send(people, occasion=occasion, text=text[:300], url=url)


def _checked_by(inspection: Inspection) -> list[User]:
    """Who checked, while still at work."""
    return [each for each in (inspection.inspected_by,) if each is not None and each.is_active]


def _page(inspection: Inspection) -> str:
    return reverse("institutions:inspection", args=[inspection.pk])


# A campaign.


@transaction.atomic
def start_campaign(campaign: InspectionCampaign, *, by: User) -> int:
    """Start a year's inspection of all active institutions that the officer may see; the number of institutions is returned.

    An institution that is in another campaign of the year already is left out: nobody is inspected twice.
    Raises ValidationError when the campaign does not fit or nobody is left.
    """
    campaign.bureau, campaign.created_by = by.employer, by
    if campaign.report_until < today():
        raise ValidationError({"report_until": "自查截止不能早于今天；请留出机构填报的时间"})
    campaign.full_clean(exclude=["bureau", "created_by"])
    campaign.validate_constraints()
    with in_words(InspectionCampaign):
        campaign.save()
    count = _enter(campaign, by=by)
    if not count:
        raise ValidationError("没有可以年检的机构：本辖区在册的这类机构都已在本年度的年检中，或还没有登记")
    log.info("inspection.started by=%s campaign=%s institutions=%s", by.pk, campaign.pk, count)
    return count


@transaction.atomic
def extend_campaign(campaign: InspectionCampaign, *, by: User) -> int:
    """Take in institutions that were registered since; how many."""
    _refuse_others(campaign, by)
    count = _enter(campaign, by=by)
    log.info("inspection.extended by=%s campaign=%s institutions=%s", by.pk, campaign.pk, count)
    return count


def _refuse_others(campaign: InspectionCampaign, by: User) -> None:
    if campaign.bureau_id != by.organisation_id:
        raise ValidationError(f"这次年检由{campaign.bureau}发起，请联系发起单位增减机构")


def _enter(campaign: InspectionCampaign, *, by: User) -> int:
    """Make inspections with their items for all who are to be in the campaign and are not.

    What the records say about each item takes seconds to judge: a job counts it (:func:`count_known`), so that nobody waits.
    """
    from qingdan.institutions.tasks import count_known_breaches

    day, law = today(), current_law()
    found = Institution.objects.visible_to(by).active().exclude(inspections__campaign__year=campaign.year)
    if campaign.category:
        found = found.filter(category=campaign.category)
    institutions = list(found.select_related("organisation").order_by("pk"))
    if not institutions:
        return 0

    inspections = Inspection.objects.bulk_create(Inspection(campaign=campaign, institution=each) for each in institutions)
    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    for inspection, institution in zip(inspections, institutions, strict=True):
        alike[institution.organisation.layer_code, institution.category].append(inspection.pk)
    for (place, category), keys in alike.items():
        _write_items(keys, requirements(law.pack, place=place, category=category, on=day))
    count_known_breaches.defer(campaign_id=campaign.pk)
    _tell(
        [each.pk for each in institutions],
        occasion=f"inspection-started:{campaign.pk}",
        text=f"{campaign.title}已开始，请在 {campaign.report_until:%Y-%m-%d} 前逐项自查并提交",
        url=reverse("institutions:inspections"),
    )
    return len(institutions)


def _write_items(inspections: Sequence[int], asked: Sequence[Requirement]) -> None:
    """The same list for each of many inspections, sent once: row by row their thousands of clauses take seconds to send."""
    rows = [{"rule_id": each.rule.id, "title": each.rule.title[:200], "cites": list(each.cites)} for each in asked]
    with connection.cursor() as cursor:
        cursor.execute(_ITEMS, [list(inspections), json.dumps(rows)])


def count_known(campaign: InspectionCampaign) -> int:
    """Count what the records say against each item that has no count yet; one judging pass for each kind. How many items.

    Judging writes nothing and holds nobody up; safe to run again.
    """
    uncounted = InspectionItem.objects.filter(inspection__campaign=campaign, known_breaches=None)
    items = list(uncounted.values_list("pk", "inspection__institution_id", "rule_id"))
    if not items:
        return 0
    known = known_breaches(current_law(), year=campaign.year, on=today())
    by_count: dict[int, list[int]] = defaultdict(list)
    for pk, institution, rule in items:
        by_count[known[institution, rule]].append(pk)
    with transaction.atomic():
        for count, keys in by_count.items():
            InspectionItem.objects.filter(pk__in=keys).update(known_breaches=count)
    log.info("inspection.counted campaign=%s items=%s", campaign.pk, len(items))
    return len(items)


@transaction.atomic
def cancel_campaign(campaign: InspectionCampaign, *, by: User) -> None:
    """Take back a campaign that was started by mistake, while no institution has answered anything."""
    _refuse_others(campaign, by)
    held = Inspection.objects.select_for_update(of=("self",)).filter(campaign=campaign)
    list(held)
    is_begun = Q(self_answer__isnull=False) | Q(is_met__isnull=False) | Q(evidence__isnull=False)
    touched = held.exclude(state=_S.WAITING).exists()
    if touched or InspectionItem.objects.filter(is_begun, inspection__campaign=campaign).exists():
        raise ValidationError("已有机构开始填报或已核查，不能撤销；可以逐家作出结论")
    log.info("inspection.cancelled by=%s campaign=%s", by.pk, campaign.pk)
    held.delete()
    campaign.delete()


# The institution's report.


def _locked(inspection: Inspection) -> Inspection:
    """Hold an inspection until the transaction ends, as it is now."""
    held = Inspection.objects.select_for_update(of=("self",)).select_related("campaign", "institution__organisation")
    return held.get(pk=inspection.pk)


def _of_institution(inspection: Inspection) -> Inspection:
    held = _locked(inspection)
    if not held.is_with_institution:
        raise ValidationError(f"这次年检现在是“{held.get_state_display()}”，自查内容不能再改；有补充请联系主管部门")
    return held


@transaction.atomic
def answer_item(item: InspectionItem, *, answer: bool | None, note: str, files: Sequence[ReadFile], by: User) -> InspectionItem:
    """An institution says whether it meets a requirement, and shows with what.

    While it corrects, only what was found wanting is open, and the note is replaced: what was found stands in ``note``.
    """
    held = _of_institution(item.inspection)
    if held.state == _S.TO_CORRECT and item.is_met is not False:
        raise ValidationError("整改期间只需补充核查不符合的项目")
    if answer is False and not note.strip():
        raise ValidationError("不符合的项目请写明情况和打算怎样整改")
    present = item.evidence.count()
    if present + len(files) > FILES_MAX:
        raise ValidationError(f"每项最多 {FILES_MAX} 个文件，已有 {present} 个；请先删去不要的，或合并成一个文件")
    item.self_answer, item.self_note = answer, note.strip()
    item.save(update_fields=["self_answer", "self_note"])
    for file in files:
        InspectionEvidence.objects.create(
            item=item, name=file.name, content_type=file.kind.content_type, size_bytes=len(file.content), content=file.content
        )
    log.info("inspection.answered by=%s item=%s answer=%s files=%s", by.pk, item.pk, answer, len(files))
    return item


@transaction.atomic
def delete_evidence(evidence: InspectionEvidence, *, by: User) -> None:
    """Take a file off, while the report is open."""
    held = _of_institution(evidence.item.inspection)
    if held.state == _S.TO_CORRECT and evidence.item.is_met is not False:
        raise ValidationError("核查已看过这些证据，不能删除")
    log.info("inspection.evidence_deleted by=%s item=%s evidence=%s", by.pk, evidence.item_id, evidence.pk)
    evidence.delete()


@transaction.atomic
def submit_report(inspection: Inspection, *, by: User) -> Inspection:
    """Hand in the report; every requirement has to be answered."""
    held = _locked(inspection)
    if held.state != _S.WAITING:
        raise ValidationError(f"这次年检现在是“{held.get_state_display()}”，不用再提交")
    if count := held.items.filter(self_answer=None).count():
        raise ValidationError(f"还有 {count} 项没有自查；请逐项选择“符合”或“不符合”后再提交")
    held.state, held.reported_at = _S.REPORTED, timezone.now()
    held.save(update_fields=["state", "reported_at"])
    log.info("inspection.reported by=%s inspection=%s", by.pk, held.pk)
    return held


@transaction.atomic
def report_correction(inspection: Inspection, *, note: str, by: User) -> Inspection:
    """The institution says that it has corrected what was found; the officer who checked is told."""
    held = _locked(inspection)
    if held.state != _S.TO_CORRECT or held.corrected_at is not None:
        raise ValidationError("没有等待整改的项目，或已经报告过整改完成")
    if not note.strip():
        raise ValidationError("请写明怎样整改的")
    held.corrected_at, held.correction_note = timezone.now(), note.strip()[:300]
    held.save(update_fields=["corrected_at", "correction_note"])
    Notice.objects.send(
        _checked_by(held),
        occasion=f"inspection-corrected:{held.pk}:{held.corrected_at.isoformat()}",
        text=f"{held.institution}报告年检整改完成，请复查"[:300],
        url=_page(held),
    )
    log.info("inspection.corrected by=%s inspection=%s", by.pk, held.pk)
    return held


# The officer's check.


def may_check(inspection: Inspection, day: datetime.date) -> bool:
    """Whether officers check now: after the report, or once it is late."""
    return inspection.state != _S.WAITING or inspection.campaign.report_until < day


def _to_check(inspection: Inspection) -> Inspection:
    held = _locked(inspection)
    if not may_check(held, today()):
        raise ValidationError(f"机构还在自查（{held.campaign.report_until:%Y-%m-%d} 截止），提交后或截止后再核查")
    return held


@transaction.atomic
def check_item(item: InspectionItem, *, is_met: bool | None, note: str, by: User) -> InspectionItem:
    """An officer writes down what the check of one requirement showed; a failed one is explained."""
    held = _to_check(item.inspection)
    if held.state in (_S.PASSED, _S.FAILED):
        raise ValidationError(f"已作出“{held.get_state_display()}”的结论；要改请先重新打开核查")
    if is_met is False and not note.strip():
        raise ValidationError("核查不符合的项目要写明情况")
    item.is_met, item.note = is_met, note.strip()
    with in_words(InspectionItem):
        item.save(update_fields=["is_met", "note"])
    log.info("inspection.checked by=%s item=%s is_met=%s", by.pk, item.pk, is_met)
    return item


@transaction.atomic
def meet_the_rest(inspection: Inspection, *, by: User) -> int:
    """Take for met what is unchecked, where the institution says so and the records show no breach; how many."""
    held = _to_check(inspection)
    if held.state in (_S.PASSED, _S.FAILED):
        raise ValidationError("已作出结论；要改请先重新打开核查")
    if held.items.filter(known_breaches=None).exists():
        raise ValidationError("系统还在核对这家机构的记录，请过一分钟再试，或逐项核查")
    count = held.items.filter(is_met=None, self_answer=True, known_breaches=0).update(is_met=True)
    log.info("inspection.rest_met by=%s inspection=%s items=%s", by.pk, held.pk, count)
    return count


@transaction.atomic
def conclude(inspection: Inspection, *, result: str, conclusion: str, correct_until: datetime.date | None = None, by: User) -> Inspection:
    """Passed, to correct by a day, or failed; the institution is told.

    Raises ValidationError, keyed by field, where the items do not bear the result.
    """
    held = _to_check(inspection)
    if held.state in (_S.PASSED, _S.FAILED):
        raise ValidationError("已作出结论；要改请先重新打开核查")
    _bear(held, result, conclusion)
    if result != _S.TO_CORRECT:
        correct_until = None
    elif correct_until is None or correct_until <= today():
        raise ValidationError({"correct_until": "限期整改要写明期限，期限要在今天之后"})
    held.state, held.conclusion, held.correct_until = result, conclusion.strip()[:_CONCLUSION_LENGTH_MAX], correct_until
    held.inspected_on, held.inspected_by, held.corrected_at, held.correction_note = today(), by, None, ""
    held.full_clean(exclude=["campaign", "institution", "inspected_by"])
    held.save()
    until = f"，请在 {correct_until:%Y-%m-%d} 前整改并报告" if correct_until else ""
    _tell(
        [held.institution_id],
        occasion=f"inspection-concluded:{held.pk}:{timezone.now().isoformat()}",
        text=f"{held.campaign.title}结论：{held.get_state_display()}{until}",
        url=_page(held),
    )
    log.info("inspection.concluded by=%s inspection=%s result=%s", by.pk, held.pk, result)
    return held


def _bear(held: Inspection, result: str, conclusion: str) -> None:
    """Refuse a result that the items do not bear."""
    checks = list(held.items.values_list("is_met", flat=True))
    failed, unchecked = checks.count(False), checks.count(None)
    if result not in (_S.PASSED, _S.TO_CORRECT, _S.FAILED):
        raise ValidationError({"result": "请选择结论"})
    if result == _S.PASSED and unchecked:
        raise ValidationError({"result": f"还有 {unchecked} 项没有核查，不能判定合格"})
    if result == _S.PASSED and failed:
        raise ValidationError({"result": f"有 {failed} 项核查不符合，不能判定合格；可以限期整改"})
    if result != _S.PASSED and not failed:
        raise ValidationError({"result": "没有一项核查不符合；请先在不符合的项目上写明情况"})
    if result == _S.FAILED and not conclusion.strip():
        raise ValidationError({"conclusion": "判定不合格要写明理由，机构和公众都会看到"})


@transaction.atomic
def reopen(inspection: Inspection, *, by: User) -> Inspection:
    """Take a result back, to check again; the items stay as they were checked."""
    held = _locked(inspection)
    if not held.is_checked:
        raise ValidationError("还没有结论，可以直接核查")
    held.state = _S.REPORTED if held.reported_at else _S.WAITING
    held.inspected_on = held.inspected_by = held.correct_until = held.corrected_at = None
    held.conclusion = held.correction_note = ""
    held.save()
    _tell(
        [held.institution_id],
        occasion=f"inspection-reopened:{held.pk}:{timezone.now().isoformat()}",
        text=f"{held.campaign.title}的结论已收回，将重新核查",
        url=_page(held),
    )
    log.info("inspection.reopened by=%s inspection=%s", by.pk, held.pk)
    return held


# What follows.


def _failed(inspection: Inspection, reason: str) -> Inspection:
    held = _locked(inspection)
    if held.state != _S.FAILED:
        raise ValidationError("只有年检不合格的机构才在这里处理")
    if not reason.strip():
        raise ValidationError("请写明理由；会留下记录并公开")
    return held


@transaction.atomic
def suspend(inspection: Inspection, *, reason: str, by: User) -> Institution:
    """Suspend an institution that failed."""
    held = _failed(inspection, reason)
    return registry.set_state(held.institution, state=InstitutionState.SUSPENDED, reason=reason, by=by)


@transaction.atomic
def blacklist(inspection: Inspection, *, reason: str, by: User) -> Listing:
    """Put an institution that failed on the black list, from today on."""
    held = _failed(inspection, reason)
    listing = Listing(institution=held.institution, colour=ListColour.BLACK, since=today(), reason=reason.strip()[:300], decided_by=by)
    return registry.save_checked(listing, by=by, exclude=("institution", "decided_by"))


def fail_overdue() -> int:
    """Corrections that nobody reported by their day: failed; how many. A second run finds none."""
    count = 0
    for each in Inspection.objects.filter(state=_S.TO_CORRECT, corrected_at=None, correct_until__lt=today()):
        with transaction.atomic():
            held = _locked(each)
            if held.state != _S.TO_CORRECT or held.corrected_at is not None:
                continue  # somebody was faster
            held.state = _S.FAILED
            held.conclusion = "；".join(filter(None, [held.conclusion, _OVERDUE]))[-_CONCLUSION_LENGTH_MAX:]
            held.save(update_fields=["state", "conclusion"])
            text = f"{held.institution}{held.campaign.title}：{_OVERDUE}"
            occasion = f"inspection-overdue:{held.pk}:{held.correct_until}"
            _tell([held.institution_id], occasion=occasion, text=text, url=_page(held))
            Notice.objects.send(_checked_by(held), occasion=occasion, text=f"{text}；请考虑后续处理"[:300], url=_page(held))
            log.info("inspection.overdue inspection=%s", held.pk)
        count += 1
    return count


def remind() -> int:
    """Tell institutions of reports and corrections that are due soon or late, once for each; how many notices were sent."""
    day = today()
    horizon = day + datetime.timedelta(days=REMINDED_DAYS_AHEAD)
    waiting = Inspection.objects.select_related("campaign", "institution__organisation").of_institution()
    due = waiting.filter(Q(state=_S.WAITING, campaign__report_until__lte=horizon) | Q(state=_S.TO_CORRECT, correct_until__lte=horizon))
    told = 0
    for each in due.order_by("pk"):
        until = each.campaign.report_until if each.state == _S.WAITING else each.correct_until
        assert until is not None
        asked = "自查" if each.state == _S.WAITING else "整改"
        when = "已经逾期" if until < day else "快到期了"
        told += _tell(
            [each.institution_id],
            occasion=f"inspection-due:{each.pk}:{each.state}:{until}:{'late' if until < day else 'soon'}",
            text=f"{each.campaign.title}的{asked}{when}（{until:%Y-%m-%d} 截止），请尽快完成",
            url=_page(each),
        )
    return told
