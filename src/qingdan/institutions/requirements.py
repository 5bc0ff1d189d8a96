"""The list of a yearly inspection, taken from the law: what an institution of a category has to keep to at a place.

A rule is on the list when it is in force there on the day and is about what institutions are and do (KINDS). It is left out when it
cannot concern the category: with ``category`` put in, its ``when`` comes to false, or, where the category is that of the institution
itself, its ``require`` comes to true. Everything else in the expressions stays unknown, so that a rule is left out only when it
cannot concern *any* such institution. Nothing about single rules stands in the code.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.simplify import simplify

from qingdan.judging.law import Law
from qingdan.policy.pack import Pack
from qingdan.policy.provisions import Rule

#: Kinds of facts about institutions and what they do, in the order of the list. Not among them: what is asked of those who decide
#: over institutions (applications, penalties), and training by people who are no institution.
KINDS = (
    "institution", "institution_capital", "institution_staff", "training_course", "training_session", "training_activity",
    "training_advertisement", "institution_disclosure", "institution_check", "fee_item", "training_contract", "prepayment",
    "prepayment_day", "custody_account", "refund_policy", "refund", "institution_cashflow",
)  # fmt: skip
#: Kinds whose ``category`` is that of the institution, and not that of one course or advertisement of it.
_OF_THE_INSTITUTION = ("institution", "institution_capital")


@dataclass(frozen=True)
class Requirement:
    """One rule as it stands on the list."""

    rule: Rule
    #: ``[{clause, text}]``
    cites: tuple[dict[str, str], ...]


def _folded(tree: exp.Expr, known: Mapping[str, str]) -> exp.Expr:
    """An expression with the known columns put in, worked out as far as it goes."""

    def put(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and not node.table and node.name in known:
            return exp.Literal.string(known[node.name])
        return node

    def choose(node: exp.Expr) -> exp.Expr:
        # A literal among literals: the simplifier leaves IN alone.
        if (
            isinstance(node, exp.In)
            and isinstance(node.this, exp.Literal)
            and all(isinstance(each, exp.Literal) for each in node.expressions)
        ):
            return exp.Boolean(this=node.this.this in {each.this for each in node.expressions})
        return node

    folded: exp.Expr = simplify(tree.copy().transform(put).transform(choose))
    return folded


def _is(tree: exp.Expr, truth: bool) -> bool:
    return isinstance(tree, exp.Boolean) and bool(tree.this) is truth


def may_concern(pack: Pack, rule: Rule, category: str) -> bool:
    """Whether a rule may concern an institution of a category at all."""
    column = pack.vocabulary.kinds[rule.facts].columns.get("category")
    if column is None or column.of != "training_category":
        return True
    known = {"category": category}
    when = pack.expressions.get((rule.id, "when"))
    if when is not None and _is(_folded(when.tree, known), False):
        return False
    require = pack.expressions[rule.id, "require"]
    return not (rule.facts in _OF_THE_INSTITUTION and _is(_folded(require.tree, known), True))


def requirements(pack: Pack, *, place: str, category: str, on: datetime.date) -> list[Requirement]:
    """What an institution of a category has to keep to at a place on a day, by kind of fact, then by rule."""
    found = [rule for rule in pack.rules_in_force(at=place, on=on) if rule.facts in KINDS and may_concern(pack, rule, category)]
    return [
        Requirement(rule, _cites(pack, pack.cites_at(rule, at=place, on=on)))
        for rule in sorted(found, key=lambda rule: (KINDS.index(rule.facts), rule.id))
    ]


def _cites(pack: Pack, clauses: Sequence[str]) -> tuple[dict[str, str], ...]:
    """Clauses as they are cited; of several that are cited alike (parts of one sentence) the first."""
    by_text = {pack.cite(each): each for each in reversed(clauses)}
    first = dict.fromkeys(pack.cite(each) for each in clauses)
    return tuple({"clause": by_text[text], "text": text} for text in first)


def known_breaches(law: Law, *, year: int, on: datetime.date) -> Counter[tuple[int, str]]:
    """(organisation, rule) -> breaches that the records show: those of the year, and what stands in a register today.

    One judging pass for each kind, however many institutions there are. Kinds of which this installation keeps no facts show none.
    """
    counted: Counter[tuple[int, str]] = Counter()
    for kind in law.kinds_to_judge():
        if kind.name not in KINDS:
            continue
        breaches = [
            (each.row_id, finding.rule.id)
            for each in law.judge_all(kind.name)
            for finding in each.breaches
            if finding.date is None or finding.date.year == year or finding.date == on
        ]
        owners = law.owners(kind, [row_id for row_id, _ in breaches]) if breaches else {}
        counted.update((owners[row_id], rule) for row_id, rule in breaches if row_id in owners)
    return counted
