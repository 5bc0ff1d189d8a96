"""The bench's sides are the same work: no figure means anything unless they find the same. Nothing here looks at a clock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.comparing import Different, assert_same, compare, load
from bench.facts import generate
from bench.law import RULES
from bench.peers import zen


def test_all_sides_find_the_same_and_every_rule_finds_something(tmp_path: Path) -> None:
    found = compare(tmp_path, count=8_000, places=12, rounds=1, checked=8_000, sliced=400)
    assert set(found) == {rule.id for rule in RULES}
    assert all(found.values())


def test_a_peer_that_finds_something_else_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(zen.GRAPHS["prepayment"], "months", "0")
    pack, _ = load(tmp_path / "pack", 3)
    with pytest.raises(Different, match=r"zen-engine.*bench\.months"):
        assert_same(pack, generate(tmp_path / "records", 2_000, 3))


@pytest.mark.slow
def test_the_ledger_bench_verifies_what_it_has_posted() -> None:
    options = ["--clients", "2", "--seconds", "1", "--rounds", "1", "--books", "3"]
    command = [sys.executable, "-m", "bench", "ledger", *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("QINGDAN_", "DJANGO_"))}
    root = Path(__file__).parents[2]
    environment["PYTHONPATH"] = os.pathsep.join([str(root), str(root / "src")])
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "postings verified without a fault" in done.stdout
    assert all(f"| releases by {name}" in done.stdout for name in ("pgbench, one book", "post(), a book each", "post_many() of"))
