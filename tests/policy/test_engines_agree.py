"""All engines must give the same findings on the same facts: a test runs them side by side on generated packs and facts."""

from __future__ import annotations

import datetime
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qingdan.policy.engines.duck import DuckEngine
from qingdan.policy.engines.postgres import PostgresEngine
from qingdan.policy.pack import Pack
from qingdan.policy.packs import default_pack
from qingdan.policy.vocabulary import PLACE, FactKind
from tests.policy.conftest import SMALL, write_pack

DAYS = [datetime.date(2021, 12, 31), datetime.date(2022, 1, 1), datetime.date(2022, 12, 31), datetime.date(2023, 1, 1)]
DAYS += [datetime.date(2024, 2, 29), datetime.date(2026, 10, 1), datetime.date(2026, 10, 10), datetime.date(2026, 11, 21)]
NUMBERS = st.sampled_from([-1, 0, 1, 2, 3, 6, 7, 10, 11, 35, 36, 59, 60, 61, 90, 91, 1229, 1230, 1231])


def values_of(kind: FactKind, name: str, pack: Pack) -> st.SearchStrategy[object]:
    """Values of a column: boundaries above all, and null."""
    column = kind.columns[name]
    match column.type:
        case "boolean":
            value: st.SearchStrategy[object] = st.booleans()
        case "date":
            value = st.sampled_from(DAYS)
        case "category":
            value = st.sampled_from(sorted(pack.vocabulary.category_of(column).names))
        case "grade":
            value = st.integers(1, 12)
        case "text" | "class":
            value = st.sampled_from(["甲", "乙'", ""])
        case _:
            value = NUMBERS
    return st.none() | value


def facts_of(kind: FactKind, pack: Pack, places: list[str]) -> st.SearchStrategy[list[dict[str, object]]]:
    """Rows of a kind, most columns filled."""
    row: dict[str, st.SearchStrategy[Any]] = {name: values_of(kind, name, pack) for name in kind.columns}
    row[PLACE] = st.sampled_from(places)
    return st.lists(st.fixed_dictionaries(row), min_size=4, max_size=30)


def by_duckdb(pack: Pack, kind: FactKind, rows: list[dict[str, object]], layer: str) -> list[tuple[object, ...]]:
    """The judged rows as DuckDB gives them."""
    engine = DuckEngine(pack, layer, threads=1)
    engine.add_rows(kind, {name: [row[name] for row in rows] for name in (PLACE, *kind.columns)}, len(rows))
    compiler = engine.prepare()
    found = []
    for each in compiler.kinds_to_judge([kind.name]):
        hits = engine.judge(compiler, each)
        found += [(each.name, *row.values()) for row in engine.rows(hits)]
    return sorted(found, key=repr)


def by_postgres(
    connection: psycopg.Connection[Any], pack: Pack, kind: FactKind, rows: list[dict[str, object]], layer: str
) -> list[tuple[object, ...]]:
    """The judged rows as PostgreSQL gives them, in a schema of its own that is rolled back."""
    with connection.transaction(force_rollback=True):
        connection.execute(f'CREATE SCHEMA "{(schema := uuid.uuid4().hex)}"')
        connection.execute(f'SET LOCAL search_path TO "{schema}"')
        engine = PostgresEngine(connection, pack, {layer: None, **dict.fromkeys(str(row[PLACE]) for row in rows)}, default_place=layer)
        kinds = engine.compiler.kinds_to_judge([kind.name])
        engine.install(kinds)
        engine.create_facts(kind)
        with connection.cursor().copy(f"COPY facts_{kind.name} FROM STDIN") as copy:
            for number, row in enumerate(rows):
                copy.write_row((number, row[PLACE], *(row[name] for name in kind.columns)))
        return sorted(((each.name, *row.values()) for each in kinds for row in engine.judge(each)), key=repr)


@pytest.fixture(scope="module")
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the test server."""
    with psycopg.connect(database_url, autocommit=True) as opened:
        yield opened


@pytest.mark.parametrize("name", [kind.name for kind in default_pack().vocabulary.recorded_kinds])
def test_both_engines_give_the_same_findings_on_generated_facts_of_every_kind(name: str, connection: psycopg.Connection[Any]) -> None:
    pack = default_pack()
    kind = pack.vocabulary.kinds[name]
    if not [rule for rule in pack.rules.values() if rule.facts in (name, *(each.name for each in pack.vocabulary.derived_from(name)))]:
        return  # nothing is judged of this kind yet, so there is nothing to agree on

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(facts_of(kind, pack, sorted(pack.layers)))
    def agree(rows: list[dict[str, object]]) -> None:
        duck, postgres = by_duckdb(pack, kind, rows, "cn"), by_postgres(connection, pack, kind, rows, "cn")
        assert duck == postgres

    agree()


# ---- generated rules

COMPARED = ["minutes", "gap"]


def conditions(depth: int = 2) -> st.SearchStrategy[str]:
    """Expressions of the rule language over the small pack's lesson, each node of the language occurring."""
    numbers = st.sampled_from(
        [*COMPARED, "minutes + gap", "minutes - gap", "lessons.minutes", "COALESCE(gap, minutes)", "ends_at - ends_at"]
    )
    numbers |= st.sampled_from(["CASE WHEN is_free THEN minutes WHEN is_paid THEN gap END", "0", "2 * gap"])
    operators = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
    leaf = st.one_of(
        st.builds("{} {} {}".format, st.sampled_from(COMPARED), operators, numbers),
        st.builds("{} BETWEEN {} AND {}".format, st.sampled_from(COMPARED), numbers, numbers),
        st.sampled_from(["is_free", "is_paid", "stage = 'primary'", "mode IN ('offline', 'online')", "mode <> 'online'", "gap IS NULL"]),
        st.sampled_from(["NOT day_kind = 'workday'", "minutes IS NOT NULL", "is_free IS TRUE", "ends_at <= lessons.ends_at"]),
        st.sampled_from(["months <= lessons.months", "fee_fen <= lessons.fee * size", "on_date >= lessons.since", "size <= lessons.size"]),
    )
    if not depth:
        return leaf
    inner = conditions(depth - 1)
    return st.one_of(
        leaf,
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("NOT ({})".format, inner),
    )


