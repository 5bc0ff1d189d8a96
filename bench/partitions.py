"""Does cost stay linear and memory flat when a province, or the nation, hands in a folder of files?

The generated files of a kind hold places of their own, as returns of districts do, so the engine judges file after file. Each
size runs in a process of its own, whose peak memory the kernel tells.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench import ours
from bench.facts import generate
from bench.law import KINDS, write_pack
from bench.measuring import child, machine, say, show
from qingdan.policy.pack import Pack

#: About so many records of each kind in one file.
RECORDS_PER_FILE = 1_000_000


def judge(records: Path, pack_folder: Path, memory_limit: str) -> None:
    """Load the pack, judge every file, and print seconds and findings as JSON."""
    start = time.perf_counter()
    pack = Pack.load(pack_folder)
    loaded = time.perf_counter()
    files = {kind: tuple(sorted(records.glob(f"{kind}-*.parquet"))) for kind in KINDS}
    before = peak_mebibytes()
    engine = ours.engine_with(pack, files, memory_limit=memory_limit, spill_folder=records / "spilled")
    processor = time.process_time()
    compiler = engine.prepare()
    hits = [engine.judge(compiler, kind) for kind in compiler.kinds_to_judge(KINDS)]
    told = {
        "load": loaded - start,
        "judge": time.perf_counter() - loaded,
        "processor": time.process_time() - processor,
        "before": before,
        "hits": sum(each.count for each in hits),
    }
    json.dump(told, sys.stdout)


def peak_mebibytes() -> float:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(folder: Path, millions: Sequence[int], *, places: int, memory_limit: str) -> None:
    """Generate, judge in a child, delete, for one size after the other."""
    pack = write_pack(folder / "pack", places)
    rows: list[tuple[object, ...]] = []
    for size in millions:
        parts = max(2, size * 1_000_000 // (4 * RECORDS_PER_FILE))
        records = generate(folder / f"records-{size}", size * 1_000_000, places, parts=parts)
        printed, peak = child(["judge", str(records.folder), str(pack), memory_limit])
        told = json.loads(printed)
        rows.append(
            (
                f"{size} M in {len(KINDS) * parts} files",
                records.bytes / 1e6,
                told["judge"],
                told["processor"],
                told["processor"] / size,
                told["hits"],
                told["before"],
                peak,
                told["load"],
            )
        )
        shutil.rmtree(records.folder)
    headers = (
        "records",
        "MB on disk",
        "judged in s",
        "processor s",
        "processor s per M",
        "facts hit",
        "MiB with the pack",
        "peak MiB",
        "pack loaded in s",
    )
    show(f"file by file, {places:,} places, memory limit {memory_limit}", headers, rows)
    say(machine())
