"""A finding as it is kept: in the words of the law of that day and place, so that a later change of the pack changes nothing told."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from qingdan.policy.findings import Finding, show_value
from qingdan.policy.pack import Pack

_VALUE_LENGTH_MAX = 300


def without_nul(text: str) -> str:
    """A text that PostgreSQL takes."""
    return text.replace("\x00", "")


@dataclass(frozen=True)
class Told:
    """The words of a finding; every list is ready for a JSON column."""

    rule_id: str
    title: str
    kind: str
    place: str
    subject: str
    date: datetime.date | None
    sentence: str
    remedy: str
    #: ``[{label, text}]``
    observed: list[dict[str, Any]]
    #: ``[{label, text, layer, layer_name, since, cites: [{clause, text}]}]``
    limits: list[dict[str, Any]]
    #: ``[{clause, text}]``: those that set the limits, those that restate the rule there and then, the rule's own.
    cites: list[dict[str, str]]

    @classmethod
    def of(cls, finding: Finding, pack: Pack) -> Told:
        """What a finding says, to be kept."""
        kind = pack.vocabulary.kinds[finding.kind]
        clauses = dict.fromkeys(
            [
                *(cite for limit in finding.limits for cite in limit.statement.cites),
                *pack.cites_at(finding.rule, at=finding.place, on=finding.date),
            ]
        )
        return cls(
            rule_id=finding.rule.id,
            title=finding.rule.title[:200],
            kind=finding.kind,
            place=finding.place,
            subject=without_nul(finding.subject)[:300],
            date=finding.date,
            sentence=without_nul(finding.sentence),
            remedy=finding.rule.remedy,
            observed=[
                {"label": kind.columns[name].label, "text": without_nul(show_value(kind, name, value, pack))[:_VALUE_LENGTH_MAX]}
                for name, value in finding.observed.items()
            ],
            limits=[
                {
                    "label": limit.parameter.label,
                    "text": limit.text,
                    "layer": limit.statement.layer,
                    "layer_name": pack.layers[limit.statement.layer].name,
                    "since": limit.statement.since.isoformat(),
                    "cites": [{"clause": cite, "text": pack.cite(cite)} for cite in limit.statement.cites],
                }
                for limit in finding.limits
            ],
            cites=[{"clause": clause, "text": pack.cite(clause)} for clause in clauses],
        )
