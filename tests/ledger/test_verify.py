"""A verification finds what the owner of the tables did while the guards were off; and the command tells it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import connection
from typer.testing import CliRunner, Result

from qingdan.cli import app
from qingdan.ledger.enums import FaultKind
from qingdan.ledger.posting import reverse
from qingdan.ledger.verify import Anchor, verify, verify_all
from tests.ledger.making import OCTOBER, Course, make_course

TABLES = ("ledger_book", "ledger_account", "ledger_posting", "ledger_entry")


def tamper(*statements: str) -> None:
    """Change the tables as their owner can: with all triggers off, references too."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for statement in statements:
            cursor.execute(statement)
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def found(course: Course) -> set[tuple[FaultKind, int | None]]:
    """Kind of each fault, and the posting's number."""
    return {(fault.kind, fault.number) for fault in verify(course.book)}


@pytest.fixture
def busy(course: Course) -> Course:
    """Five postings: a payment, three lessons (numbers 2 to 4), and the reversal of number 4."""
    course.pay(10_000, 10)
    lessons = [course.release(1_000, key=f"lesson {number}") for number in range(3)]
    reverse(lessons[2], key="undo", effective_on=OCTOBER)
    return course


def test_a_sound_book_has_no_fault(busy: Course) -> None:
    assert found(busy) == set()
    assert list(verify_all()) == []


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'refund'",
        "effective_on = '2026-10-09'",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "key = 'other'",
        "memo = '改过'",
    ],
)
def test_a_changed_word_of_a_posting_shows(busy: Course, change: str) -> None:
    tamper(f"UPDATE ledger_posting SET {change} WHERE number = 3")
    assert (FaultKind.CONTENT, 3) in found(busy)


def test_moved_money_shows_though_all_sums_are_right(busy: Course) -> None:
    tamper(
        "UPDATE ledger_entry SET amount = amount * 2 WHERE posting_id = (SELECT id FROM ledger_posting WHERE number = 3)",
        "UPDATE ledger_account SET balance = (SELECT sum(amount) FROM ledger_entry WHERE account_id = ledger_account.id)",
    )
    assert found(busy) == {(FaultKind.CONTENT, 3)}


def test_a_posting_that_was_taken_out_shows(busy: Course) -> None:
    gone = "(SELECT id FROM ledger_posting WHERE number = 3)"
    tamper(f"DELETE FROM ledger_entry WHERE posting_id = {gone}", "DELETE FROM ledger_posting WHERE number = 3")
    assert {(FaultKind.NUMBER, 4), (FaultKind.CHAIN, 4), (FaultKind.BALANCE, None)} == found(busy)


def test_a_cut_end_shows(busy: Course) -> None:
    gone = "(SELECT id FROM ledger_posting WHERE number = 5)"
    tamper(f"DELETE FROM ledger_entry WHERE posting_id = {gone}", "DELETE FROM ledger_posting WHERE number = 5")
    assert {(FaultKind.HEAD, None), (FaultKind.BALANCE, None)} == found(busy)


def test_a_chain_that_was_rewritten_whole_shows_against_an_earlier_digest(busy: Course) -> None:
    busy.book.refresh_from_db()
    anchor = Anchor(busy.book.last_number, busy.book.last_digest)
    assert list(verify(busy.book, anchor=anchor)) == []
    empty_chain = f"last_number = 0, last_digest = '{'0' * 64}', last_recorded_at = NULL"
    tamper(
        "DELETE FROM ledger_entry",
        "DELETE FROM ledger_posting",
        "UPDATE ledger_account SET balance = 0",
        f"UPDATE ledger_book SET {empty_chain}",
    )
    busy.pay(20_000, 10)
    assert list(verify(busy.book)) == []
    assert [(fault.kind, fault.number) for fault in verify(busy.book, anchor=anchor)] == [(FaultKind.HEAD, 5)]


