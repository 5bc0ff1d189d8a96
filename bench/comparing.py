"""The main comparison: the same findings, then how long each side takes for them.

Four parts of our time are told apart: ``prepare`` (which places occur, calendar), ``compile`` (the law of all places as wide rows,
and the SELECT), ``judge`` (from Parquet to the engine's table of hits) and ``gather`` (from the hits to the table of findings,
column for column what the hand-written SQL gives). The pack's loading is told apart from all of them: it is done once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from bench import ours
from bench.facts import Records, generate
from bench.facts import share as share_of
from bench.law import KINDS, NATION, Figures, write_pack
from bench.measuring import Spent, in_turn, machine, middle, ratio, say, show, spent
from bench.peers import handwritten, loop, zen
from bench.peers.records import Finding, Law, Record, chunks
from qingdan.audit import run_audit
from qingdan.policy.compiler import CompiledKind, Compiler
from qingdan.policy.engines.duck import DuckEngine, Hits
from qingdan.policy.pack import Pack

PARTS = ("prepare", "compile", "judge", "gather")


class Different(AssertionError):
    """Two sides do not find the same."""


def load(folder: Path, places: int) -> tuple[Pack, float]:
    """Write the pack and load it; the seconds of the loading."""
    write_pack(folder, places)
    start = time.perf_counter()
    pack = Pack.load(folder)
    return pack, time.perf_counter() - start


# ---- ours and the hand-written SQL


def run_ours(pack: Pack, records: Records) -> tuple[DuckEngine, dict[str, Spent]]:
    """Judge once in a new engine; its parts."""
    engine = ours.engine_with(pack, records.files)
    compilers: list[Compiler] = []
    hits: list[Hits] = []
    compiling = [Spent(0, 0)]
    preparing = spent(lambda: compilers.append(engine.prepare()))
    compiler = compilers[0]
    compile_kind = compiler.compile

    def compile_timed(*given: Any, **named: Any) -> CompiledKind:
        compiled: list[CompiledKind] = []
        compiling[0] += spent(lambda: compiled.append(compile_kind(*given, **named)))
        return compiled[0]

    vars(compiler)["compile"] = compile_timed
    judging = spent(lambda: hits.extend(engine.judge(compiler, kind) for kind in compiler.kinds_to_judge(KINDS)))
    gathering = spent(lambda: ours.gather(engine, hits))
    parts = (preparing, compiling[0], judging - compiling[0], gathering)
    return engine, dict(zip(PARTS, parts, strict=True))


def run_handwritten(records: Records) -> tuple[duckdb.DuckDBPyConnection, Spent]:
    """Judge once by the hand-written statements, the making of their tables included."""
    connection = duckdb.connect(config=handwritten.SETTINGS)

    def work() -> None:
        handwritten.prepare(connection, records.places)
        handwritten.judge(connection, records.files)

    return connection, spent(work)


def whole(parts: dict[str, Spent]) -> Spent:
    """All parts together."""
    return sum(parts.values(), Spent(0, 0))


def fingerprint(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    """Per rule and verdict how many findings there are, and a sum over hashes of every column of each."""
    return connection.execute(
        "SELECT rule, verdict, COUNT(*), SUM(CAST(hash(record, place, day, subject) AS HUGEINT)) FROM findings GROUP BY ALL ORDER BY ALL"
    ).fetchall()


def found_by(connection: duckdb.DuckDBPyConnection) -> set[Finding]:
    """Every finding as rule, verdict and record; rules name their kind, so records of two kinds are not mixed up."""
    return set(connection.execute("SELECT rule, verdict, record FROM findings").fetchall())


# ---- the record-by-record peers


def run_loop(records: Records, law: Law, share: float) -> tuple[set[Finding], Spent, int]:
    """Judge the first records of each kind in plain Python: findings, time, how many records."""
    found, took, count = list[Finding](), Spent(0, 0), 0
    for kind, files in records.files.items():
        judge = loop.JUDGES[kind]

        def work(chunk: Sequence[tuple[Record, Figures | None]], judge: loop.Judge = judge) -> None:
            for record, figures in chunk:
                judge(record, figures, found)

        for chunk in chunks(kind, files, law, first_of(kind, records, share)):
            took += spent(partial(work, chunk))
            count += len(chunk)
    return set(found), took, count


def run_zen(
    records: Records, law: Law, share: float, deciding: Callable[[str], zen.Decide] = zen.decision
) -> tuple[set[Finding], Spent, int]:
    """Judge the first records of each kind by zen-engine: findings, time of the decisions alone, how many records."""
    found, took, count = set[Finding](), Spent(0, 0), 0
    for kind, files in records.files.items():
        decide = deciding(kind)
        for chunk in chunks(kind, files, law, first_of(kind, records, share)):
            contexts = [zen.context(kind, record, figures) for record, figures in chunk]
            results: list[dict[str, int]] = []
            took += spent(lambda contexts=contexts, results=results, decide=decide: results.extend(map(decide, contexts)))  # type: ignore[misc]
            for (record, _), result in zip(chunk, results, strict=True):
                found.update(zen.findings(kind, record, result))
            count += len(chunk)
    return found, took, count


def first_of(kind: str, records: Records, share: float) -> int:
    """How many records of a kind a share of them is; at least one."""
    return max(1, int(share_of(kind, records.count) * share))


# ---- the commands


def assert_same(pack: Pack, records: Records) -> dict[str, int]:
    """Judge every record on all four sides; raise Different unless all find the same. How many findings of each rule."""
    law = Law(records.places)
    engine, _ = run_ours(pack, records)
    connection, _ = run_handwritten(records)
    if fingerprint(engine.connection) != fingerprint(connection):
        raise Different("ours and the hand-written SQL")
    mine = found_by(engine.connection)
    for name, (theirs, _, count) in (
        ("plain Python", run_loop(records, law, 1)),
        ("zen-engine", run_zen(records, law, 1)),
        ("zen, expressions only", run_zen(records, law, 1, zen.expressions)),
    ):
        if count != records.count:
            raise Different(f"{name} saw {count} records of {records.count}")
        if theirs != mine:
            raise Different(f"ours and {name}: {sorted(mine - theirs)[:3]} / {sorted(theirs - mine)[:3]}")
    return dict(sorted(Counter(rule for rule, _, _ in mine).items()))


def compare(folder: Path, *, count: int, places: int, rounds: int, checked: int, sliced: int) -> dict[str, int]:
    """Assert equal findings on ``checked`` records, then time ``count`` records; the slow peers judge ``sliced`` of them."""
    pack, seconds = load(folder / "pack", places)
    say(f"pack of {places:,} places x 2 periods: loaded in {seconds:.1f} s")
    found = assert_same(pack, generate(folder / "checked", checked, places))
    say(f"equal findings on {checked:,} records: {sum(found.values()):,} by {len(found)} rules, on all four sides")
    records = generate(folder / "timed", count, places)
    engine, _ = run_ours(pack, records)
    connection, _ = run_handwritten(records)
    if fingerprint(engine.connection) != fingerprint(connection):
        raise Different(f"ours and the hand-written SQL on {count:,} records")
    say(f"equal findings of ours and the hand-written SQL on {records.count:,} records")
    del engine, connection
    _time(pack, records, rounds, min(1.0, sliced / count))
    say(machine())
    return found


def _time(pack: Pack, records: Records, rounds: int, share: float) -> None:
    parts: list[dict[str, Spent]] = []

    def mine() -> Spent:
        parts.append(run_ours(pack, records)[1])
        return whole(parts[-1])

    runs = in_turn({"ours": mine, "sql": lambda: run_handwritten(records)[1], "audit": partial(run_whole_audit, pack, records)}, rounds)
    millions = records.count / 1e6
    base = runs["sql"]
    rows: list[tuple[object, ...]] = []

    def tell(label: str, taken: Sequence[Spent]) -> None:
        once, times = middle(taken), ratio(taken, base)
        rows.append((label, once.wall, once.cpu, millions / once.wall, times.wall, times.cpu))

    tell("hand-written SQL, its tables and findings", base)
    counted = parts[1:]
    tell("Qingdan: files to its own hits", [each["prepare"] + each["judge"] for each in counted])
    tell("… with the law of all places compiled", [each["prepare"] + each["compile"] + each["judge"] for each in counted])
    tell("… and the hits as the same findings", runs["ours"])
    tell("run_audit with its summary", runs["audit"])
    for name in PARTS:
        taken = middle([each[name] for each in counted])
        rows.append((f"part of ours: {name}", taken.wall, taken.cpu, "", "", ""))
    law = Law(records.places)
    slow = (("plain Python", run_loop), ("zen-engine", run_zen), ("zen, expressions only", partial(run_zen, deciding=zen.expressions)))
    for label, run in slow:
        _, taken, seen = run(records, law, share)
        scale = records.count / seen
        told = label if seen == records.count else f"{label} (extrapolated from {seen:,})"
        wall, cpu = taken.wall * scale, taken.cpu * scale
        rows.append((told, wall, cpu, millions / wall, wall / middle(base).wall, cpu / middle(base).cpu))
        mine_once = middle(runs["ours"])
        rows.append((f"… against all of ours: {wall / mine_once.wall:.0f} x wall, {cpu / mine_once.cpu:.0f} x processor", *[""] * 5))
    show(
        f"{records.count:,} records, 13 rules, {records.places:,} places x 2 periods, median of {rounds} rounds",
        ("", "wall s", "processor s", "M records/s", "x SQL (wall)", "x SQL (processor)"),
        rows,
    )


def run_whole_audit(pack: Pack, records: Records) -> Spent:
    """What ``qingdan audit`` does up to its summary, recognising the files included."""
    paths = [file for files in records.files.values() for file in files]
    return spent(lambda: run_audit(paths, pack=pack, layer=NATION, threads=2).summary)
