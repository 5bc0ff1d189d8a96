"""One record judged in PostgreSQL while a form is saved: the engine's prepared statement beside a hand-written one.

Two times of the same statement: what the server itself says it spent (planning and execution, from EXPLAIN ANALYZE of EXECUTE,
without a clock around each node), and the round trip over the Unix socket with psycopg's work on both ends.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, LiteralString

import duckdb
import psycopg

from bench.comparing import load
from bench.facts import Records, generate
from bench.law import KINDS, NATION, Figures, place_code, wide_rows
from bench.measuring import machine, percentile, say, show
from qingdan.embedded import FOR_TESTS, EmbeddedPostgres
from qingdan.policy.engines.postgres import PostgresEngine
from qingdan.policy.pack import Pack
from qingdan.policy.vocabulary import PLACE

Connection = psycopg.Connection[Any]
_JOIN = "LEFT JOIN bench_limits AS l ON l.place = f.place AND f.{day} >= l.since AND f.{day} < l.until"
_HOMEWORK = """
SELECT row_id, f.place, on_date, class_name, subject, b0, b1, b2, b3, b4 FROM (
    SELECT f.*, f.form = 'written' AND f.done_at = 'home' AND f.homework_minutes > CASE
            WHEN f.grade <= 2 THEN l.written_lower WHEN f.grade <= 6 THEN l.written_upper
            WHEN f.grade <= 9 THEN l.written_junior ELSE 600 END AS b0,
        f.form = 'electronic' AND f.done_at = 'home' AND f.homework_minutes > l.electronic AS b1,
        f.marked_by = 'parent' AND l.applies AS b2, f.needs_parent AND l.applies AS b3, f.is_punitive AND l.applies AS b4
    FROM facts_homework_item AS f {join} WHERE f.row_id = $1) AS f
WHERE (b0 OR b1 OR b2 OR b3 OR b4) IS NOT FALSE"""
_SESSION = """
SELECT row_id, f.place, on_date, institution, course, b0, b1, b2, b3, b4 FROM (
    SELECT f.*, f.ends_at > CASE f.mode WHEN 'offline' THEN l.ends_offline WHEN 'online' THEN l.ends_online END AS b0,
        f.category = 'academic' AND f.grade < 10 AND (c.day_kind <> 'workday' OR c.in_vacation) AND l.applies AS b1,
        f.mode = 'online' AND f.lesson_minutes > l.lesson AS b2, f.mode = 'online' AND f.gap_minutes < l.gap AS b3,
        f.category = 'academic' AND f.youngest_age < l.age AS b4
    FROM facts_training_session AS f LEFT JOIN policy_calendar AS c ON c.calendar = 'cn' AND c.day = f.on_date {join}
    WHERE f.row_id = $1) AS f
WHERE (b0 OR b1 OR b2 OR b3 OR b4) IS NOT FALSE"""
_PREPAYMENT = """
SELECT row_id, f.place, paid_on, institution, contract_number, b0, b1, b2 FROM (
    SELECT f.*, 12 * (EXTRACT(YEAR FROM f.course_until) - EXTRACT(YEAR FROM f.course_from))
            + EXTRACT(MONTH FROM f.course_until) - EXTRACT(MONTH FROM f.course_from)
            + CAST(EXTRACT(DAY FROM f.course_until) >= EXTRACT(DAY FROM f.course_from) AS int) > l.months AS b0,
        CASE WHEN f.supervision_mode = 'custody' THEN f.custody_fen IS NOT NULL AND f.custody_fen < f.amount_fen
            WHEN f.supervision_mode IN ('reserve', 'transfer') THEN TRUE ELSE f.custody_fen < f.amount_fen END AND l.applies AS b1,
        f.amount_fen > l.contract_fen AS b2
    FROM facts_prepayment AS f {join} WHERE f.row_id = $1) AS f
