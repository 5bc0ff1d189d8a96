"""A contract comes about: drafted, offered (the institution signs), signed by the guardian, or taken back on the way.

At each of the two signatures the law is asked what it says of the contract were it signed today; every breach refuses, and nothing is
saved. Whatever two people do at once, the contract's row is locked first: there is one signature, and a repeated one changes nothing.
"""

from __future__ import annotations

import copy
import logging
import secrets
from collections.abc import Iterable, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.escrow.contract_text import FORM_VERSION, digest_of, full_text
from qingdan.escrow.enums import ContractState, OrderState
from qingdan.escrow.models import Contract, CustodyAgreement, FeeFiling, OfferedCourse, PaymentOrder, RegisteredInstitution, SigningCode
from qingdan.escrow.trial import Opinion, opinion_of
from qingdan.escrow.unfair import unfair_terms
from qingdan.judging.trying import Refused
from qingdan.notices.models import Notice
from qingdan.places.calendar import current_pack, today
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)

_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_LIVE = (ContractState.OFFERED, ContractState.SIGNED, ContractState.ACTIVE)


def _number(prefix: str) -> str:
    return f"{prefix}{today():%Y%m%d}{''.join(secrets.choice(_LETTERS) for _ in range(6))}"


def _locked(contract: Contract) -> Contract:
    """The contract as it is now, held until the transaction ends."""
    return Contract.objects.select_for_update(of=("self",)).select_related("institution", "guardian").get(pk=contract.pk)


def _tell(users: Iterable[User], contract: Contract, occasion: str, text: str) -> None:
    url = reverse("escrow:contract", args=[contract.pk])
    Notice.objects.send(users, occasion=f"contract-{occasion}:{contract.pk}", text=text[:300], url=url)


def clerks_of(contract: Contract) -> Iterable[User]:
    """Who acts for the institution."""
    return User.objects.filter(organisation_id=contract.institution_id, role=Role.INSTITUTION, is_active=True)


def copy_course(contract: Contract, course: OfferedCourse, filing: FeeFiling | None) -> None:
    """Take over what is filed of a course and its fee; none of it is the institution's to choose."""
    filed = filing or course
    contract.course_number, contract.course_name = course.number, course.name
    contract.category, contract.class_size, contract.lesson_minutes = filed.category, filed.class_size, filed.lesson_minutes
    contract.youngest_age = course.youngest_age
    contract.teaching_from, contract.teaching_until = course.starts_on, course.ends_on


@transaction.atomic
def draft_contract(*, contract: Contract, code: SigningCode, by: User) -> Contract:
    """Keep a first draft for the family whose code the institution was told; the code is this institution's from now on.

    Raises ValidationError when the code is another's by now, or when the draft is not whole.
    """
    held = SigningCode.objects.select_for_update(of=("self",)).get(pk=code.pk)
    if not held.is_open or held.institution_id not in (None, contract.institution_id):
        raise ValidationError("签约码不对、已过期或已停用；请家长在“签约码”页重新生成一个")
    if held.institution_id is None:
        held.institution_id = contract.institution_id
        held.save(update_fields=["institution"])
    contract.guardian, contract.pupil = held.guardian, held.pupil
    contract.learner_name, contract.learner_born_on = held.learner_name, held.learner_born_on
    contract.drafted_by, contract.form_version, contract.number = by, FORM_VERSION, _number("HT")
    contract.state = ContractState.DRAFT
    _keep(contract)
    log.info("escrow.contract.drafted by=%s contract=%s institution=%s", by.pk, contract.pk, contract.institution_id)
    return contract


@transaction.atomic
def draft_contracts(*, contract: Contract, codes: Sequence[SigningCode], by: User) -> list[Contract]:
    """The same draft for several families, all or none."""
    drafted = []
    for code in codes:
        each = copy.copy(contract)
        each._state = copy.copy(contract._state)
        drafted.append(draft_contract(contract=each, code=code, by=by))
    return drafted


@transaction.atomic
def change_draft(*, contract: Contract, by: User) -> Contract:
    """Keep changes of a draft. Raises ValidationError when it is none any longer."""
    if _locked(contract).state != ContractState.DRAFT:
        raise ValidationError("合同已经发给家长，不能直接修改；请先收回")
    _keep(contract)
    log.info("escrow.contract.changed by=%s contract=%s", by.pk, contract.pk)
    return contract


def _keep(contract: Contract) -> None:
    contract.unfair_terms = unfair_terms(contract.extra_terms, place=contract.institution.layer_code, pack=current_pack())
    contract.full_clean()
    with in_words(Contract):
        contract.save()


@transaction.atomic
def delete_draft(*, contract: Contract, by: User) -> None:
    """Delete a draft for good: nobody else has seen it."""
    held = _locked(contract)
    if held.state != ContractState.DRAFT:
        raise ValidationError("合同已经发给家长，不能删除；请先收回，或写明原因作废")
    log.info("escrow.contract.deleted by=%s contract=%s", by.pk, held.pk)
    held.delete()


def _ask(contract: Contract) -> Opinion:
    """What the law says; raises Refused for a breach, ValidationError for what is no matter of the law's rules."""
    if not RegisteredInstitution.objects.filter(pk=contract.institution_id).exists():
        raise ValidationError("机构不在登记名册里或已终止办学，不能签合同")
    same = Contract.objects.exclude(pk=contract.pk).filter(
        Q(pupil=contract.pupil) if contract.pupil_id else Q(guardian=contract.guardian_id, learner_name=contract.learner_name),
        institution=contract.institution_id, course_number=contract.course_number, state__in=_LIVE,
        course_from__lte=contract.course_until, course_until__gte=contract.course_from,
    )  # fmt: skip
    if other := same.first():
        raise ValidationError(f"{contract.learner_name}同期已有这门课程的合同 {other.number}（{other.get_state_display()}），不能重复签")
    opinion = opinion_of(contract)
    if opinion.objections:
        raise Refused(opinion.objections)
    return opinion


