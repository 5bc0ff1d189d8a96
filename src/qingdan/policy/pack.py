"""The pack: everything the law says, checked, and the one place that answers "which limit, here, that day?".

Nothing in here reads a clock. A figure outside its dates raises; nothing is guessed.
"""

from __future__ import annotations

import datetime
import gc
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from qingdan.policy.calendars import CalendarDay, calendar_days
from qingdan.policy.checking import check_pack
from qingdan.policy.documents import Blank, Clause, Document, Duty, Indicator
from qingdan.policy.expressions import Expression
from qingdan.policy.layers import Layer
from qingdan.policy.lexicons import Lexicon
from qingdan.policy.loading import Loaded, load_files, pack_files
from qingdan.policy.provisions import OTHERWISE, Band, Cell, Figure, Parameter, ProvisionFile, Rule, Statement, SwitchOff
from qingdan.policy.sources import PackError, Source, nearest
from qingdan.policy.units import show_quantity
from qingdan.policy.vocabulary import Vocabulary


class UnknownLayer(LookupError):
    """A layer code that the pack does not have."""


class OutsideDates(LookupError):
    """No figure of a parameter is in force at this place on this day for this case."""


@dataclass(frozen=True)
class Limit:
    """A parameter's figure at one place on one day, and the statement that sets it."""

    parameter: Parameter
    value: Figure
    statement: Statement

    @property
    def text(self) -> str:
        """The figure with its unit, in Chinese."""
        return show_quantity(self.value, self.parameter.unit)


def cell_holds(cell: Cell, concrete: Sequence[str | int | bool | None]) -> int | None:
    """How exactly a statement's cell fits concrete values: 0 for every dimension named, one more for each ``otherwise``; None if not."""
    looseness = 0
    for key, value in zip(cell, concrete, strict=True):
        if key == OTHERWISE:
            looseness += 1
        elif (band := Band.parse(key)) is not None:
            if isinstance(value, bool) or not isinstance(value, int) or not band.holds(value):
                return None
        elif key != (str(value).lower() if isinstance(value, bool) else str(value)):
            return None
    return looseness


def _by_rule_and_layer(loaded: Loaded) -> dict[tuple[str, str], list[str]]:
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for layer, restatement, _, _ in loaded.restatements:
        found[restatement.rule, layer].extend(restatement.cites)
    return dict(found)


