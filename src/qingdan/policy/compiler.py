"""From pack to SQL: one SELECT per fact kind that judges every rule of the kind in one scan.

The SELECT reads four relations, whose names are all an engine has to provide:

``facts_<kind>``   the recorded facts: ``row_id``, ``place`` and every column of the kind, typed
``limits_<kind>``  the law, one wide row per place and period: a switch per rule, a figure per parameter and case
``policy_calendar``  per calendar and day: kind of day, vacation, season, running number of working days
``policy_places``  per place: its calendar, its grade system, its attributes

and gives one row per fact that is not compliant throughout: ``row_id``, ``place``, the columns
that the rules and the finding's sentence need, and ``v0 … vn``, the verdicts in the order of ``rules``: SQL's true is
compliant (or not applicable), false a breach, null undetermined.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import sqlglot
from sqlglot import exp

from qingdan.policy.deriving import Derived, check_derived
from qingdan.policy.distinctions import quote
from qingdan.policy.law import FAR_FUTURE, FAR_PAST, Case, Law, LawMaker, LimitColumn, Limits, Span
from qingdan.policy.pack import Pack
from qingdan.policy.provisions import Parameter, Rule
from qingdan.policy.vocabulary import PLACE, Column, FactKind, fields_of

Dialect = Literal["duckdb", "postgres"]

SQL_TYPES = {
    "text": "VARCHAR",
    "class": "VARCHAR",
    "category": "VARCHAR",
    "integer": "BIGINT",
    "money": "BIGINT",
    "clock": "BIGINT",
    "grade": "BIGINT",
    "date": "DATE",
    "boolean": "BOOLEAN",
}

#: Functions of our own that need neither calendar nor place, one tested spelling per engine.
_MONTHS = (
    "((CAST(EXTRACT(YEAR FROM {1}) AS BIGINT) - CAST(EXTRACT(YEAR FROM {0}) AS BIGINT)) * 12"
    " + (CAST(EXTRACT(MONTH FROM {1}) AS BIGINT) - CAST(EXTRACT(MONTH FROM {0}) AS BIGINT))"
    " + CASE WHEN EXTRACT(DAY FROM {1}) >= EXTRACT(DAY FROM {0}) THEN 1 ELSE 0 END)"
)
_AGE = (
    "(CAST(EXTRACT(YEAR FROM {1}) AS BIGINT) - CAST(EXTRACT(YEAR FROM {0}) AS BIGINT)"
    " - CASE WHEN EXTRACT(MONTH FROM {1}) * 100 + EXTRACT(DAY FROM {1})"
    " < EXTRACT(MONTH FROM {0}) * 100 + EXTRACT(DAY FROM {0}) THEN 1 ELSE 0 END)"
)
SPELLINGS: dict[str, dict[Dialect, str]] = {
    "months_covered": {"duckdb": _MONTHS, "postgres": _MONTHS},
    "age_on": {"duckdb": _AGE, "postgres": _AGE},
    "monday_of": {"duckdb": "CAST(DATE_TRUNC('WEEK', {0}) AS DATE)", "postgres": "CAST(DATE_TRUNC('WEEK', {0}) AS DATE)"},
    "days_between": {"duckdb": "CAST({1} - {0} AS BIGINT)", "postgres": "CAST({1} - {0} AS BIGINT)"},
    "percent_of": {
        "duckdb": "(CASE WHEN {1} > 0 THEN ({0} * 100) // {1} END)",
        "postgres": "(CASE WHEN {1} > 0 THEN ({0} * 100) / {1} END)",
    },
}
#: Calendar functions -> the column of ``policy_calendar`` they read.
CALENDAR_COLUMNS = {"day_kind": "day_kind", "in_vacation": "in_vacation", "season_of": "season"}


@dataclass(frozen=True)
class CompiledKind:
    """The SELECT of one fact kind and the wide rows it joins."""

    kind: FactKind
    rules: tuple[Rule, ...]
    sql: str
    limits: Limits
    #: Columns of the result, after ``row_id`` and ``place`` and before the verdicts.
    columns: tuple[str, ...]
    #: For a derived kind: what it sums up, and by which columns.
    derived: Derived | None


class Compiler:
    """Compiles a pack's rules for the layers that the facts come from."""

    def __init__(
        self,
        pack: Pack,
        dialect: Dialect,
        layers: Iterable[str],
        *,
        default_place: str | None = None,
        spans: Mapping[str, Span] = MappingProxyType({}),
    ) -> None:
        """``default_place`` is where facts belong that name no place. ``spans``: kind -> between which days all its facts lie."""
        self.pack = pack
        self.dialect: Dialect = dialect
        self.layers = [pack.layer(code) for code in dict.fromkeys(layers)]
        self.default_place = default_place
        self._law = LawMaker(pack, self.layers, spans)
        self._derived: dict[str, Derived] = {}
        #: Facts come from several files: a sum over a group that some file does not fully name (no school on the sheet) must
        #: not reach into another file. The facts then have a column ``source_number``.
        self.keeps_sources_apart = False

    # ---- facts: attributes of the place, computed columns, derived kinds

    @cached_property
    def calendar(self) -> str | None:
        """The calendar that all places share, or None when they differ."""
        codes = {layer.calendar_code for layer in self.layers}
        return codes.pop() if len(codes) == 1 else None

    @cached_property
    def _grade_systems(self) -> dict[str, dict[str, list[int]]]:
        return {layer.grades_from: dict(layer.grades.stages) for layer in self.layers}

    @cached_property
    def attribute_columns(self) -> list[str]:
        """Columns for which some place has a standing value, in the order of ``policy_places``."""
        return sorted({name for layer in self.layers for name in layer.attributes})

    def derived(self, kind: FactKind) -> Derived:
        """The checked SELECT of a derived kind."""
        if kind.name not in self._derived:
            assert kind.derived is not None
            derived = check_derived(kind, kind.derived, self.pack.vocabulary, [])
            assert derived is not None, "the pack was checked"
            self._derived[kind.name] = derived
        return self._derived[kind.name]

    def _stage(self, grade: str) -> str:
        def of(stages: dict[str, list[int]]) -> str:
            arms = " ".join(f"WHEN {grade} IN ({', '.join(map(str, grades))}) THEN {quote(stage)}" for stage, grades in stages.items())
            return f"(CASE {arms} END)"

        systems = self._grade_systems
        if len(systems) == 1:
            return of(next(iter(systems.values())))
        arms = " ".join(f"WHEN p.grades_from = {quote(name)} THEN {of(stages)}" for name, stages in sorted(systems.items()))
        return f"(CASE {arms} END)"

    def _sql(self, node: exp.Expr) -> str:
        return node.sql(dialect=self.dialect)

    def _function(self, name: str, arguments: Sequence[str], columns: Sequence[str]) -> str:
        if name == "stage_of":
            return self._stage(arguments[0])
        if name in CALENDAR_COLUMNS:
            return f"cal_{columns[0]}.{CALENDAR_COLUMNS[name]}"
        if name == "working_days_between":
            return f"(cal_{columns[1]}.working_day_number - cal_{columns[0]}.working_day_number)"
        if name == "total":
            return f"(CASE WHEN COUNT(*) = COUNT({arguments[0]}) THEN CAST(SUM({arguments[0]}) AS BIGINT) END)"
        return SPELLINGS[name][self.dialect].format(*arguments)

    def _render(self, tree: exp.Expr, column: dict[str, str], parameter: dict[str, str] | None = None) -> str:
        """An expression as SQL: columns and parameters by their given spelling, functions by the engine's."""

        def spell(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Column):
                if node.table:
                    assert parameter is not None
                    return self._parsed(parameter[f"{node.table}.{node.name}"])
                return self._parsed(column[node.name])
            if isinstance(node, exp.Anonymous):
                name = str(node.this).lower()
                columns = [each.name for each in node.expressions if isinstance(each, exp.Column)]
                arguments = [self._render(each, column, parameter) for each in node.expressions]
                return self._parsed(self._function(name, arguments, columns))
            if isinstance(node, exp.Sum):
                return self._parsed(f"CAST(SUM({self._render(node.this, column, parameter)}) AS BIGINT)")
            return node

        return self._sql(_rewrite(tree.copy(), spell))

    def _parsed(self, text: str) -> exp.Expr:
        return exp.Paren(this=sqlglot.parse_one(text, dialect=self.dialect))

    def _own_columns(self, kind: FactKind) -> dict[str, str]:
        """Each column as the record says it, or else as its place has it."""
        found = {}
        for name, column in kind.columns.items():
            spelled = f"f.{name}"
            if name in self.attribute_columns:
                values = {layer.attributes.get(name) for layer in self.layers}
                if len(values) == 1:
                    spelled = f"COALESCE(f.{name}, {self._literal(values.pop(), column)})"
                else:
                    spelled = f"COALESCE(f.{name}, p.{name})"
            found[name] = spelled
        return found

    @staticmethod
    def _literal(value: object, column: Column) -> str:
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, int):
            return str(value)
        return quote(str(value)) if column.type != "date" else f"DATE {quote(str(value))}"

    def ctes(
        self,
        kind: FactKind,
        *,
        given: bool = False,
        restrict_by: Sequence[str] = (),
        needed: Collection[str] | None = None,
        law: Law | None = None,
    ) -> list[tuple[str, str]]:
        """The relations that make up a kind, in order; the last is named like the kind.

        ``given`` takes a derived kind's rows from ``facts_<kind>`` as they are (worked cases). ``restrict_by`` keeps to
        the rows whose columns equal parameters of the statement, in order (a form being saved). ``needed`` leaves out all
        other columns, and with them the joins that only they need. ``law`` brings the wide row of each fact's place and day
        along: its columns are joined before anything is computed, so that what is computed can wait until a rule asks for it.
        """
        needed = self._with_inputs(kind, kind.columns if needed is None else needed)
        if kind.derived is None or given:
            return [(kind.name, self._facts(kind, f"facts_{kind.name}", restrict_by, needed, law, is_recorded=True))]
        derived = self.derived(kind)
        below = self.pack.vocabulary.kinds[derived.source]
        column = {name: f"f.{name}" for name in below.columns}
        sums = {name: tree for name, tree in derived.columns.items() if name in needed}
        selected = [f"{self._render(tree, column)} AS {name}" for name, tree in sums.items()]
        group = [f"f.{name}" for name in (PLACE, *derived.group)]
        # A derived fact goes by the number of the first record it sums up.
        own = [f"MIN(f.row_id) AS row_id, f.{PLACE}"]
        if self.keeps_sources_apart:
            unnamed = " OR ".join(f"{name} IS NULL" for name in group)
            group.append(f"CASE WHEN {unnamed} THEN f.source_number END")
            own.append(f"{group[-1]} AS source_number")
        select = f"SELECT {', '.join([*own, *selected])} FROM {below.name} AS f GROUP BY {', '.join(group)}"
        inputs = {name for each in sums for name in derived.looks_at[each]} | set(derived.group)
        steps = [*self.ctes(below, restrict_by=restrict_by, needed=inputs), (f"{kind.name}_sums", select)]
        return [*steps, (kind.name, self._facts(kind, f"{kind.name}_sums", (), needed, law, is_recorded=False))]

    def _with_inputs(self, kind: FactKind, names: Collection[str]) -> set[str]:
        """Columns of a kind with those that they are computed from."""
        found, waiting = set[str](), list(names)
        while waiting:
            if (name := waiting.pop()) not in found:
                found.add(name)
                if (expression := self.pack.expressions.get((kind.name, name))) is not None:
                    waiting.extend(expression.columns)
        return found

    @property
    def _numbers(self) -> list[str]:
        return ["row_id", "source_number"] if self.keeps_sources_apart else ["row_id"]

    def _facts(
        self, kind: FactKind, source: str, restrict_by: Sequence[str], needed: Collection[str], law: Law | None, *, is_recorded: bool
    ) -> str:
        own = self._own_columns(kind)
        computed = {name: e for (owner, name), e in self.pack.expressions.items() if owner == kind.name and name in needed}
        calendars: dict[str, None] = {}
        for name, expression in computed.items():
            for node in expression.tree.find_all(exp.Anonymous):
                if str(node.this).lower() in (*CALENDAR_COLUMNS, "working_days_between"):
                    calendars.update(dict.fromkeys(each.name for each in node.expressions))
            spelled = self._render(expression.tree, own)
            # What the record itself says goes before what can be computed.
            own[name] = f"COALESCE({own[name]}, {spelled})" if is_recorded or name in self.derived(kind).columns else spelled
        place = f"COALESCE(f.{PLACE}, {quote(self.default_place)})" if self.default_place else f"f.{PLACE}"
        columns = ", ".join([f"{place} AS {PLACE}", *(f"{spelled} AS {name}" for name, spelled in own.items() if name in needed)])
        sql = f"SELECT {', '.join(f'f.{name}' for name in self._numbers)}, {columns}{f', {law.selected}' if law else ''} FROM {source} AS f"
        if "p." in columns or (calendars and self.calendar is None):
            sql += f" LEFT JOIN policy_places AS p ON p.{PLACE} = {place}"
        for name in calendars:
            calendar = quote(self.calendar) if self.calendar is not None else "p.calendar"
            sql += f" LEFT JOIN policy_calendar AS cal_{name} ON cal_{name}.calendar = {calendar} AND cal_{name}.day = f.{name}"
        if law:
            # Each fact meets the one wide row of its place and day.
            day = own[kind.date]
            sql += f" LEFT JOIN limits_{kind.name} AS l ON l.{PLACE} = {place} AND {day} >= l.since AND {day} < l.until"
        if restrict_by:
            marks = [f"f.{name} = {self._mark(index, kind.columns.get(name))}" for index, name in enumerate(restrict_by, start=1)]
            sql += " WHERE " + " AND ".join(marks)
        return sql

    def _mark(self, index: int, column: Column | None) -> str:
        kind = SQL_TYPES[column.type] if column else "BIGINT"
        return f"CAST(${index} AS {kind})"

    # ---- the law

    def cases(self, parameter: Parameter, kind: FactKind) -> list[Case]:
        """Values that stand for every case that the statements of the layers' chains tell apart."""
        return [case for _, case in self._law.cases(parameter, kind)]

    def calendar_table(self) -> Limits:
        """The days of every calendar of the compiler's layers."""
        calendars = {layer.calendar_code: layer for layer in self.layers}
        names = (("calendar", "VARCHAR"), ("day", "DATE"), ("day_kind", "VARCHAR"), ("in_vacation", "BOOLEAN"))
        rows = tuple(
            (code, day.day, day.day_kind, day.in_vacation, day.season, day.working_day_number)
            for code, layer in calendars.items()
            for day in self.pack.calendar(layer)
        )
        return Limits((*names, ("season", "VARCHAR"), ("working_day_number", "BIGINT")), rows)

    def places_table(self) -> Limits:
        """Calendar, grade system and standing values of each layer."""
        kinds = self.pack.vocabulary.kinds.values()
        types = {
            name: next(SQL_TYPES[kind.columns[name].type] for kind in kinds if name in kind.columns) for name in self.attribute_columns
        }
        rows = tuple(
            (layer.code, layer.calendar_code, layer.grades_from, *(layer.attributes.get(name) for name in types)) for layer in self.layers
        )
        return Limits(((PLACE, "VARCHAR"), ("calendar", "VARCHAR"), ("grades_from", "VARCHAR"), *types.items()), rows)

    def limits(self, kind: FactKind, rules: Sequence[Rule]) -> Limits:
        """The wide rows of a kind for the compiler's layers."""
        return self._law.law(kind, rules).limits

    # ---- the judgement

    def kinds_to_judge(self, recorded: Iterable[str]) -> list[FactKind]:
        """The given recorded kinds and all that derive from them, where some rule looks at them."""
        names = list(dict.fromkeys(recorded))
        for name in names:
            names.extend(kind.name for kind in self.pack.vocabulary.derived_from(name) if kind.name not in names)
        return [self.pack.vocabulary.kinds[name] for name in names if self.rules(name)]

    def root(self, kind: FactKind) -> FactKind:
        """The recorded kind that a kind derives from, at whatever depth; itself when it is recorded."""
        while kind.derived is not None:
            kind = self.pack.vocabulary.kinds[kind.derived.source]
        return kind

    def rules(self, kind: str) -> list[Rule]:
        """The rules over a kind in the chains of the compiler's layers."""
        return self.pack.rules_of(kind, [layer.code for layer in self.layers])

    def needed_columns(self, kind: FactKind, rules: Sequence[Rule]) -> list[str]:
        """The columns that a finding shows: key, subject, date, and what the rules and their sentences look at."""
        names: dict[str, None] = dict.fromkeys([kind.date, *kind.key, *fields_of(kind.subject)])
        if kind.derived is not None:
            names.update(dict.fromkeys(self.derived(kind).group))
        for rule in rules:
            names.update(dict.fromkeys([*self.pack.columns_of(rule), *fields_of(rule.says)]))
        return [name for name in names if name in kind.columns]

    def _parts(self, rule: Rule, column: dict[str, str], parameter: dict[str, str]) -> tuple[str | None, str]:
        """A rule's condition and requirement as SQL."""
        require = self._render(self.pack.expressions[rule.id, "require"].tree, column, parameter)
        when = self.pack.expressions.get((rule.id, "when"))
        return None if when is None else self._render(when.tree, column, parameter), require

    @staticmethod
    def _verdict(switch: str, when: str | None, require: str) -> str:
        """A rule as one three-valued SQL condition: it is off, or does not apply, or what it requires holds."""
        return f"(NOT {switch} OR {f'NOT ({when}) OR ' if when else ''}({require}))"

    @staticmethod
    def _hit(switch: str, when: str | None, require: str) -> str:
        """Whether the verdict is not true, in parts that each say yes or no: an engine stops at the first no."""
        return f"({f'({when}) IS NOT FALSE AND ' if when else ''}({require}) IS NOT TRUE AND {switch} IS NOT FALSE)"

    def compile(
        self,
        kind: FactKind,
        *,
        rules: Sequence[Rule] | None = None,
        given: bool = False,
        restrict_by: Sequence[str] = (),
        every_fact: bool = False,
    ) -> CompiledKind:
        """The SELECT that judges a kind; ``every_fact`` keeps the compliant ones too."""
        chosen = tuple(self.rules(kind.name) if rules is None else rules)
        law = self._law.law(kind, chosen)
        parts = list(self._judged(kind, chosen, law))
        shown = self.needed_columns(kind, chosen)
        columns = [f"f.{name}" for name in (*self._numbers, PLACE, *shown)]
        columns += [f"{self._verdict(*each)} AS v{index}" for index, each in enumerate(parts)]
        where = "" if every_fact else f" WHERE {self._sieve(kind, chosen, law)}({' OR '.join(self._hit(*each) for each in parts)})"
        ctes = self._with(self.ctes(kind, given=given, restrict_by=restrict_by, needed=shown, law=law))
        sql = f"{ctes} SELECT {', '.join(columns)} FROM {kind.name} AS f{where}"
        derived = None if kind.derived is None or given else self.derived(kind)
        return CompiledKind(kind, chosen, sql, law.limits, tuple(shown), derived)

    def compile_applicability(self, kind: FactKind, rules: Sequence[Rule]) -> CompiledKind:
        """A SELECT of one row: per rule, how many facts it applies to or might apply to."""
        law = self._law.law(kind, rules)
        counts = [
            f"COUNT(*) FILTER (WHERE ({switch} AND ({when or 'TRUE'})) IS NOT FALSE)" for switch, when, _ in self._judged(kind, rules, law)
        ]
        ctes = self._with(self.ctes(kind, needed=self.needed_columns(kind, rules), law=law))
        return CompiledKind(kind, tuple(rules), f"{ctes} SELECT {', '.join(counts)} FROM {kind.name} AS f", law.limits, (), None)

    def _sieve(self, kind: FactKind, rules: Sequence[Rule], law: Law) -> str:
        """A condition over the fact alone that every fact with a hit meets, so that most facts never meet the law; may be empty.

        A figure's place is taken by the strictest one of all places and periods: who keeps to that keeps to his own. Only for
        facts known to lie where and when the law has a row; a day that is missing, or beyond all law, lets a fact through.
        """
        if kind.name not in self._law.spans:
            return ""
        column = {name: f"f.{name}" for name in kind.columns}
        columns = self._law.limit_columns(kind, rules)
        least = {name: self._chosen_case(cases, law.least) for name, cases in columns.items()}
        most = {name: self._chosen_case(cases, law.most) for name, cases in columns.items()}
        day = f"f.{kind.date}"
        parts = [f"({day} >= DATE '{FAR_PAST}' AND {day} < DATE '{FAR_FUTURE}') IS NOT TRUE"]
        for rule in rules:
            strictest = strictest_requirement(self.pack.expressions[rule.id, "require"].tree)
            if strictest is None:
                return ""
            checks = [f"({self._render(tree, column, most if is_high else least)}) IS NOT TRUE" for tree, is_high in strictest]
            part = f"({' OR '.join(checks)})"
            when = self.pack.expressions.get((rule.id, "when"))
            if when is not None and not when.parameters:
                part = f"({self._render(when.tree, column)}) IS NOT FALSE AND {part}"
            parts.append(f"({part})")
        return f"({' OR '.join(parts)}) AND "

    @staticmethod
    def _with(steps: Iterable[tuple[str, str]]) -> str:
        return "WITH " + ", ".join(f"{name} AS ({sql})" for name, sql in steps)

    def _judged(self, kind: FactKind, rules: Sequence[Rule], law: Law) -> Iterator[tuple[str, str | None, str]]:
        """Per rule its switch, condition and requirement over the kind's relation."""
        parameter = {name: self._chosen_case(columns, law.column) for name, columns in self._law.limit_columns(kind, rules).items()}
        column = {name: f"f.{name}" for name in kind.columns}
        for index, rule in enumerate(rules):
            yield law.column(f"r{index}"), *self._parts(rule, column, parameter)

    @staticmethod
    def _chosen_case(columns: Sequence[tuple[LimitColumn, str]], spelled: Callable[[str], str]) -> str:
        if not columns:
            return "NULL"
        if len(columns) == 1 and not columns[0][1]:
            return spelled(columns[0][0].name)
        arms = " ".join(f"WHEN {condition} THEN {spelled(column.name)}" for column, condition in columns)
        return f"CASE {arms} END"


