"""Large and unusual flows on supervised accounts: marked when a statement has come in, told to the officers, circulated by them (S0.9③)."""

from __future__ import annotations

import datetime
import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import OFFICERS, OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.escrow.enums import RiskStepKind
from qingdan.escrow.models import BankLine, CustodyAgreement, RegisteredInstitution, RiskStep
from qingdan.escrow.risk.weights import PAST_DAYS, UNUSUAL_COUNT, UNUSUAL_FEN, UNUSUAL_TIMES
from qingdan.escrow.wording import day_text, yuan
from qingdan.notices.models import Notice
from qingdan.places.calendar import current_pack, today

log = logging.getLogger(__name__)
_DAY = datetime.timedelta(days=1)
#: From which sum a flow is large, in fen; a layer that says nothing has none.
LARGE = "prepaid.large_flow_fen"
#: How far back a run looks for lines that came late.
DAYS_LOOKED_BACK = 30


def officers_over(institutions: Iterable[Organisation]) -> dict[int, list[User]]:
    """Institution -> the officers who watch over it: its region's education bureau, and the department in charge of it."""
    found = {each.pk: each for each in institutions}
    departments = dict(RegisteredInstitution.objects.filter(institution__in=found).values_list("institution", "department"))
    agreed = CustodyAgreement.objects.filter(institution__in=found, ends_on=None).values_list("institution", "department")
    departments = dict(agreed) | departments
    users = User.objects.filter(role__in=OFFICERS, is_active=True, organisation__kind=OrganisationKind.BUREAU).select_related(
        "organisation"
    )
    officers = [(each, each.employer) for each in users]
    return {
        number: [
            user
            for user, office in officers
            if _is_over(office, institution) and (user.role == Role.BUREAU or office.department == departments.get(number))
        ]
        for number, institution in found.items()
    }


def _is_over(office: Organisation, institution: Organisation) -> bool:
    return bool(office.region_code) and institution.region_code.startswith(office.region_prefix)


@dataclass
class _Past:
    """Payments out of an account so far: how many, and how much together."""

    count: int = 0
    fen: int = 0

    def makes_unusual(self, fen: int) -> bool:
        """Whether a payment stands out from them."""
        return self.count >= UNUSUAL_COUNT and fen >= UNUSUAL_FEN and fen * self.count > UNUSUAL_TIMES * self.fen


def mark_large(day: datetime.date | None = None) -> list[BankLine]:
    """Mark lines that reach the layer's figure, or that stand out from the account's own payments before; a second run finds none."""
    day = day or today()
    since = day - DAYS_LOOKED_BACK * _DAY
    lines = BankLine.objects.filter(booked_on__gt=since - PAST_DAYS * _DAY, booked_on__lte=day, is_reversal=False)
    pack, limits = current_pack(), dict[tuple[str, datetime.date], int | None]()
    past: defaultdict[int, _Past] = defaultdict(_Past)
    marked: list[BankLine] = []
    for line in lines.select_related("agreement__institution").order_by("booked_on", "pk"):
        fen, before = abs(line.amount_fen), past[line.agreement_id]
        key = (line.agreement.institution.layer_code, line.booked_on)
        if key not in limits:
            stated = pack.find(LARGE, at=key[0], on=key[1])
            limits[key] = None if stated is None or stated.value is None else int(str(stated.value))
        limit = limits[key]
        is_large = limit is not None and fen >= limit
        if line.booked_on > since and not line.is_large and (is_large or (line.amount_fen < 0 and before.makes_unusual(fen))):
            line.is_large = True
            marked.append(line)
        if line.amount_fen < 0:
            before.count, before.fen = before.count + 1, before.fen + fen
    BankLine.objects.bulk_update(marked, ["is_large"], batch_size=500)
    if marked:
        log.info("escrow.flows.marked count=%s", len(marked))
    return marked


def warn() -> int:
    """Tell the officers of every large flow that they have not been told of; the answer is how many lines."""
    with transaction.atomic():
        lines = list(
            BankLine.objects.filter(is_large=True, warned_at=None)
            .select_related("agreement__institution")
            .select_for_update(of=("self",), skip_locked=True)
            .order_by("pk")
        )
        officers = officers_over({line.agreement.institution_id: line.agreement.institution for line in lines}.values())
        for line in lines:
            institution = line.agreement.institution
            way = "流入" if line.amount_fen > 0 else "流出"
            text = f"{institution.name}监管账户 {day_text(line.booked_on)}大额{way} {yuan(abs(line.amount_fen))}，请核实并通报"
            Notice.objects.send(officers[institution.pk], occasion=f"flow:{line.pk}", text=text, url=reverse("escrow:flows"))
        now = timezone.now()
        BankLine.objects.filter(pk__in=[line.pk for line in lines]).update(warned_at=now)
    if lines:
        log.info("escrow.flows.warned count=%s", len(lines))
    return len(lines)


@transaction.atomic
def circulate(line: BankLine, *, reason: str, by: User) -> BankLine:
    """The officers concerned are told of a large flow with what was found out (通报); it goes into the risk file. Twice is once.

    Raises ValidationError without a text, or for a flow that is not large. The institution itself is not told.
    """
    reason = reason.strip()
    if not reason:
        raise ValidationError("请写明核实的情况，会通报给有关部门")
    held = BankLine.objects.select_related("agreement__institution").select_for_update(of=("self",)).get(pk=line.pk)
    if not held.is_large:
        raise ValidationError("这笔流水不是大额，不用通报")
    if held.circulated_at is not None:
        return held
    institution = held.agreement.institution
    held.circulated_at = timezone.now()
    held.warned_at = held.warned_at or held.circulated_at
    held.save(update_fields=["circulated_at", "warned_at"])
    way = "流入" if held.amount_fen > 0 else "流出"
    text = f"{day_text(held.booked_on)}大额{way} {yuan(abs(held.amount_fen))}：{reason}"
    RiskStep.objects.create(institution=institution, kind=RiskStepKind.CIRCULATED, text=text, made_by=by, done_at=held.circulated_at)
    others = [each for each in officers_over([institution])[institution.pk] if each.pk != by.pk]
    url = reverse("escrow:risk", args=[institution.pk])
    Notice.objects.send(others, occasion=f"flow-told:{held.pk}", text=f"通报：{institution.name} {text}"[:300], url=url)
    log.info("escrow.flow.circulated by=%s line=%s", by.pk, held.pk)
    return held
