"""How the bench measures: turn by turn, wall and processor seconds, medians and ratios of the same round."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Spent:
    """What one run took: wall seconds, and processor seconds of all threads, which other work on the machine disturbs less."""

    wall: float
    cpu: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.cpu + other.cpu)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.wall - other.wall, self.cpu - other.cpu)


def spent(work: Callable[[], object]) -> Spent:
    """Run something once."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def in_turn(works: Mapping[str, Callable[[], Spent]], rounds: int) -> dict[str, list[Spent]]:
    """Run all of them once a round, so that a slow minute of the machine hits each; a first round does not count."""
    found: dict[str, list[Spent]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            taken = work()
            if number:
                found[name].append(taken)
    return found


def middle(runs: Sequence[Spent]) -> Spent:
    """The median of each figure."""
    return Spent(statistics.median(run.wall for run in runs), statistics.median(run.cpu for run in runs))


def ratio(runs: Sequence[Spent], to: Sequence[Spent]) -> Spent:
    """The median over the rounds of how many times longer one side took than the other in the same round."""
    return middle([Spent(mine.wall / theirs.wall, mine.cpu / theirs.cpu) for mine, theirs in zip(runs, to, strict=True)])


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def machine() -> str:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} processors, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}, "
        f"DuckDB {duckdb.__version__}; load {load:.1f} when it ended"
    )


def child(arguments: Sequence[str]) -> tuple[str, float]:
    """Run ``python -m bench`` with arguments as a process of its own: what it printed, and its peak memory in MiB."""
    with subprocess.Popen([sys.executable, "-m", "bench", *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args, printed)
    return printed, usage.ru_maxrss / 1024


def show(title: str, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table that can be pasted into the documentation."""
    table = Table(title=title, box=box.MARKDOWN, title_justify="left")
    for number, header in enumerate(headers):
        table.add_column(header, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(f"{cell:,.2f}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    Console(width=200).print(table)


def say(text: str) -> None:
    """Print a line."""
    Console(width=200, highlight=False).print(text, markup=False)
