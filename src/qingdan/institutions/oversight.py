"""What the findings say of institutions. The findings stand on a floor above this one: they tell it here, when they are there."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Protocol

from qingdan.accounts.models import User
from qingdan.institutions.enums import TrainingField


@dataclass(frozen=True)
class SettledFinding:
    """A breach that the bureau has closed, as the public may read it: no sentence, for a sentence may name people."""

    title: str
    #: Clause id (empty when the library no longer has it) and how it is cited.
    cites: tuple[tuple[str, str], ...]
    found_on: datetime.date
    settled_on: datetime.date


@dataclass(frozen=True)
class FieldCount:
    """Findings about institutions of one field, over one kind of fact."""

    field: str
    kind: str
    #: Somebody has still to act.
    pending: int
    whole: int


@dataclass(frozen=True)
class Cell:
    """One square of the map."""

    field: str
    kind: str
    pending: int = 0
    whole: int = 0


@dataclass(frozen=True)
class Map:
    """Where findings gather, without geography: what is taught down, what is judged across."""

    #: Code and Chinese name of each kind of fact that has findings.
    kinds: tuple[tuple[str, str], ...]
    #: Code and Chinese name of a field, its squares in the order of the kinds, and their sum.
    rows: tuple[tuple[str, str, tuple[Cell, ...], Cell], ...]
    pending: int

    @property
    def most(self) -> int:
        """The most that any square has pending."""
        return max((cell.pending for _, _, cells, _ in self.rows for cell in cells), default=0)


class Oversight(Protocol):
    """What the findings answer."""

    def settled(self, organisation_id: int) -> list[SettledFinding]:
        """The closed breaches of one institution, the latest first."""

    def counts(self, user: User) -> list[FieldCount]:
        """The findings about the institutions that a user oversees."""


class _Silent:
    """There are no findings in this house."""

    def settled(self, organisation_id: int) -> list[SettledFinding]:
        """None."""
        return []

    def counts(self, user: User) -> list[FieldCount]:
        """None."""
        return []


_told: list[Oversight] = [_Silent()]


def register(oversight: Oversight) -> None:
    """Let the findings speak; the last one counts."""
    _told[:] = [oversight]


def settled_findings(organisation_id: int) -> list[SettledFinding]:
    """The closed breaches of one institution, the latest first."""
    return _told[0].settled(organisation_id)


def finding_counts(user: User) -> list[FieldCount]:
    """The findings about the institutions that a user oversees, by field and kind of fact."""
    return _told[0].counts(user)


def findings_map(counts: list[FieldCount], labels: dict[str, str]) -> Map:
    """The squares of what has been counted; ``labels`` names the kinds in Chinese.

    A kind of fact is what a rule speaks of (a session, a course, a teacher): finer than the folders in which the rules lie.
    """
    cells = {(each.field, each.kind): Cell(each.field, each.kind, each.pending, each.whole) for each in counts}
    kinds = sorted({each.kind for each in counts}, key=lambda kind: (-sum(c.whole for c in counts if c.kind == kind), kind))
    rows = []
    for field, label in TrainingField.choices:
        own = tuple(cells.get((field, kind), Cell(field, kind)) for kind in kinds)
        if any(cell.whole for cell in own):
            total = Cell(field, "", sum(cell.pending for cell in own), sum(cell.whole for cell in own))
            rows.append((field, str(label), own, total))
    return Map(tuple((kind, labels.get(kind, kind)) for kind in kinds), tuple(rows), sum(row[3].pending for row in rows))