@transaction.atomic
def offer(*, contract: Contract, by: User) -> Contract:
    """The institution signs, and the guardian is told. Offered already: nothing happens.

    Raises Refused with what the law has against it, ValidationError when the contract is no draft.
    """
    held = _locked(contract)
    if held.state == ContractState.OFFERED:
        return held
    if held.state != ContractState.DRAFT:
        raise ValidationError(f"合同现在是“{held.get_state_display()}”，不能再发给家长")
    held.unfair_terms = unfair_terms(held.extra_terms, place=held.institution.layer_code, pack=current_pack())
    held.save(update_fields=["unfair_terms"])
    _ask(held)
    held.state, held.offered_at, held.offered_by = ContractState.OFFERED, timezone.now(), by
    held.save(update_fields=["state", "offered_at", "offered_by"])
    text = f"{held.institution.name}发来“{held.course_name}”的培训合同，请核对后签署"
    _tell([held.guardian], held, f"offered:{held.offered_at.isoformat()}", text)
    log.info("escrow.contract.offered by=%s contract=%s", by.pk, held.pk)
    return held


@transaction.atomic
def take_back(*, contract: Contract, by: User) -> Contract:
    """The institution takes an offer back to change it; its signature is gone."""
    held = _locked(contract)
    if held.state == ContractState.DRAFT:
        return held
    if held.state != ContractState.OFFERED:
        raise ValidationError(f"合同现在是“{held.get_state_display()}”，不能收回")
    held.state, held.offered_at, held.offered_by = ContractState.DRAFT, None, None
    held.save(update_fields=["state", "offered_at", "offered_by"])
    log.info("escrow.contract.taken_back by=%s contract=%s", by.pk, held.pk)
    return held


@transaction.atomic
def sign(*, contract: Contract, by: User) -> Contract:
    """The guardian signs: the text is kept for good, and a payment order waits. Signed already: nothing happens.

    Raises Refused with what the law has against it, ValidationError when there is nothing to sign.
    """
    held = _locked(contract)
    if held.guardian_id != by.pk:
        raise ValidationError("合同只能由家长本人签署")
    if held.is_signed:
        return held
    if held.state != ContractState.OFFERED:
        raise ValidationError(f"合同现在是“{held.get_state_display()}”，不能签；机构可能已收回修改")
    _ask(held)
    agreement = CustodyAgreement.objects.in_force(today()).filter(institution=held.institution_id).first()
    if agreement is None:
        raise ValidationError("机构还没有预收费监管协议，不能签合同")
    held.agreement, held.signed_at, held.signed_on = agreement, timezone.now(), today()
    held.signed_text = full_text(held, agreement)
    held.text_digest = digest_of(held.signed_text)
    held.state = ContractState.SIGNED
    held.save(update_fields=["agreement", "signed_at", "signed_on", "signed_text", "text_digest", "state"])
    PaymentOrder.objects.create(contract=held, reference=_number("JF"), amount_fen=held.amount_fen)
    _tell(clerks_of(held), held, "signed", f"{held.learner_name}的家长签了“{held.course_name}”的合同 {held.number}，等待缴费")
    log.info("escrow.contract.signed by=%s contract=%s digest=%s", by.pk, held.pk, held.text_digest)
    return held


@transaction.atomic
def cancel(*, contract: Contract, by: User, reason: str) -> Contract:
    """An offer is declined by the guardian or withdrawn by the institution, with a reason that the other side reads."""
    held = _locked(contract)
    if held.state == ContractState.CANCELLED:
        return held
    if held.state not in (ContractState.DRAFT, ContractState.OFFERED):
        raise ValidationError(f"合同现在是“{held.get_state_display()}”，不能作废；已经缴费的请办退费")
    if not reason.strip():
        raise ValidationError("请写明原因，对方会看到")
    held.state, held.end_reason, held.ended_on = ContractState.CANCELLED, reason.strip(), today()
    held.save(update_fields=["state", "end_reason", "ended_on"])
    others = clerks_of(held) if by.is_parent else [held.guardian] if held.offered_at else []
    _tell(others, held, "cancelled", f"“{held.course_name}”的合同 {held.number} 作废：{held.end_reason}")
    log.info("escrow.contract.cancelled by=%s contract=%s", by.pk, held.pk)
    return held


@transaction.atomic
def annul(*, contract: Contract, by: User, reason: str) -> Contract:
    """A signed contract that nobody has paid is given up by either side; its payment order is closed with it."""
    held = _locked(contract)
    if held.state != ContractState.SIGNED:
        raise ValidationError(f"合同现在是“{held.get_state_display()}”，不能解除；已经缴费的请办退费")
    if not reason.strip():
        raise ValidationError("请写明原因，对方会看到")
    held.orders.select_for_update().filter(state=OrderState.WAITING).update(state=OrderState.CANCELLED)
    held.state, held.end_reason, held.ended_on = ContractState.REFUNDED, f"未缴费解除：{reason.strip()}"[:300], today()
    held.save(update_fields=["state", "end_reason", "ended_on"])
    others = clerks_of(held) if by.is_parent else [held.guardian]
    _tell(others, held, "annulled", f"“{held.course_name}”的合同 {held.number} {held.end_reason}")
    log.info("escrow.contract.annulled by=%s contract=%s", by.pk, held.pk)
    return held
