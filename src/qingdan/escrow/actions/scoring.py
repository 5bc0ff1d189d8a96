"""The scores of a day: reckoned for all institutions at once, kept, and told to the officers when one has become alarming."""

from __future__ import annotations

import datetime
import logging

from django.urls import reverse

from qingdan.accounts.models import Organisation
from qingdan.escrow.actions.flows import officers_over
from qingdan.escrow.enums import RiskLevel
from qingdan.escrow.models import RiskScore
from qingdan.escrow.risk.numbers import numbers_of
from qingdan.escrow.risk.parts import Numbers, parts_of
from qingdan.escrow.risk.weights import level_of
from qingdan.notices.models import Notice
from qingdan.places.calendar import today

log = logging.getLogger(__name__)
_TOLD = (RiskLevel.WARNED, RiskLevel.ALARM)


def score_of(institution_id: int, numbers: Numbers, day: datetime.date) -> RiskScore:
    """A score from an institution's numbers, not saved."""
    parts = parts_of(numbers)
    score = sum(part["points"] for part in parts)
    owed = numbers.owed_fen
    return RiskScore(
        institution_id=institution_id,
        on_date=day,
        score=score,
        level=level_of(score),
        parts=parts,
        owed_fen=owed,
        uncovered_fen=min(owed, numbers.uncovered_fen),
    )


def score_all(day: datetime.date | None = None) -> int:
    """Keep the score of every institution with an agreement or families who have paid; the same day again replaces it.

    Officers are told of those whose level has risen to a warning or an alarm since the score before. The answer is how many were scored.
    """
    day = day or today()
    before = dict(RiskScore.objects.filter(on_date__lt=day).latest().values_list("institution", "level"))
    rows = [score_of(number, numbers, day) for number, numbers in numbers_of(day).items()]
    RiskScore.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["institution", "on_date"],
        update_fields=["score", "level", "parts", "owed_fen", "uncovered_fen"],
    )
    if day == today():
        _tell_of_rises(rows, before)
    log.info("escrow.risk.scored on=%s institutions=%s alarms=%s", day, len(rows), sum(row.level == RiskLevel.ALARM for row in rows))
    return len(rows)


def _tell_of_rises(rows: list[RiskScore], before: dict[int, str]) -> None:
    weight = {level: number for number, level in enumerate(RiskLevel.values)}
    risen = [row for row in rows if row.level in _TOLD and weight[row.level] > weight[before.get(row.institution_id, RiskLevel.CALM)]]
    if not risen:
        return
    organisations = Organisation.objects.in_bulk([row.institution_id for row in risen])
    officers = officers_over(organisations.values())
    for row in risen:
        worst = row.parts[0]
        name, level = organisations[row.institution_id].name, RiskLevel(row.level).label
        text = f"{name}风险 {row.score} 分（{level}）：{worst['label']}，{worst['text']}"
        url = reverse("escrow:risk", args=[row.institution_id])
        occasion = f"risk-{row.level}:{row.institution_id}:{row.on_date:%Y%m%d}"
        Notice.objects.send(officers[row.institution_id], occasion=occasion, text=text[:300], url=url)