WHERE (b0 OR b1 OR b2) IS NOT FALSE"""
HANDWRITTEN = {
    "homework_item": _HOMEWORK.format(join=_JOIN.format(day="on_date")),
    "training_session": _SESSION.format(join=_JOIN.format(day="on_date")),
    "prepayment": _PREPAYMENT.format(join=_JOIN.format(day="paid_on")),
}


def measure(folder: Path, *, executions: int, count: int, places: int) -> None:
    """Start a server, fill it, and execute both statements of each kind in turn."""
    pack, _ = load(folder / "pack", places)
    records = generate(folder / "records", count, places)
    server = EmbeddedPostgres(folder / "postgresql", settings=FOR_TESTS)
    try:
        with server, psycopg.connect(server.url, autocommit=True) as connection:
            engine = PostgresEngine(connection, pack, [NATION, *map(place_code, range(places))], default_place=NATION)
            _fill(connection, engine, pack, records)
            rows = [row for kind in KINDS for row in _kind(connection, engine, pack, kind, executions)]
    finally:
        server.wipe()
    headers = ("", "server p50 ms", "server p99 ms", "of it planning p50", "round trip p50 ms", "round trip p99 ms")
    show(f"one of {count:,} records, {places:,} places, {executions:,} executions each, in turn", headers, rows)
    say(machine())


def _fill(connection: Connection, engine: PostgresEngine, pack: Pack, records: Records) -> None:
    kinds = [pack.vocabulary.kinds[name] for name in KINDS]
    engine.install(kinds)
    for kind in kinds:
        engine.create_facts(kind)
        cursor = duckdb.execute("SELECT * FROM read_parquet(?)", [[str(path) for path in records.files[kind.name]]])
        names = [column[0] for column in cursor.description or ()]
        wanted = [names.index(name) if name in names else None for name in (PLACE, *kind.columns)]
        with connection.cursor().copy(_sql(f"COPY facts_{kind.name} FROM STDIN")) as copy:
            for number, row in enumerate(cursor.fetchall()):
                copy.write_row((number, *(None if index is None else row[index] for index in wanted)))
        connection.execute(_sql(f"ANALYZE facts_{kind.name}"))
    figures = list(Figures.__dataclass_fields__)
    columns = ", ".join(f"{name} bigint" for name in figures)
    connection.execute(
        _sql(f"CREATE TABLE bench_limits (place text, since date, until date, applies boolean, {columns}, PRIMARY KEY (place, since))")
    )
    with connection.cursor().copy("COPY bench_limits FROM STDIN") as copy:
        for place, since, until, each in wide_rows(records.places):
            copy.write_row((place, since, until, True, *(getattr(each, name) for name in figures)))
    connection.execute("ANALYZE bench_limits")


def _kind(connection: Connection, engine: PostgresEngine, pack: Pack, name: str, executions: int) -> list[tuple[object, ...]]:
    kind = pack.vocabulary.kinds[name]
    count = connection.execute(_sql(f"SELECT COUNT(*) FROM facts_{name}")).fetchone()  # noqa: S608
    assert count is not None
    draw = random.Random(0)  # noqa: S311
    keys = [draw.randrange(count[0]) for _ in range(executions)]
    compiled = engine.compiled(kind, ("row_id",))
    statements = {"Qingdan": compiled.sql, "hand-written": HANDWRITTEN[name]}
    for label, text in statements.items():
        connection.execute(_sql(f'PREPARE "{name} {label}" (bigint) AS {text}'))
    calls: dict[str, Callable[[int], Sequence[object]]] = {
        "Qingdan": lambda key: engine.judge_touched(kind, ("row_id",), (key,)),
        "hand-written": lambda key: psycopg.RawCursor(connection).execute(_bytes(HANDWRITTEN[name]), (key,), prepare=True).fetchall(),
    }
    _assert_same(calls, keys, len(compiled.rules))
    server: dict[str, list[tuple[float, float]]] = {label: [] for label in statements}
    trips: dict[str, list[float]] = {label: [] for label in statements}
    for key in keys:
        for label, call in calls.items():
            server[label].append(_in_server(connection, f"{name} {label}", key))
            start = time.perf_counter()
            call(key)
            trips[label].append(1000 * (time.perf_counter() - start))
    rows: list[tuple[object, ...]] = []
    for label in statements:
        whole = [planning + execution for planning, execution in server[label]]
        figures = (percentile(whole, 0.5), percentile(whole, 0.99), percentile([each[0] for each in server[label]], 0.5))
        shown = (*figures, percentile(trips[label], 0.5), percentile(trips[label], 0.99))
        rows.append((f"{name}: {label}", *(f"{figure:.3f}" for figure in shown)))
    return rows


def _assert_same(calls: dict[str, Callable[[int], Sequence[Any]]], keys: Sequence[int], rules: int) -> None:
    """Both statements hit the same of the drawn records, by as many rules."""
    for key in keys:
        mine = [sum(row[f"v{index}"] is not True for index in range(rules)) for row in calls["Qingdan"](key)]
        theirs = [sum(flag is not False for flag in row[-rules:]) for row in calls["hand-written"](key)]
        if mine != theirs:
            raise AssertionError(f"record {key}: {mine} / {theirs}")


def _in_server(connection: Connection, name: str, key: int) -> tuple[float, float]:
    """Milliseconds of planning and of execution, as the server tells them."""
    row = connection.execute(_sql(f'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE "{name}" ({key})')).fetchone()
    assert row is not None
    plan = row[0][0]
    return plan["Planning Time"], plan["Execution Time"]


def _sql(text: str) -> LiteralString:
    """Text of our own making, for psycopg's eyes."""
    return text


def _bytes(text: str) -> bytes:
    return text.encode()
