"""The bench's commands; each prints one table of ``docs/performance.md``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bench import comparing, ledger, pages, partitions, reading, single
from bench.facts import generate as generate_records
from bench.law import write_pack
from bench.measuring import say

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
Count = Annotated[int, typer.Option(help="How many records.")]
Places = Annotated[int, typer.Option(help="How many places, each with its own figures in two periods.")]
Rounds = Annotated[int, typer.Option(help="Counted rounds; medians over them are shown.")]
Keep = Annotated[Path | None, typer.Option(help="Work in this folder and leave what was generated there.")]


@contextmanager
def _workplace(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
    else:
        with tempfile.TemporaryDirectory(prefix="qingdan-bench-") as folder:
            yield Path(folder)


@app.command()
def generate(folder: Path, count: Count = 100_000, places: Places = 300, parts: int = 1) -> None:
    """Write records (Parquet, each kind in --parts files of which no two share a place) and the pack they are judged by."""
    records = generate_records(folder / "records", count, places, parts=parts)
    write_pack(folder / "pack", places)
    say(f"{records.count:,} records in {sum(map(len, records.files.values()))} files, {records.bytes / 1e6:,.1f} MB; {places:,} places")


@app.command()
def compare(
    count: Count = 100_000,
    places: Places = 300,
    rounds: Rounds = 3,
    checked: Annotated[int, typer.Option(help="On how many records all four sides must agree first.")] = 20_000,
    sliced: Annotated[int, typer.Option(help="How many records the record-by-record peers judge.")] = 20_000,
    keep: Keep = None,
) -> None:
    """Ours, hand-written SQL, plain Python and zen-engine: equal findings first, then time."""
    with _workplace(keep) as folder:
        comparing.compare(folder, count=count, places=places, rounds=rounds, checked=checked, sliced=sliced)


@app.command(name="partitions")
def partitions_(
    millions: Annotated[list[int], typer.Option(help="Sizes in million records, from small to large; may be given more than once.")] = [1],  # noqa: B006
    places: Places = 300,
    memory_limit: str = "100MB",
    keep: Keep = None,
) -> None:
    """File by file under a memory limit: seconds and peak memory of a process of its own, per size."""
    with _workplace(keep) as folder:
        partitions.measure(folder, millions, places=places, memory_limit=memory_limit)


@app.command(hidden=True)
def judge(records: Path, pack: Path, memory_limit: str) -> None:
    """One size of ``partitions``, in this process."""
    partitions.judge(records, pack, memory_limit)


@app.command(name="reading")
def reading_(rows: Annotated[int, typer.Option(help="Rows of each file.")] = 5_000, rounds: Rounds = 3, keep: Keep = None) -> None:
    """Rows a second that are read from xlsx and csv; judging is not part of it."""
    with _workplace(keep) as folder:
        reading.measure(folder, rows=rows, rounds=rounds)


@app.command(name="single")
def single_(
    executions: Annotated[int, typer.Option(help="How often each statement is executed.")] = 1_000,
    count: Annotated[int, typer.Option(help="Records in the table.")] = 20_000,
    places: Places = 300,
    keep: Keep = None,
) -> None:
    """One record judged in PostgreSQL by a prepared statement, beside a hand-written one."""
    with _workplace(keep) as folder:
        single.measure(folder, executions=executions, count=count, places=places)


@app.command(name="pages")
def pages_(
    rounds: Annotated[int, typer.Option(help="How often each page is asked for by each role.")] = 20,
    schools: Annotated[int, typer.Option(help="Schools of the demonstration district.")] = 24,
    only: Annotated[str, typer.Option(help="Only pages with this in their name: homework:, findings: …")] = "",
    keep: Keep = None,
) -> None:
    """Server time and queries of every page, as each role, with the whole demonstration district in the database."""
    with _workplace(keep) as folder:
        pages.measure(folder, rounds=rounds, schools=schools, only=only)


@app.command(name="ledger")
def ledger_(
    clients: Annotated[int, typer.Option(help="Clients at once, of every side.")] = 4,
    seconds: Annotated[int, typer.Option(help="How long each side runs in each round.")] = 10,
    rounds: Rounds = 3,
    books: Annotated[int, typer.Option(help="Books that releases are spread over.")] = 300,
    keep: Keep = None,
) -> None:
    """Releases of lessons a second, durable, beside pgbench's simple update on the same server."""
    with _workplace(keep) as folder:
        ledger.measure(folder, clients=clients, seconds=seconds, rounds=rounds, books=books)


@app.command(name="ledger-client", hidden=True)
def ledger_client(how: str, count: int, seconds: float) -> None:
    """One client of ``ledger``, in this process."""
    ledger.client(how, count, seconds)


if __name__ == "__main__":
    app(prog_name="python -m bench")
