"""``policy diff``: which figures and rules differ between two layers, or between two days."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from qingdan.policy.compiler import Compiler
from qingdan.policy.linting import tighter_or_looser
from qingdan.policy.pack import Limit, Pack
from qingdan.policy.provisions import Parameter, Rule


@dataclass(frozen=True)
class Point:
    """A place of the law on a day."""

    layer: str
    on: datetime.date


@dataclass(frozen=True)
class FigureDifference:
    """A figure that differs; ``direction`` is how the second stands to the first."""

    parameter: Parameter
    case: str
    first: Limit | None
    second: Limit | None

    @property
    def direction(self) -> str | None:
        """``stricter``, ``looser`` or None where the figures cannot be ordered."""
        if self.first is None or self.second is None:
            return None
        return tighter_or_looser(self.parameter, self.second.value, self.first.value)


@dataclass(frozen=True)
class RuleDifference:
    """A rule whose requirement applies at one point only."""

    rule: Rule
    is_in_first: bool


@dataclass(frozen=True)
class Comparison:
    """Everything that differs between two points."""

    first: Point
    second: Point
    figures: tuple[FigureDifference, ...]
    rules: tuple[RuleDifference, ...]


def compare(pack: Pack, first: Point, second: Point) -> Comparison:
    """Compare two points; raise UnknownLayer for an unknown one."""
    pack.layer(first.layer), pack.layer(second.layer)
    on_first = {rule.id: rule for rule in pack.rules_in_force(at=first.layer, on=first.on)}
    on_second = {rule.id: rule for rule in pack.rules_in_force(at=second.layer, on=second.on)}
    # Two layers may each word the same requirement, with their own clauses: that is no difference.
    asked_first = {_requirement(rule) for rule in on_first.values()}
    asked_second = {_requirement(rule) for rule in on_second.values()}
    rules = [RuleDifference(rule, True) for rule in on_first.values() if _requirement(rule) not in asked_second]
    rules += [RuleDifference(rule, False) for rule in on_second.values() if _requirement(rule) not in asked_first]
    return Comparison(first, second, tuple(_figures(pack, first, second)), tuple(sorted(rules, key=lambda each: each.rule.id)))


def _requirement(rule: Rule) -> tuple[str, str, str]:
    return (rule.facts, rule.when or "", rule.require)


def _figures(pack: Pack, first: Point, second: Point) -> Iterator[FigureDifference]:
    compiler = Compiler(pack, "duckdb", [first.layer, second.layer])
    for name, parameter in sorted(pack.parameters.items()):
        kind = next((each for each in pack.vocabulary.kinds.values() if all(by in each.columns for by in parameter.by)), None)
        if kind is None:
            continue
        for case in compiler.cases(parameter, kind):
            found = [pack.find(name, at=point.layer, on=point.on, case=case) for point in (first, second)]
            limits = [Limit(parameter, each.value, each) if each else None for each in found]
            if (limits[0].value if limits[0] else None) != (limits[1].value if limits[1] else None):
                cell = next(each.cell for each in found if each is not None)
                yield FigureDifference(parameter, pack.show_cell(parameter, cell), limits[0], limits[1])
