"""``policy trace``: every clause with what carries it out, and the counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from qingdan.policy.documents import SCREENS, Clause, Document
from qingdan.policy.pack import Pack

#: What carries a clause out, the strongest first; a clause is counted under its strongest.
SORTS: dict[str, str] = {
    "rule": "规则",
    "duty": "职责",
    "indicator": "指标",
    "screen": "页面",
    "planned": "计划",
    "goal": "目标",
}


@dataclass(frozen=True)
class Link:
    """One thing that carries a clause out: what it is, its id, and its Chinese title."""

    sort: str
    id: str
    title: str


@dataclass(frozen=True)
class Traced:
    """A clause with everything that carries it out."""

    document: Document
    clause: Clause
    links: tuple[Link, ...]

    @property
    def strongest(self) -> str:
        """The sort under which the clause is counted."""
        return min((link.sort for link in self.links), key=list(SORTS).index)


def trace(pack: Pack) -> list[Traced]:
    """Every clause of every document, in the order of the documents."""
    titles = {duty.id: duty.title for _, duty in pack.duties}
    titles |= {indicator.id: indicator.title for _, indicator in pack.indicators}
    titles |= {**SCREENS, **pack.capabilities}
    found = []
    for document in pack.documents.values():
        for clause in document.clauses:
            links = [Link("rule", rule.id, rule.title) for rule in pack.rules_by_clause.get(clause.id, ())]
            links += [Link(carrier.sort, carrier.name, titles.get(carrier.name, SORTS[carrier.sort])) for carrier in clause.carried_out_by]
            found.append(Traced(document, clause, tuple(sorted(links, key=lambda link: list(SORTS).index(link.sort)))))
    return found


def counts_by_document(traced: list[Traced]) -> dict[str, Counter[str]]:
    """Document id -> how many clauses are carried out by what, each clause counted once."""
    found: dict[str, Counter[str]] = {}
    for each in traced:
        found.setdefault(each.document.id, Counter())[each.strongest] += 1
    return found
