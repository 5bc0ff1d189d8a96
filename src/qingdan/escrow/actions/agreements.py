"""Under which mode and at which bank an institution's prepaid tuition lies: entered, changed from a day on, ended, paused."""

from __future__ import annotations

import datetime
import logging

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.escrow.actions.ending import clerks_of
from qingdan.escrow.enums import ContractState, RiskStepKind
from qingdan.escrow.models import CustodyAgreement, RiskStep
from qingdan.escrow.wording import day_text
from qingdan.notices.models import Notice
from qingdan.places.calendar import today
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)
_DAY = datetime.timedelta(days=1)


@transaction.atomic
def enter(agreement: CustodyAgreement, *, by: User) -> CustodyAgreement:
    """Keep a new agreement. Raises ValidationError when it is not whole, or another one of the institution holds at the same time."""
    agreement.entered_by = by
    agreement.full_clean()
    with in_words(CustodyAgreement):
        agreement.save()
    _tell(agreement, "entered", f"已登记{agreement.get_mode_display()}协议，{day_text(agreement.starts_on)}起，{agreement.bank_name}")
    log.info("escrow.agreement.entered by=%s agreement=%s mode=%s", by.pk, agreement.pk, agreement.mode)
    return agreement


@transaction.atomic
def end(agreement: CustodyAgreement, *, on: datetime.date, by: User) -> CustodyAgreement:
    """An agreement holds until a day, that day included; what was signed under it is carried out all the same.

    Raises ValidationError for a day before its first, before yesterday, or when it has ended already.
    """
    held = _locked(agreement)
    if held.ends_on is not None and held.ends_on < today():
        raise ValidationError(f"协议已于 {held.ends_on} 结束")
    if on < held.starts_on:
        raise ValidationError("结束日期不能早于开始日期")
    if on < today() - _DAY:
        raise ValidationError("结束日期不能早于昨天：已经照它签的合同不能改判")
    held.ends_on = on
    held.save(update_fields=["ends_on"])
    _tell(held, f"ended-{on:%Y%m%d}", f"{held.get_mode_display()}协议 {day_text(on)}结束；没有新协议就不能再签新合同")
    log.info("escrow.agreement.ended by=%s agreement=%s on=%s", by.pk, held.pk, on)
    return held


@transaction.atomic
def change(agreement: CustodyAgreement, successor: CustodyAgreement, *, by: User) -> CustodyAgreement:
    """From the successor's first day on another mode, bank or account holds; contracts signed before stay with the old one.

    Raises ValidationError when the successor is not whole or begins too early.
    """
    held = _locked(agreement)
    if successor.starts_on <= held.starts_on:
        raise ValidationError(f"变更日期要晚于原协议的开始日期 {held.starts_on}")
    if held.ends_on is not None and held.ends_on < successor.starts_on - _DAY:
        raise ValidationError(f"原协议 {held.ends_on} 已结束，请直接登记新协议")
    end(held, on=successor.starts_on - _DAY, by=by)
    successor.institution, successor.department = held.institution, held.department
    return enter(successor, by=by)


@transaction.atomic
def pause(agreement: CustodyAgreement, *, reason: str, by: User) -> CustodyAgreement:
    """Nothing more is released to the institution until ``resume``; refunds to families go on. The reason goes into the risk file."""
    return _set_paused(agreement, is_paused=True, reason=reason, by=by)


@transaction.atomic
def resume(agreement: CustodyAgreement, *, reason: str, by: User) -> CustodyAgreement:
    """Release again; what waited goes out with the next run."""
    return _set_paused(agreement, is_paused=False, reason=reason, by=by)


def _set_paused(agreement: CustodyAgreement, *, is_paused: bool, reason: str, by: User) -> CustodyAgreement:
    reason = reason.strip()
    if not reason:
        raise ValidationError("请写明理由，会记入机构的风险档案")
    held = _locked(agreement)
    if held.is_release_paused == is_paused:
        return held
    held.is_release_paused = is_paused
    held.save(update_fields=["is_release_paused"])
    kind = RiskStepKind.PAUSED if is_paused else RiskStepKind.RESUMED
    step = RiskStep.objects.create(institution=held.institution, kind=kind, text=reason, made_by=by)
    _tell(held, f"step-{step.pk}", f"主管部门已{kind.label}：{reason}")
    log.info("escrow.agreement.%s by=%s agreement=%s", kind.value, by.pk, held.pk)
    return held


def contract_counts(agreement: CustodyAgreement) -> dict[str, int]:
    """How many contracts an agreement has that are not over: signed and waiting for payment, and in force."""
    live = agreement.contracts.filter(state__in=[ContractState.SIGNED, ContractState.ACTIVE]).values_list("state", flat=True)
    states = list(live)
    return {"signed": states.count(ContractState.SIGNED), "active": states.count(ContractState.ACTIVE)}


def _locked(agreement: CustodyAgreement) -> CustodyAgreement:
    found = CustodyAgreement.objects.select_related("institution").select_for_update(no_key=True, of=("self",))
    return found.get(pk=agreement.pk)


def _tell(agreement: CustodyAgreement, what: str, text: str) -> None:
    url = reverse("escrow:agreement", args=[agreement.pk])
    Notice.objects.send(clerks_of(agreement.institution), occasion=f"custody-{what}:{agreement.pk}", text=text[:200], url=url)