FIGURES = """
id: lessons.figures
title: 数值
cites: [law.minutes]
parameters:
  lessons.ends_at: {{label: 结束上限, unit: clock, by: [mode], tighter: lower,
    values: [{{from: 2022-01-01, value: {{offline: "20:30", otherwise: "21:00"}}}}]}}
  lessons.months: {{label: 月数上限, unit: month, tighter: lower,
    values: [{{from: 2022-01-01, until: 2023-01-01, value: 2}}, {{from: 2023-01-01, value: 3}}]}}
  lessons.fee: {{label: 人均上限, unit: fen/person, by: [size], tighter: lower,
    values: [{{from: 2022-01-01, value: {{"(,10]": {first}, "(10,35]": {second}, otherwise: 5}}}}]}}
  lessons.size: {{label: 人数上限, unit: person, by: [grade, is_free], tighter: lower,
    values: [{{from: 2022-01-01, value: {{1: {{true: 10, otherwise: 11}}, otherwise: {{false: 35, otherwise: 36}}}}}}]}}
  lessons.since: {{label: 起始日, unit: date, tighter: neither, values: [{{from: 2022-01-01, value: 2022-12-31}}]}}
"""
RULE = """
id: lessons.generated
title: 生成
cites: [law.minutes]
facts: lesson
rule: {{when: "{when}", require: "{require}"}}
says: "{{name}}"
remedy: 改
cases: [{{what: 空, facts: {{name: 甲}}, verdict: undetermined}}]
"""
LOW = """
id: lessons.low
title: 下层
cites: [local.minutes]
parameters:
  lessons.minutes: {{overrides: true, values: [{{from: 2023-01-01, value: {{primary: {low}}}}}]}}
"""


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), when=conditions(1), require=conditions(2), figures=st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_both_engines_give_the_same_findings_under_generated_packs(
    connection: psycopg.Connection[Any], data: st.DataObject, when: str, require: str, figures: tuple[int, int, int]
) -> None:
    files = {
        **SMALL,
        "top/lessons/figures.yaml": FIGURES.format(first=figures[0], second=figures[1]),
        "top/lessons/generated.yaml": RULE.format(when=when, require=require),
        "low/lessons/low.yaml": LOW.format(low=figures[2]),
    }
    with tempfile.TemporaryDirectory() as folder:
        pack = Pack.load(write_pack(Path(folder), files))
    kind = pack.vocabulary.kinds["lesson"]
    rows = data.draw(facts_of(kind, pack, ["top", "low"]))
    assert by_duckdb(pack, kind, rows, "top") == by_postgres(connection, pack, kind, rows, "top")


@settings(max_examples=30, deadline=None)
@given(grade=st.integers(1, 9), minutes=st.integers(-5, 200), more=st.integers(0, 50), low=st.integers(0, 120))
def test_more_minutes_never_cure_a_breach_and_a_tighter_limit_never_forgives_one(grade: int, minutes: int, more: int, low: int) -> None:
    def verdict(minutes: int, limit: int) -> bool:
        files = {**SMALL, "low/lessons/low.yaml": LOW.format(low=limit)}
        with tempfile.TemporaryDirectory() as folder:
            pack = Pack.load(write_pack(Path(folder), files))
        kind = pack.vocabulary.kinds["lesson"]
        row: dict[str, object] = {**dict.fromkeys(kind.columns), PLACE: "low", "grade": grade, "minutes": minutes}
        row["on_date"] = datetime.date(2026, 11, 17)
        return bool(by_duckdb(pack, kind, [row], "low"))

    if verdict(minutes, low):
        assert verdict(minutes + more, low)
        assert verdict(minutes, low - more)


@settings(max_examples=30, deadline=None)
@given(
    low=st.dictionaries(st.sampled_from(["primary", "junior"]), st.integers(0, 120), min_size=1, max_size=2),
    day=st.dates(datetime.date(2022, 1, 1), datetime.date(2030, 1, 1)),
)
def test_a_layer_changes_only_the_figures_it_names_and_only_below_itself(low: dict[str, int], day: datetime.date) -> None:
    stated = ", ".join(f"{stage}: {figure}" for stage, figure in low.items())
    files = {**SMALL, "low/lessons/low.yaml": LOW.replace("primary: {low}", stated).replace("{{", "{").replace("}}", "}")}
    with tempfile.TemporaryDirectory() as folder:
        pack = Pack.load(write_pack(Path(folder), files))
    for stage, figure in {"primary": 60, "junior": 90}.items():
        is_changed = stage in low and day >= datetime.date(2023, 1, 1)
        assert pack.value("lessons.minutes", at="top", on=day, case=[stage]).value == figure
        assert pack.value("lessons.minutes", at="low", on=day, case=[stage]).value == (low[stage] if is_changed else figure)
