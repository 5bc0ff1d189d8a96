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

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product
from typing import Literal

import sqlglot
from sqlglot import exp

from qingdan.policy.deriving import Derived, check_derived
from qingdan.policy.distinctions import distinctions, quote
from qingdan.policy.pack import Pack
from qingdan.policy.provisions import Figure, Parameter, Rule
from qingdan.policy.vocabulary import PLACE, Column, FactKind, fields_of

Dialect = Literal["duckdb", "postgres"]
FAR_PAST = datetime.date(1900, 1, 1)
FAR_FUTURE = datetime.date(9999, 12, 31)

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
class LimitColumn:
    """One column of the wide row: a parameter's figure for one case."""

    name: str
    parameter: Parameter
    case: tuple[str | int | bool | None, ...]


@dataclass(frozen=True)
class Limits:
    """The wide rows of one kind: place, first day, first day no longer included, switches and figures."""

    columns: tuple[tuple[str, str], ...]  # name, SQL type
    rows: tuple[tuple[object, ...], ...]


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

    def __init__(self, pack: Pack, dialect: Dialect, layers: Iterable[str], *, default_place: str | None = None) -> None:
        self.pack = pack
        self.dialect: Dialect = dialect
        self.layers = [pack.layer(code) for code in dict.fromkeys(layers)]
        self.default_place = default_place
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
        assert kind.derived is not None
        derived = check_derived(kind, kind.derived, self.pack.vocabulary, [])
        assert derived is not None, "the pack was checked"
        return derived

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
            values = {code.code: code.attributes.get(name) for code in self.layers}
            if name in self.attribute_columns:
                if len(set(values.values())) == 1:
                    spelled = f"COALESCE(f.{name}, {self._literal(next(iter(values.values())), column)})"
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

    def ctes(self, kind: FactKind, *, given: bool = False, restrict_by: Sequence[str] = ()) -> list[tuple[str, str]]:
        """The relations that make up a kind, in order; the last is named like the kind.

        ``given`` takes a derived kind's rows from ``facts_<kind>`` as they are (worked cases). ``restrict_by`` keeps to
        the rows whose columns equal parameters of the statement, in order (a form being saved).
        """
        if kind.derived is not None and not given:
            derived = self.derived(kind)
            below = self.pack.vocabulary.kinds[derived.source]
            column = {name: f"f.{name}" for name in below.columns}
            selected = [f"{self._render(tree, column)} AS {name}" for name, tree in derived.columns.items()]
            group = [f"f.{name}" for name in (PLACE, *derived.group)]
            apart = ""
            if self.keeps_sources_apart:
                unnamed = " OR ".join(f"{name} IS NULL" for name in group)
                group.append(f"CASE WHEN {unnamed} THEN f.source_number END")
                apart = f", {group[-1]} AS source_number"
            # A derived fact goes by the number of the first record it sums up.
            select = (
                f"SELECT MIN(f.row_id) AS row_id, f.{PLACE}{apart}, {', '.join(selected)} "
                f"FROM {below.name} AS f GROUP BY {', '.join(group)}"
            )
            steps = [*self.ctes(below, restrict_by=restrict_by), (f"{kind.name}_sums", select)]
            return [*steps, (kind.name, self._facts(kind, f"{kind.name}_sums", (), is_recorded=False))]
        return [(kind.name, self._facts(kind, f"facts_{kind.name}", restrict_by, is_recorded=True))]

    @property
    def _source_number(self) -> str:
        return "f.source_number, " if self.keeps_sources_apart else ""

    def _facts(self, kind: FactKind, source: str, restrict_by: Sequence[str], *, is_recorded: bool) -> str:
        own = self._own_columns(kind)
        computed = {name: e for (owner, name), e in self.pack.expressions.items() if owner == kind.name}
        calendars: dict[str, None] = {}
        for name, expression in computed.items():
            for node in expression.tree.find_all(exp.Anonymous):
                if str(node.this).lower() in (*CALENDAR_COLUMNS, "working_days_between"):
                    calendars.update(dict.fromkeys(each.name for each in node.expressions))
            spelled = self._render(expression.tree, own)
            # What the record itself says goes before what can be computed.
            own[name] = f"COALESCE({own[name]}, {spelled})" if is_recorded or name in self.derived(kind).columns else spelled
        place = f"COALESCE(f.{PLACE}, {quote(self.default_place)})" if self.default_place else f"f.{PLACE}"
        columns = ", ".join(f"{spelled} AS {name}" for name, spelled in own.items())
        sql = f"SELECT f.row_id, {self._source_number}{place} AS {PLACE}, {columns} FROM {source} AS f"
        if "p." in columns or (calendars and self.calendar is None):
            sql += f" LEFT JOIN policy_places AS p ON p.{PLACE} = {place}"
        for name in calendars:
            calendar = quote(self.calendar) if self.calendar is not None else "p.calendar"
            sql += f" LEFT JOIN policy_calendar AS cal_{name} ON cal_{name}.calendar = {calendar} AND cal_{name}.day = f.{name}"
        if restrict_by:
            marks = [f"f.{name} = {self._mark(index, kind.columns.get(name))}" for index, name in enumerate(restrict_by, start=1)]
            sql += " WHERE " + " AND ".join(marks)
        return sql

    def _mark(self, index: int, column: Column | None) -> str:
        kind = SQL_TYPES[column.type] if column else "BIGINT"
        return f"CAST(${index} AS {kind})"

    # ---- the law: wide rows per place and period

    def limit_columns(self, kind: FactKind, rules: Sequence[Rule]) -> dict[str, list[tuple[LimitColumn, str]]]:
        """Parameter -> its wide-row columns, each with the SQL condition of its case (over ``f``)."""
        found: dict[str, list[tuple[LimitColumn, str]]] = {}
        count = 0
        for rule in rules:
            for name in self.pack.parameters_of(rule):
                if name in found:
                    continue
                found[name] = []
                for condition, case in self._cases(self.pack.parameters[name], kind):
                    found[name].append((LimitColumn(f"c{count}", self.pack.parameters[name], case), condition))
                    count += 1
        return found

    def cases(self, parameter: Parameter, kind: FactKind) -> list[tuple[str | int | bool | None, ...]]:
        """Values that stand for every case that the statements of the layers' chains tell apart."""
        return [case for _, case in self._cases(parameter, kind)]

    def _cases(self, parameter: Parameter, kind: FactKind) -> Iterator[tuple[str, tuple[str | int | bool | None, ...]]]:
        """Every case that some statement tells apart: its SQL condition and values that stand for it."""
        chains = {code for layer in self.layers for code in layer.chain}
        cells = [each.cell for each in self.pack.statements.get(parameter.name, ()) if each.layer in chains]
        per_dimension = [
            list(distinctions(dimension, kind.columns[dimension], {cell[index] for cell in cells}))
            for index, dimension in enumerate(parameter.by)
        ]
        for atoms in product(*per_dimension):
            condition = " AND ".join(condition for condition, _ in atoms)
            yield condition, tuple(value for _, value in atoms)

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
        cells = [column for columns in self.limit_columns(kind, rules).values() for column, _ in columns]
        names = [(PLACE, "VARCHAR"), ("since", "DATE"), ("until", "DATE")]
        names += [(f"r{index}", "BOOLEAN") for index in range(len(rules))]
        names += [(column.name, "DATE" if column.parameter.is_date else "BIGINT") for column in cells]
        rows: list[tuple[object, ...]] = []
        for layer in self.layers:
            rows.extend(self._periods(layer.code, layer.chain, rules, cells))
        return Limits(tuple(names), tuple(rows))

    def _periods(
        self, place: str, chain: Sequence[str], rules: Sequence[Rule], cells: Sequence[LimitColumn]
    ) -> Iterator[tuple[object, ...]]:
        days: set[datetime.date] = set()
        for rule in rules:
            days |= {rule.since, *([rule.until] if rule.until else [])}
        replacing = [rule for rule in self.pack.rules.values() if rule.replaces and rule.layer in chain]
        offs = [off for off in self.pack.switch_offs if off.layer in chain]
        changes = [(rule.since, rule.until) for rule in replacing] + [(off.since, off.until) for off in offs]
        for since, until in changes:
            days |= {since, *([until] if until else [])}
        for name in {column.parameter.name for column in cells}:
            for statement in self.pack.statements.get(name, ()):
                if statement.layer in chain:
                    days |= {statement.since, *([statement.until] if statement.until else [])}
        edges = [FAR_PAST, *sorted(days), FAR_FUTURE]
        last: list[object] | None = None
        start = FAR_PAST
        for since, until in pairwise(edges):
            row: list[object] = [self.pack.rule_is_on(rule, at=place, on=since) for rule in rules]
            row += [self._figure(column, place, since) for column in cells]
            if last is not None and row != last:
                yield (place, start, since, *last)
                start = since
            last = row
            if until == FAR_FUTURE:
                yield (place, start, FAR_FUTURE, *row)

    def _figure(self, column: LimitColumn, place: str, on: datetime.date) -> Figure | None:
        statement = self.pack.find(column.parameter.name, at=place, on=on, case=column.case)
        return None if statement is None else statement.value

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

    def verdict(self, rule: Rule, column: dict[str, str], parameter: dict[str, str]) -> str:
        """A rule as one three-valued SQL condition: it does not apply, or what it requires holds."""
        require = self._render(self.pack.expressions[rule.id, "require"].tree, column, parameter)
        if rule.when is None:
            return f"({require})"
        when = self._render(self.pack.expressions[rule.id, "when"].tree, column, parameter)
        return f"(NOT ({when}) OR ({require}))"

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
        parameter = {name: self._chosen_case(columns) for name, columns in self.limit_columns(kind, chosen).items()}
        column = {name: f"f.{name}" for name in kind.columns}
        shown = self.needed_columns(kind, chosen)
        verdicts = [f"(NOT l.r{index} OR {self.verdict(rule, column, parameter)}) AS v{index}" for index, rule in enumerate(chosen)]
        ctes = ", ".join(f"{name} AS ({sql})" for name, sql in self.ctes(kind, given=given, restrict_by=restrict_by))
        inner = (
            f"SELECT f.row_id, {self._source_number}f.{PLACE}, {', '.join(f'f.{name}' for name in shown)}, {', '.join(verdicts)} "
            f"FROM {kind.name} AS f {self._join(kind)}"
        )
        hit = " AND ".join(f"v{index}" for index in range(len(chosen)))
        where = "" if every_fact else f" WHERE ({hit}) IS NOT TRUE"
        sql = f"WITH {ctes} SELECT * FROM ({inner}) AS judged{where}"
        derived = None if kind.derived is None or given else self.derived(kind)
        return CompiledKind(kind, chosen, sql, self.limits(kind, chosen), tuple(shown), derived)

    def compile_applicability(self, kind: FactKind, rules: Sequence[Rule]) -> CompiledKind:
        """A SELECT of one row: per rule, how many facts it applies to or might apply to."""
        parameter = {name: self._chosen_case(columns) for name, columns in self.limit_columns(kind, rules).items()}
        column = {name: f"f.{name}" for name in kind.columns}
        counts = []
        for index, rule in enumerate(rules):
            when = "TRUE"
            if rule.when is not None:
                when = self._render(self.pack.expressions[rule.id, "when"].tree, column, parameter)
            counts.append(f"COUNT(*) FILTER (WHERE (l.r{index} AND ({when})) IS NOT FALSE)")
        ctes = ", ".join(f"{name} AS ({sql})" for name, sql in self.ctes(kind))
        sql = f"WITH {ctes} SELECT {', '.join(counts)} FROM {kind.name} AS f {self._join(kind)}"
        return CompiledKind(kind, tuple(rules), sql, self.limits(kind, rules), (), None)

    @staticmethod
    def _join(kind: FactKind) -> str:
        """Each fact meets the one wide row of its place and day."""
        return f"LEFT JOIN limits_{kind.name} AS l ON l.{PLACE} = f.{PLACE} AND f.{kind.date} >= l.since AND f.{kind.date} < l.until"

    @staticmethod
    def _chosen_case(columns: Sequence[tuple[LimitColumn, str]]) -> str:
        if not columns:
            return "NULL"
        if len(columns) == 1 and not columns[0][1]:
            return f"l.{columns[0][0].name}"
        arms = " ".join(f"WHEN {condition} THEN l.{column.name}" for column, condition in columns)
        return f"CASE {arms} END"


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