def strictest_requirement(tree: exp.Expr) -> list[tuple[exp.Expr, bool]] | None:
    """The comparisons that make up a requirement, all of which must hold, each with whether a figure in it bounds from below.

    None for a requirement in which a figure stands otherwise than alone on one side of <, <=, > or >=: which figure would be
    the strictest is then not known.
    """
    tree = tree.unnest()
    if isinstance(tree, exp.And):
        left, right = strictest_requirement(tree.this), strictest_requirement(tree.expression)
        return None if left is None or right is None else left + right
    figures = [node for node in tree.find_all(exp.Column) if node.table]
    if not figures:
        return [(tree, False)]
    if len(figures) > 1 or not isinstance(tree, exp.LT | exp.LTE | exp.GT | exp.GTE):
        return None
    left, right = tree.this.unnest(), tree.expression.unnest()
    if figures[0] is not left and figures[0] is not right:
        return None
    return [(tree, isinstance(tree, exp.GT | exp.GTE) == (figures[0] is right))]


def _rewrite(node: exp.Expr, spell: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Replace nodes from the top down; what a replacement brings in is left as it is."""
    replaced = spell(node)
    if replaced is not node:
        return replaced
    for child in list(node.iter_expressions()):
        new = _rewrite(child, spell)
        if new is not child:
            child.replace(new)
    return node
