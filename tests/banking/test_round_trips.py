"""What is written can be read again, whatever it says: ISO 20022 and csv."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingdan.banking import (
    Answer,
    AnswerFault,
    Instruction,
    InstructionFault,
    Line,
    Statement,
    StatementFault,
    camt053,
    csvbank,
    fen_of,
    pain001,
    pain002,
    yuan_of,
)
from qingdan.banking.messages import plain
from tests.banking.records import WRITTEN_AT, answers, instructions, line, statement, statements

_MANY_INSTRUCTIONS = st.lists(instructions(), min_size=1, max_size=5, unique_by=lambda one: one.reference)
_MANY_STATEMENTS = st.lists(statements(), min_size=1, max_size=3, unique_by=lambda one: (one.account, one.identification))


@given(_MANY_INSTRUCTIONS)
def test_instructions_come_back_from_pain001_as_they_were(given_: list[Instruction]) -> None:
    """In their order, too."""
    assert pain001.read(pain001.write(given_, created_at=WRITTEN_AT)) == given_


@given(st.lists(answers(), max_size=5, unique_by=lambda one: one.reference))
def test_answers_come_back_from_pain002_as_they_were(given_: list[Answer]) -> None:
    """With reasons of any length that fits."""
    report = pain002.read_report(pain002.write(given_, original_message_id="QD1", created_at=WRITTEN_AT))
    assert list(report.answers) == given_
    assert report.original_message_id == "QD1"


@given(_MANY_STATEMENTS)
def test_statements_come_back_from_camt053_as_they_were(given_: list[Statement]) -> None:
    """To the fen, with reversals and lines of nobody."""
    assert camt053.read(camt053.write(given_)) == given_


@given(_MANY_STATEMENTS)
def test_statements_come_back_from_csv_as_they_were(given_: list[Statement]) -> None:
    """Formulas among the texts are data."""
    assert csvbank.read_statements(csvbank.write_statements(given_)) == given_


@given(_MANY_INSTRUCTIONS)
def test_instructions_come_back_from_csv_as_they_were(given_: list[Instruction]) -> None:
    """In their order, too."""
    assert csvbank.read_instructions(csvbank.write_instructions(given_)) == given_


@given(_MANY_STATEMENTS, st.data())
def test_a_statement_that_was_cut_off_anywhere_is_refused(given_: list[Statement], data: st.DataObject) -> None:
    """Never half believed."""
    whole = camt053.write(given_)
    with pytest.raises(Exception, match="：") as told:
        camt053.read(whole[: data.draw(st.integers(0, len(whole.rstrip()) - 1))])
    assert isinstance(told.value, StatementFault)


@given(st.binary(max_size=300))
def test_noise_is_refused_in_words(data: bytes) -> None:
    """Whatever comes: the fault that the reader promises, never another error."""
    for read, fault in (
        (camt053.read, StatementFault),
        (csvbank.read_statements, StatementFault),
        (pain001.read, InstructionFault),
        (pain002.read, AnswerFault),
        (csvbank.read_answers, AnswerFault),
    ):
        with pytest.raises(fault):
            read(data)


@given(st.integers(-(10**15), 10**15))
def test_fen_and_yuan_are_the_same_money(fen: int) -> None:
    """Both ways."""
    assert fen_of(yuan_of(fen)) == fen


@pytest.mark.parametrize(
    ("text", "fen"),
    [("0", 0), ("12", 1200), ("12.", 1200), ("12.3", 1230), ("12.30", 1230), ("12.3000", 1230), ("-0.01", -1), ("007.10", 710)],
)
def test_an_amount_is_read_to_the_fen(text: str, fen: int) -> None:
    """However many zeros."""
    assert fen_of(text) == fen


@pytest.mark.parametrize("text", ["", "1.005", "1,000.00", "1e3", "¥1", "一百", "12.3.4", "--1", "+1", ".5", "9" * 18, "1_0", "１２"])
def test_what_is_no_whole_number_of_fen_is_refused(text: str) -> None:
    """Nothing is rounded, nothing guessed."""
    with pytest.raises(ValueError, match="金额"):
        fen_of(text)


def test_texts_lose_what_no_message_can_carry() -> None:
    """Control characters, line ends, halves of characters."""
    assert plain("  王\x00小明\r\n\t家长\u3000\ud83d\x0b（虚构）\ufffe ") == "王小明 家长 （虚构）"


def test_the_same_statements_give_the_same_bytes() -> None:
    """So that a repetition can be told from news by its digest."""
    one = statement(line())
    assert camt053.write([one]) == camt053.write([one])


def test_a_long_remark_is_cut_off_where_people_read_it() -> None:
    """But never what a line is found by."""
    assert len(line(remittance="课" * 500).remittance) == 140
    with pytest.raises(StatementFault, match=r"第 1 笔的参考号.*有 36 个字符，最多 35 个"):
        statement(line(reference="A" * 36)).check()


def test_a_line_keeps_its_days() -> None:
    """Booked and valued may differ."""
    day = datetime.date(2026, 11, 15)
    one = statement(line(valued_on=day))
    assert camt053.read(camt053.write([one]))[0].lines[0].valued_on == day
    assert isinstance(one.lines[0], Line)