@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        (["UPDATE ledger_account SET balance = balance + 1 WHERE code = 'family'"], (FaultKind.BALANCE, None)),
        (["UPDATE ledger_entry SET amount = amount + 1 WHERE amount = 10000"], (FaultKind.UNBALANCED, 1)),
        (["DELETE FROM ledger_entry WHERE amount = -10000"], (FaultKind.UNBALANCED, 1)),
        (["UPDATE ledger_posting SET previous_digest = digest WHERE number = 2"], (FaultKind.CHAIN, 2)),
        (["UPDATE ledger_posting SET recorded_at = recorded_at - interval '1 day' WHERE number = 2"], (FaultKind.TIME, 2)),
        (["UPDATE ledger_posting SET reverses_id = NULL WHERE number = 5"], (FaultKind.CONTENT, 5)),
        (
            ["UPDATE ledger_posting SET reverses_id = (SELECT id FROM ledger_posting WHERE number = 1) WHERE number = 5"],
            (FaultKind.REVERSAL, 5),
        ),
        (["UPDATE ledger_entry SET posting_id = -1 WHERE amount = 10000"], (FaultKind.STRAY, None)),
        (["UPDATE ledger_account SET may_be_negative = FALSE WHERE code = 'owed'"], None),
        (["UPDATE ledger_book SET last_digest = repeat('1', 64)"], (FaultKind.HEAD, None)),
        (["UPDATE ledger_account SET unit = 'lesson' WHERE code = 'custody'"], (FaultKind.CONTENT, 1)),
    ],
)
def test_each_kind_of_tampering_shows(busy: Course, statements: list[str], kind: tuple[FaultKind, int | None] | None) -> None:
    if kind is None:  # the table's own check refuses this one even to its owner; without it the sums tell
        statements = ["ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_is_not_overdrawn", *statements]
        kind = (FaultKind.OVERDRAWN, None)
    tamper(*statements)
    assert kind in found(busy)


def test_an_entry_of_another_book_shows(busy: Course) -> None:
    other = make_course("other")
    tamper(f"UPDATE ledger_entry SET account_id = {other.custody.pk} WHERE amount = 10000")
    assert FaultKind.FOREIGN in {kind for kind, _ in found(busy)}
    assert FaultKind.FOREIGN in {kind for kind, _ in found(other)}


# The command


def run(*arguments: str) -> Result:
    """``qingdan ledger`` in this process and on this database."""
    return CliRunner().invoke(app, ["ledger", "verify", *arguments], catch_exceptions=False)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command uses the database that the test uses."""
    monkeypatch.setenv("QINGDAN_DATABASE_URL", "postgresql:///not-asked")


def test_the_command_says_that_all_is_well(busy: Course, told: None) -> None:
    result = run()
    assert result.exit_code == 0
    assert "账簿 1 本，凭证 5 笔，没有发现问题" in result.stdout
    assert f"5  {busy.book.postings.get(number=5).digest}" in result.stdout


def test_the_command_names_book_posting_and_fault(busy: Course, told: None) -> None:
    make_course("untouched")
    tamper("UPDATE ledger_posting SET memo = '改过' WHERE number = 3")
    result = run("book", "untouched")
    assert result.exit_code == 1
    assert "第 3 笔" in result.stdout
    assert "内容被改过" in result.stdout
    assert run("untouched").exit_code == 0


def test_the_command_answers_a_program(busy: Course, told: None) -> None:
    tamper("UPDATE ledger_posting SET memo = '改过' WHERE number = 3")
    result = run("--format", "json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["books"][0] | {"digest": ""} == {"book": "book", "title": "某机构预收费", "postings": 5, "digest": "", "faults": 1}
    assert [(fault["book"], fault["kind"], fault["number"]) for fault in answer["faults"]] == [("book", "content", 3)]


def test_the_command_compares_with_what_it_said_before(busy: Course, told: None, tmp_path: Path) -> None:
    earlier = tmp_path / "earlier.json"
    earlier.write_text(run("--format", "json").stdout, encoding="utf-8")
    assert run("--since", str(earlier)).exit_code == 0
    busy.release(10, key="later")
    assert run("--since", str(earlier)).exit_code == 0
    earlier.write_text(earlier.read_text(encoding="utf-8").replace(busy.book.postings.get(number=5).digest, "1" * 64), encoding="utf-8")
    result = run("--since", str(earlier))
    assert result.exit_code == 1
    assert "与以前留存的不同" in result.stdout


def test_the_command_refuses_what_it_does_not_know(busy: Course, told: None, tmp_path: Path) -> None:
    result = run("bok")
    assert result.exit_code == 2
    assert "没有代码是“bok”的账簿" in result.stderr
    assert "book" in result.stderr
    assert run("--since", f"{tmp_path}/none.json").exit_code == 2
