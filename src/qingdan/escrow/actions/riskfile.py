"""An institution's risk file (一机构一方案, S1 三2): plans, visits, talks, releases paused and resumed; complaints of families."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.models import Organisation, User
from qingdan.escrow.actions import agreements
from qingdan.escrow.actions.flows import officers_over
from qingdan.escrow.enums import RiskStepKind
from qingdan.escrow.models import Complaint, Contract, CustodyAgreement, RiskScore, RiskStep
from qingdan.escrow.risk.weights import PARTS
from qingdan.notices.models import Notice
from qingdan.places.calendar import current_pack

log = logging.getLogger(__name__)
#: What an officer enters; the others are written by the acts themselves.
ENTERED = (RiskStepKind.PLAN, RiskStepKind.VISIT, RiskStepKind.TALK, RiskStepKind.CLOSED)


def cites_of(kind: str, layer_code: str) -> list[tuple[str, str]]:
    """Clause and how it is cited, for a part of a score: those of the place's own layers; where they have none, the others'."""
    pack = current_pack()
    chain = pack.layer(layer_code).chain
    cites = PARTS[kind].cites
    own = [each for each in cites if pack.clauses[each][0].layer in chain]
    # Several clauses may stand in one sentence: it is cited once.
    by_text = {pack.cite(each): each for each in reversed(own or cites)}
    return [(each, text) for text, each in reversed(by_text.items())]


def proposed_plan(score: RiskScore) -> str:
    """A plan made from the parts of a score that have points, each with what is to be done and by which clause."""
    lines = [
        f"{score.on_date} 风险 {score.score} 分（{score.get_level_display()}）。未消课预收费和在途退费共 {score.owed_fen / 100:,.2f} 元。"
    ]
    heavy = [part for part in score.parts if part["points"]]
    for number, part in enumerate(heavy, start=1):
        cites = "、".join(text for _, text in cites_of(part["kind"], score.institution.layer_code)[:2])
        lines.append(f"{number}. {part['label']}（{part['text']}）：{PARTS[part['kind']].remedy}（依据：{cites}）")
    if not heavy:
        lines.append("各项都没有计分，按日常监管。")
    return "\n".join(lines)


def add_step(
    institution: Organisation, *, kind: str, text: str, by: User, responsible: str = "", due_on: datetime.date | None = None
) -> RiskStep:
    """Enter a step. Raises ValidationError for an empty text, a kind that is not entered by hand, or a plan without who and by when."""
    text = text.strip()
    if kind not in ENTERED:
        raise ValidationError("请选择事项")
    if not text:
        raise ValidationError("请写明内容")
    if kind == RiskStepKind.PLAN and not (responsible.strip() and due_on):
        raise ValidationError("方案要写明责任人和完成期限")
    done_at = None if due_on else timezone.now()
    step = RiskStep(
        institution=institution, kind=kind, text=text, responsible=responsible.strip(), due_on=due_on, done_at=done_at, made_by=by
    )  # fmt: skip
    step.full_clean()
    step.save()
    log.info("escrow.risk.step by=%s institution=%s kind=%s", by.pk, institution.pk, kind)
    return step


def finish_step(step: RiskStep, *, by: User) -> RiskStep:
    """A planned step is done; twice is once."""
    if step.done_at is None:
        step.done_at = timezone.now()
        step.save(update_fields=["done_at"])
        log.info("escrow.risk.step.done by=%s step=%s", by.pk, step.pk)
    return step


@transaction.atomic
def set_paused(found: Iterable[CustodyAgreement], *, is_paused: bool, reason: str, by: User) -> int:
    """Stop releases of all these agreements of an institution, or let them go on; each writes its step into the file."""
    act: Any = agreements.pause if is_paused else agreements.resume
    changed = [each for each in found if each.is_release_paused != is_paused]
    for each in changed:
        act(each, reason=reason, by=by)
    return len(changed)


@transaction.atomic
def complain(contract: Contract, *, text: str, by: User) -> Complaint:
    """A family's complaint about an institution; the officers are told, the institution is not (whoever complains is protected).

    Raises ValidationError for an empty text, or when the same is waiting for an answer already.
    """
    text = text.strip()
    if contract.complaints.filter(made_by=by, text=text, answered_at=None).exists():
        raise ValidationError("这件投诉已经收到，正在处理，不用再交")
    complaint = Complaint(contract=contract, made_by=by, text=text)
    complaint.full_clean()
    complaint.save()
    institution = contract.institution
    told = f"家长投诉 {institution.name}：{text}"
    officers = officers_over([institution])[institution.pk]
    Notice.objects.send(officers, occasion=f"complaint:{complaint.pk}", text=told[:300], url=reverse("escrow:complaints"))
    log.info("escrow.complaint.made by=%s complaint=%s", by.pk, complaint.pk)
    return complaint


@transaction.atomic
def answer(complaint: Complaint, *, text: str, by: User) -> Complaint:
    """The officers' answer, told to the family. Raises ValidationError for an empty text or when it is answered already."""
    held = Complaint.objects.select_related("made_by").select_for_update(of=("self",)).get(pk=complaint.pk)
    if held.answered_at is not None:
        raise ValidationError("这件投诉已经答复")
    held.answer, held.answered_by, held.answered_at = text.strip(), by, timezone.now()
    held.full_clean()
    held.save()
    url = reverse("escrow:complaints")
    Notice.objects.send([held.made_by], occasion=f"complaint-answered:{held.pk}", text=f"您的投诉已答复：{held.answer}"[:300], url=url)
    log.info("escrow.complaint.answered by=%s complaint=%s", by.pk, held.pk)
    return held
