"""How findings add up: one statement counts them by everything that a page tells apart, and the page sums what it shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from qingdan.findings.enums import DECIDED, PENDING, FindingStatus
from qingdan.policy.packs import default_pack


@dataclass(frozen=True)
class Count:
    """So many findings that are alike in all of these."""

    organisation_id: int
    kind: str
    rule_id: str
    day_kind: str
    status: str
    number: int


@dataclass
class Group:
    """The findings that share a value."""

    value: Any
    whole: int = 0
    #: Somebody has still to act: ``unanswered`` the organisation, ``undecided`` the bureau.
    pending: int = 0
    unanswered: int = 0
    undecided: int = 0
    #: Decided, or gone by themselves.
    ended: int = 0

    def add(self, count: Count) -> None:
        """Take some more in."""
        self.whole += count.number
        if count.status in PENDING:
            self.pending += count.number
        if count.status == FindingStatus.OPEN:
            self.unanswered += count.number
        elif count.status in PENDING:
            self.undecided += count.number
        if count.status in (*DECIDED, FindingStatus.GONE):
            self.ended += count.number


def grouped(counts: Iterable[Count], name: str) -> list[Group]:
    """The groups by one of the fields, the one with most to do first."""
    found: dict[Any, Group] = {}
    for count in counts:
        value = getattr(count, name)
        found.setdefault(value, Group(value)).add(count)
    return sorted(found.values(), key=lambda group: (-group.pending, -group.whole, str(group.value)))


def by_status(counts: Iterable[Count]) -> dict[str, int]:
    """Status -> how many."""
    found: dict[str, int] = {}
    for count in counts:
        found[count.status] = found.get(count.status, 0) + count.number
    return found


def rule_title(rule_id: str) -> str:
    """A rule's title; its id when the pack no longer has it."""
    rule = default_pack().rules.get(rule_id)
    return rule.title if rule is not None else rule_id
