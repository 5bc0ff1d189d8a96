"""How much written homework at home a grade may have on a day, as the law of that place has it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from sqlglot import exp

from qingdan.policy.pack import Pack
from qingdan.policy.provisions import Rule

_MINUTES = "homework.daily_minutes"
_NONE = "homework.no-written-at-home"


@dataclass(frozen=True)
class DayLimit:
    """The limit of a grade's day, where it comes from and by which clauses."""

    #: None where the law sets no figure; ``is_none_allowed`` then says whether there may be any.
    minutes: int | None
    is_none_allowed: bool
    #: ``每日书面家庭作业上限 60 分钟（示范区第一小学）``.
    text: str = ""
    #: ``(clause id, as it is cited)``.
    cites: tuple[tuple[str, str], ...] = field(default=())


def day_limit(pack: Pack, place: str, grade: int, day: datetime.date) -> DayLimit:
    """The limit of a grade at a place on a day."""
    stage = next((name for name, grades in pack.layer(place).grades.stages.items() if grade in grades), None)
    statement = pack.find(_MINUTES, at=place, on=day, case=(stage,))
    if statement is not None:
        text = f"{pack.parameters[_MINUTES].label} {statement.value} 分钟（{pack.layers[statement.layer].name}）"
        return DayLimit(int(str(statement.value)), False, text, _cited(pack, statement.cites))
    forbidding = _rule_against_any(pack, place, day, stage)
    if forbidding is None:
        return DayLimit(None, False)
    return DayLimit(None, True, forbidding.title, _cited(pack, pack.cites_at(forbidding, at=place, on=day)))


def _cited(pack: Pack, clauses: list[str] | tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((each, pack.cite(each)) for each in clauses)


def _rule_against_any(pack: Pack, place: str, day: datetime.date, stage: str | None) -> Rule | None:
    """The rule by which a stage has no written homework at home at all, where it is in force."""
    rule, when = pack.rules.get(_NONE), pack.expressions.get((_NONE, "when"))
    if rule is None or when is None or not pack.rule_is_on(rule, at=place, on=day):
        return None
    return rule if stage in {literal.this for literal in when.tree.find_all(exp.Literal)} else None