class Pack:
    """A checked policy pack. Build it with :meth:`load`."""

    def __init__(self, loaded: Loaded) -> None:
        """Check what was loaded against itself; raise PackError with every problem."""
        checked = check_pack(loaded)
        if loaded.problems:
            raise PackError(loaded.problems)
        self.vocabulary: Vocabulary = loaded.vocabulary
        self.capabilities: Mapping[str, str] = loaded.capabilities
        self.layers: Mapping[str, Layer] = checked.layers
        self.documents: Mapping[str, Document] = {document.id: document for document in loaded.documents}
        self.clauses: Mapping[str, tuple[Document, Clause]] = checked.clauses
        self.duties: Sequence[tuple[str, Duty]] = [(layer, duty) for layer, duty, _, _ in loaded.duties]
        self.indicators: Sequence[tuple[str, Indicator]] = [(layer, indicator) for layer, indicator, _, _ in loaded.indicators]
        self.blanks: Sequence[tuple[str, Blank]] = loaded.blanks
        self.parameters: Mapping[str, Parameter] = checked.parameters
        self.statements: Mapping[str, Sequence[Statement]] = checked.statements
        self.rules: Mapping[str, Rule] = checked.rules
        self.switch_offs: Sequence[SwitchOff] = checked.switch_offs
        #: (rule, layer) -> clauses of that layer which say again what the rule judges.
        self.restatements: Mapping[tuple[str, str], Sequence[str]] = _by_rule_and_layer(loaded)
        #: (layer, file, source) of every provision, in force or not.
        self.provisions: Sequence[tuple[str, ProvisionFile, Source]] = [
            (layer, file, source) for layer, _, file, source in loaded.provisions
        ]
        self.lexicons: Mapping[str, Lexicon] = checked.lexicons
        self._calendars: dict[str, Sequence[CalendarDay]] = {}
        #: Rules, their parts and computed columns with types and trees: ``(rule id, "require")``, ``("kind", "column")``.
        self.expressions: Mapping[tuple[str, str], Expression] = checked.expressions

    @classmethod
    def load(cls, *folders: Path) -> Pack:
        """Read the folders one over the other; raise PackError with file, line, column and reason for every problem."""
        # Thousands of small objects that all stay: looking among them for garbage is most of the work, and finds none.
        was_collecting = gc.isenabled()
        gc.disable()
        try:
            return cls(load_files(pack_files(folders)))
        finally:
            if was_collecting:
                gc.enable()

    def layer(self, code: str) -> Layer:
        """A layer by its code; raise UnknownLayer with the nearest one."""
        if code not in self.layers:
            raise UnknownLayer(f"没有名为“{code}”的层{nearest(code, self.layers)}\n已有：{'、'.join(sorted(self.layers))}")
        return self.layers[code]

    def lexicon(self, name: str) -> Lexicon:
        """A word list by its name; raise KeyError for one that the pack does not have."""
        return self.lexicons[name]

    def calendar(self, layer: Layer) -> Sequence[CalendarDay]:
        """The days of a layer's calendar; computed once per calendar."""
        if layer.calendar_code not in self._calendars:
            self._calendars[layer.calendar_code] = tuple(calendar_days([calendar for _, calendar in layer.calendars]))
        return self._calendars[layer.calendar_code]

    @cached_property
    def statements_by_layer(self) -> Mapping[tuple[str, str], list[Statement]]:
        """Parameter and layer -> what that layer itself says of it; what one place needs, found without a walk through all places."""
        found: defaultdict[tuple[str, str], list[Statement]] = defaultdict(list)
        for name, statements in self.statements.items():
            for statement in statements:
                found[name, statement.layer].append(statement)
        return found

    def find(self, name: str, *, at: str, on: datetime.date, case: Sequence[str | int | bool | None] = ()) -> Statement | None:
        """The statement that sets a parameter at a place on a day, or None: the nearest layer with a word on the case has it."""
        for code in self.layers[at].chain:
            best: tuple[int, Statement] | None = None
            for statement in self.statements_by_layer.get((name, code), ()):
                if not statement.in_force(on):
                    continue
                looseness = cell_holds(statement.cell, case)
                if looseness is not None and (best is None or looseness < best[0]):
                    best = (looseness, statement)
            if best is not None:
                return best[1]
        return None

    def value(self, name: str, *, at: str, on: datetime.date, case: Sequence[str | int | bool | None] = ()) -> Limit:
        """The figure in force, with its source.

        ``case`` gives the values of the parameter's ``by`` columns, in order. Raises OutsideDates when no layer of the
        chain has a figure for that day and case, KeyError for an unknown parameter, UnknownLayer for an unknown place.
        """
        parameter = self.parameters[name]
        statement = self.find(name, at=self.layer(at).code, on=on, case=case)
        if statement is None:
            of_case = f"（{'、'.join(map(str, case))}）" if case else ""
            raise OutsideDates(f"{on}：{self.layers[at].name}没有有效的“{parameter.label}”{of_case}")
        return Limit(parameter, statement.value, statement)

    def rule_is_on(self, rule: Rule, *, at: str, on: datetime.date) -> bool:
        """Whether a rule applies at a place on a day: in force there, and neither replaced nor switched off below its layer."""
        chain = self.layers[at].chain
        if rule.layer not in chain or not (rule.since <= on and (rule.until is None or on < rule.until)):
            return False
        below = chain[: chain.index(rule.layer)]
        if any(off.rule == rule.id and off.layer in below and off.in_force(on) for off in self.switch_offs):
            return False
        return not any(
            other.replaces == rule.id and other.layer in below and self.rule_is_on(other, at=at, on=on) for other in self.rules.values()
        )

    def rules_in_force(self, *, at: str, on: datetime.date) -> list[Rule]:
        """Every rule that applies at a place on a day, by id."""
        return [rule for _, rule in sorted(self.rules.items()) if self.rule_is_on(rule, at=at, on=on)]

    def rules_of(self, kind: str, layers: Iterable[str]) -> list[Rule]:
        """The rules over one fact kind that some of the layers' chains hold, whatever the day; by id."""
        chains = {code for layer in layers for code in self.layers[layer].chain}
        return [rule for _, rule in sorted(self.rules.items()) if rule.facts == kind and rule.layer in chains]

    @cached_property
    def rules_by_clause(self) -> Mapping[str, list[Rule]]:
        """Clause id -> the rules that cite it, or whose figures do."""
        found: defaultdict[str, dict[str, Rule]] = defaultdict(dict)
        for rule in self.rules.values():
            cited = set(rule.cites)
            for name in self.parameters_of(rule):
                cited.update(cite for statement in self.statements[name] for cite in statement.cites)
            for clause in cited:
                found[clause][rule.id] = rule
        for off in self.switch_offs:
            for clause in off.cites:
                found[clause].setdefault(off.rule, self.rules[off.rule])
        for (rule_id, _), cites in self.restatements.items():
            for clause in cites:
                found[clause].setdefault(rule_id, self.rules[rule_id])
        return {clause: [rules[key] for key in sorted(rules)] for clause, rules in found.items()}

    def cites_at(self, rule: Rule, *, at: str, on: datetime.date | None) -> list[str]:
        """The clauses that a rule stands on at a place and day: those that restate it there, the nearest layer first, then its own."""
        restated = [
            cite
            for code in self.layers[at].chain
            for cite in self.restatements.get((rule.id, code), ())
            if on is None or self.clauses[cite][0].in_force(on)
        ]
        return list(dict.fromkeys([*restated, *rule.cites]))

    def parameters_of(self, rule: Rule) -> list[str]:
        """The parameters that a rule looks at, in the order it names them."""
        names: dict[str, None] = {}
        for part in ("when", "require"):
            if (expression := self.expressions.get((rule.id, part))) is not None:
                names.update(dict.fromkeys(expression.parameters))
        return list(names)

    def columns_of(self, rule: Rule) -> list[str]:
        """The columns that a rule looks at, in the order it names them."""
        names: dict[str, None] = {}
        for part in ("when", "require"):
            if (expression := self.expressions.get((rule.id, part))) is not None:
                names.update(dict.fromkeys(expression.columns))
        return list(names)

    def show_cell(self, parameter: Parameter, cell: Cell) -> str:
        """The case of a figure in Chinese: ``小学中高年级``, ``班额 (10,35]``; empty for a figure without cases."""
        shown = []
        for dimension, key in zip(parameter.by, cell, strict=True):
            column = next(kind.columns[dimension] for kind in self.vocabulary.kinds.values() if dimension in kind.columns)
            if key == OTHERWISE:
                shown.append(f"其他{column.label}")
            elif column.type == "category":
                shown.append(self.vocabulary.category_of(column).label(key))
            elif column.type == "boolean":
                shown.append(column.label.removeprefix("是否") if key == "true" else f"非{column.label.removeprefix('是否')}")
            else:
                shown.append(f"{column.label} {key}")
        return "、".join(shown)

    def cite(self, clause_id: str) -> str:
        """A clause as it is cited in a sentence: ``上海问答 问答3·三是``."""
        document, clause = self.clauses[clause_id]
        return f"{document.short} {clause.locator}"
