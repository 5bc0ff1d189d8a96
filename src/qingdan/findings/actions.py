"""What people do about findings: the organisation answers, the bureau decides.

=========  ==================================  ==========
act        from                                to
=========  ==================================  ==========
correct    open, corrected, disputed           corrected
dispute    open, corrected, disputed           disputed
confirm    corrected                           settled
send_back  corrected                           open
accept     disputed                            withdrawn
uphold     disputed                            open
=========  ==================================  ==========

An organisation may change its answer until the bureau decides. The audit's own acts stand in ``merging``.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.findings.enums import ANSWERS, PENDING, FindingAct, FindingStatus
from qingdan.findings.models import Finding, FindingEvent
from qingdan.notices.models import Notice

log = logging.getLogger(__name__)

#: Act -> states it starts from, and the one it leads to.
STEPS: dict[str, tuple[Collection[str], FindingStatus]] = {
    FindingAct.CORRECT: (PENDING, FindingStatus.CORRECTED),
    FindingAct.DISPUTE: (PENDING, FindingStatus.DISPUTED),
    FindingAct.CONFIRM: ([FindingStatus.CORRECTED], FindingStatus.SETTLED),
    FindingAct.SEND_BACK: ([FindingStatus.CORRECTED], FindingStatus.OPEN),
    FindingAct.ACCEPT: ([FindingStatus.DISPUTED], FindingStatus.WITHDRAWN),
    FindingAct.UPHOLD: ([FindingStatus.DISPUTED], FindingStatus.OPEN),
}


def correct(finding: Finding, *, by: User, reason: str) -> Finding:
    """The organisation says that it has put things right; ``reason`` tells how. Raise ValidationError where the state forbids it."""
    return _act_alone(FindingAct.CORRECT, finding, by, reason)


def dispute(finding: Finding, *, by: User, reason: str) -> Finding:
    """The organisation says that the finding is wrong, and why. Raise ValidationError where the state forbids it."""
    return _act_alone(FindingAct.DISPUTE, finding, by, reason)


def confirm(finding: Finding, *, by: User, reason: str = "") -> Finding:
    """The bureau takes the correction and closes the finding. Raise ValidationError where the state forbids it."""
    return _act_alone(FindingAct.CONFIRM, finding, by, reason)


def send_back(finding: Finding, *, by: User, reason: str) -> Finding:
    """The bureau finds the correction wanting, and says what is missing. Raise ValidationError where the state forbids it."""
    return _act_alone(FindingAct.SEND_BACK, finding, by, reason)


def accept(finding: Finding, *, by: User, reason: str) -> Finding:
    """The bureau agrees that the finding was wrong, and says why. Raise ValidationError where the state forbids it."""
    return _act_alone(FindingAct.ACCEPT, finding, by, reason)


def uphold(finding: Finding, *, by: User, reason: str) -> Finding:
    """The bureau does not share the dispute, and says why. Raise ValidationError where the state forbids it."""
    return _act_alone(FindingAct.UPHOLD, finding, by, reason)


@dataclass(frozen=True)
class Refusal:
    """A finding on which an act was not possible, and why."""

    finding: Finding
    message: str


def act_on_many(act: str, findings: Iterable[Finding], *, by: User, reason: str) -> tuple[list[Finding], list[Refusal]]:
    """One act on several findings with the same words: those done, and those that could not be. One notice to each on the other side.

    Raise ValidationError when the words themselves will not do; then nothing is done.
    """
    step = FindingAct(act)
    words = _checked_reason(step, reason)
    done: list[Finding] = []
    refused: list[Refusal] = []
    with transaction.atomic():
        # Always in the same order, so that two who choose the same never block each other.
        for finding in sorted(findings, key=lambda each: each.pk):
            try:
                done.append(_act(step, finding, by, words)[0])
            except ValidationError as error:
                refused.append(Refusal(finding, "；".join(error.messages)))
        if done:
            _tell_other_side(step, done, by, occasion=f"findings:{step}:{by.pk}:{timezone.now().timestamp():.6f}")
    return done, refused


def _act_alone(act: FindingAct, finding: Finding, by: User, reason: str) -> Finding:
    words = _checked_reason(act, reason)
    with transaction.atomic():
        changed, event = _act(act, finding, by, words)
        _tell_other_side(act, [changed], by, occasion=f"finding-event:{event.pk}")
    return changed


def _checked_reason(act: FindingAct, reason: str) -> str:
    words = reason.replace("\x00", "").strip()
    event = FindingEvent(act=act, reason=words)
    event.clean_fields(exclude=["finding", "actor"])
    event.validate_constraints()
    return words


def _act(act: FindingAct, finding: Finding, by: User, reason: str) -> tuple[Finding, FindingEvent]:
    """Take the row, look whether its state allows the act, and keep the act."""
    if act in ANSWERS:
        may = by.role in (Role.SCHOOL_LEADER, Role.INSTITUTION) and by.organisation_id == finding.organisation_id
    else:
        may = by.is_bureau and Organisation.objects.overseen_by(by.employer).filter(pk=finding.organisation_id).exists()
    if not may:
        raise PermissionDenied
    current = Finding.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=finding.pk)
    allowed, target = STEPS[act]
    if current.status not in allowed:
        raise ValidationError(f"这个问题现在是“{current.get_status_display()}”，不能“{act.label}”；请刷新后再看", code="state")
    current.status = target
    now = timezone.now()
    if act in ANSWERS:
        current.answered_at, current.decided_at = now, None
    else:
        current.decided_at = now
        if target == FindingStatus.OPEN:
            current.answered_at = None
    current.save(update_fields=["status", "answered_at", "decided_at"])
    event = FindingEvent.objects.create(finding=current, act=act, actor=by, reason=reason)
    log.info("finding.%s finding=%s by=%s", act, current.pk, by.pk)
    return current, event


def _tell_other_side(act: FindingAct, findings: Sequence[Finding], by: User, *, occasion: str) -> None:
    """Notices: of an answer to the bureau, of a decision to those who have to answer."""
    by_owner: dict[Organisation, list[Finding]] = {}
    for finding in findings:
        by_owner.setdefault(finding.organisation, []).append(finding)
    for owner, own in by_owner.items():
        if act in ANSWERS:
            to, who = _bureau_of(owner), f"{owner.name}："
        else:
            to = list(User.objects.filter(organisation=owner, role__in=[Role.SCHOOL_LEADER, Role.INSTITUTION], is_active=True))
            who = f"{by.employer.name}："
        what = f"“{own[0].title}”{act.label}" if len(own) == 1 else f"{len(own)} 个问题{act.label}"
        url = reverse("findings:finding", args=[own[0].pk]) if len(own) == 1 else f"{reverse('findings:list')}?status={own[0].status}"
        Notice.objects.send(to, occasion=occasion, text=f"{who}{what}"[:300], url=url)


def _bureau_of(owner: Organisation) -> list[User]:
    """The users of the nearest bureau that oversees an organisation: the district's, else the city's, else the province's."""
    code = owner.region_code
    for each in dict.fromkeys([code, f"{code[:4]}00", f"{code[:2]}0000"]) if code else ():
        users = User.objects.filter(organisation__kind=OrganisationKind.BUREAU, organisation__region_code=each, is_active=True)
        if found := list(users):
            return found
    return []
