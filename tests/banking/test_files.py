"""A bank that exchanges files: nothing goes out twice, nothing that came in vanishes, also when the program is killed at any step."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from qingdan.banking import (
    Answer,
    Bank,
    BankDown,
    BankRefused,
    FileBank,
    Order,
    StatementFault,
    Status,
    camt053,
    csvbank,
    pain001,
    pain002,
)
from tests.banking.records import CUSTODY, MONDAY, SETTLEMENT, TUESDAY, WEDNESDAY, WRITTEN_AT, instruction, line, statement

#: Submits A and B in a folder, and dies as under kill -9 at the n-th renaming or deletion (before it, or after it).
KILLED = """
import datetime, os, pathlib, sys
from qingdan.banking import FileBank, Instruction, Purpose
def instruction(reference):
    day = datetime.date(2026, 11, 16)
    accounts = ("62001000000000001", "62002000000000002")
    return Instruction(reference, Purpose.RELEASE, 6000, *accounts, "青禾艺术（虚构）", "11 月 16 日课消 1 课时", day)
folder, step, before, writes_csv = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "before", sys.argv[4] == "csv"
done = 0
def dying(act):
    def wrapped(self, *arguments):
        global done
        done += 1
        if done == step and before:
            os._exit(9)
        result = act(self, *arguments)
        if done == step:
            os._exit(9)
        return result
    return wrapped
bank = FileBank(pathlib.Path(folder), writes_csv=writes_csv)
pathlib.Path.rename, pathlib.Path.unlink = dying(pathlib.Path.rename), dying(pathlib.Path.unlink)
bank.submit([instruction("A"), instruction("B")])
"""


def sent(folder: Path) -> list[str]:
    """The references in the files for the bank, each as often as it stands there."""
    out = folder / "out"
    messages = [pain001.read(file.read_bytes()) for file in sorted(out.glob("*.xml"))]
    messages += [csvbank.read_instructions(file.read_bytes()) for file in sorted(out.glob("*.csv"))]
    return sorted(one.reference for message in messages for one in message)


def deliver(folder: Path, name: str, data: bytes) -> Path:
    """Put a file where the bank puts it."""
    file = folder / "in" / name
    file.write_bytes(data)
    return file


def test_instructions_go_out_once_however_often_they_are_submitted(tmp_path: Path) -> None:
    """One file for those that are new; the bank's program may have taken it meanwhile."""
    bank = FileBank(tmp_path)
    assert [one.status for one in bank.submit([instruction("A"), instruction("B")])] == [Status.PENDING] * 2
    assert sent(tmp_path) == ["A", "B"]
    for file in (tmp_path / "out").iterdir():
        file.unlink()
    assert [one.status for one in FileBank(tmp_path).submit([instruction("B"), instruction("C")])] == [Status.PENDING] * 2
    assert sent(tmp_path) == ["C"]
    assert [one.status for one in bank.ask(["A", "Z"])] == [Status.PENDING, Status.UNKNOWN]
    assert bank.submit([]) == []


def test_a_reference_with_other_content_is_not_sent(tmp_path: Path) -> None:
    """And the first one stands."""
    bank = FileBank(tmp_path)
    bank.submit([instruction("A")])
    [answer] = bank.submit([instruction("A", amount_fen=1)])
    assert (answer.status, "内容不同" in answer.reason) == (Status.REJECTED, True)
    assert bank.ask(["A"])[0].status is Status.PENDING
    assert sent(tmp_path) == ["A"]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["xml", "csv"])
def test_a_program_killed_at_any_step_sends_nothing_twice_and_loses_nothing(tmp_path: Path, form: str) -> None:
    """Every renaming is a step; the bank fetches whatever lies there between death and retry."""
    for step in range(1, 20):
        for moment in ("before", "after"):
            folder = tmp_path / f"{step}-{moment}"
            dead = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(step), moment, form], check=False)
            fetched = sent(folder)
            for file in (folder / "out").glob(f"*.{form}"):
                file.unlink()
            FileBank(folder, writes_csv=form == "csv").submit([instruction("B"), instruction("A")])
            assert sorted(fetched + sent(folder)) == ["A", "B"], (step, moment)
            if dead.returncode == 0:
                assert step > 5
                return
    pytest.fail("the program never got to its end")


def test_the_banks_reports_are_taken_in_whatever_order_they_come(tmp_path: Path) -> None:
    """What is final stays; the files are kept in done/."""
    bank = FileBank(tmp_path)
    bank.submit([instruction("A"), instruction("B")])
    booked = Answer("A", Status.BOOKED, "", "YH1")
    deliver(tmp_path, "2.xml", pain002.write([booked], original_message_id="M", created_at=WRITTEN_AT))
    assert bank.ask(["A", "B"]) == [booked, Answer("B", Status.PENDING, "文件已交给银行，还没有回单")]
    late = [Answer("A", Status.ACCEPTED), Answer("B", Status.REJECTED, "户名不符"), Answer("FOREIGN", Status.BOOKED)]
    deliver(tmp_path, "2.xml", pain002.write(late, original_message_id="M", created_at=WRITTEN_AT))
    assert bank.ask(["A", "B", "FOREIGN"]) == [booked, late[1], Answer("FOREIGN", Status.UNKNOWN)]
    assert sorted(file.name for file in (tmp_path / "done").iterdir()) == ["2.xml", "2_2.xml"]
    assert list((tmp_path / "in").iterdir()) == []


def test_a_message_that_was_rejected_whole_rejects_each_of_its_instructions(tmp_path: Path) -> None:
    """The bank names the message only."""
    bank = FileBank(tmp_path)
    bank.submit([instruction("A"), instruction("B")])
    message = next((tmp_path / "out").iterdir()).stem
    report = pain002.write([], original_message_id=message, created_at=WRITTEN_AT)
    whole = (
        b"</OrgnlMsgNmId><GrpSts>RJCT</GrpSts><StsRsnInf><AddtlInf>\xe6\x96\x87\xe4\xbb\xb6\xe9\x87\x8d\xe5\xa4\x8d</AddtlInf></StsRsnInf>"
    )
    deliver(tmp_path, "r.xml", report.replace(b"</OrgnlMsgNmId>", whole))
    assert bank.ask(["A", "B"]) == [Answer("A", Status.REJECTED, "文件重复"), Answer("B", Status.REJECTED, "文件重复")]


def test_statements_are_read_again_and_again_and_each_is_there_once(tmp_path: Path) -> None:
    """Twice, out of order, as messages and as a table; a booking answers for its instruction."""
    bank = FileBank(tmp_path)
    bank.submit([instruction("A")])
    first = statement(line(), line("YH2", -6000, reference="A"))
    second = statement(number=2, day=TUESDAY, opening_fen=114_000)
    third = statement(number=3, day=WEDNESDAY, opening_fen=114_000)
    other = statement(account=SETTLEMENT)
    deliver(tmp_path, "b.xml", camt053.write([second, other]))
    deliver(tmp_path, "a.xml", camt053.write([first]))
    deliver(tmp_path, "c.csv", csvbank.write_statements([third, first]))
    deliver(tmp_path, "again.xml", camt053.write([first]))
    for _ in range(2):
        assert bank.statements(CUSTODY, since=MONDAY) == [first, second, third]
    assert FileBank(tmp_path).statements(CUSTODY, since=TUESDAY) == [second, third]
    assert bank.statements(SETTLEMENT, since=MONDAY) == [other]
    assert bank.ask(["A"]) == [Answer("A", Status.BOOKED, "", "YH2")]
    assert len(list((tmp_path / "done").iterdir())) == 4


def test_a_faulty_file_stays_and_is_told_until_somebody_replaces_it(tmp_path: Path) -> None:
    """What is sound is there all the same."""
    bank, good = FileBank(tmp_path), statement(line())
    wrong = replace(statement(number=2, day=TUESDAY, opening_fen=120_000), closing_fen=120_001)
    deliver(tmp_path, "good.xml", camt053.write([good]))
    deliver(tmp_path, "sum.xml", camt053.write([wrong]))
    deliver(tmp_path, "cut.xml", camt053.write([good])[:900])
    deliver(tmp_path, "table.csv", "账号,金额\n1,2\n".encode("gb18030"))
    for _ in range(2):
        with pytest.raises(StatementFault) as told:
            bank.statements(CUSTODY, since=MONDAY)
        assert told.value.sound == (good,)
        places = [told.value.place, *(other.place for other in told.value.others)]
        assert [place.split("，")[0] for place in places] == ["文件 cut.xml", "文件 table.csv", "文件 sum.xml"]
    (tmp_path / "in" / "cut.xml").unlink()
    (tmp_path / "in" / "table.csv").unlink()
    right = replace(wrong, closing_fen=120_000)
    deliver(tmp_path, "sum.xml", camt053.write([right]))
    assert bank.statements(CUSTODY, since=MONDAY) == [good, right]


def test_a_faulty_report_stays_and_is_told(tmp_path: Path) -> None:
    """The instruction stays open."""
    bank = FileBank(tmp_path)
    bank.submit([instruction("A")])
    deliver(tmp_path, "r.xml", pain002.write([Answer("A", Status.BOOKED)], original_message_id="M", created_at=WRITTEN_AT)[:-40])
    assert bank.ask(["A"])[0].status is Status.PENDING
    [fault] = bank.take_in().faults
    assert fault.place.startswith("文件 r.xml，报文第")


def test_a_statement_in_pages_waits_for_its_last_one(tmp_path: Path) -> None:
    """The pages may come in files of several days."""
    bank, whole = FileBank(tmp_path), statement(line("A"), line("B", 5))
    text = camt053.write([replace(whole, lines=whole.lines[:1], closing_fen=120_000)]).decode()
    first = text.replace("<LastPgInd>true", "<LastPgInd>false").replace(">CLBD<", ">ITBD<")
    last = (
        camt053.write([replace(whole, lines=whole.lines[1:], opening_fen=120_000)])
        .decode()
        .replace("<PgNb>1", "<PgNb>2")
        .replace("OPBD", "ITBD")
    )
    deliver(tmp_path, "p1.xml", first.encode())
    with pytest.raises(StatementFault, match=r"文件 p1.xml，.*最后一页没有收到"):
        bank.statements(CUSTODY, since=MONDAY)
    deliver(tmp_path, "p2.xml", last.encode())
    assert bank.statements(CUSTODY, since=MONDAY) == [whole]
    assert list((tmp_path / "in").iterdir()) == []


def test_a_bank_of_files_cannot_collect_and_says_what_to_do(tmp_path: Path) -> None:
    """In words for a parent's page."""
    order = Order("O-1", 1, CUSTODY, "王家长", "", "http://localhost/")
    bank: Bank = FileBank(tmp_path)
    with pytest.raises(BankRefused, match="请家长到银行柜面或手机银行付款"):
        bank.collect(order)
    with pytest.raises(BankRefused, match="款到后以对账单为准"):
        bank.collected("O-1")


def test_a_statement_that_disputes_one_that_stands_is_told_and_the_first_stands(tmp_path: Path) -> None:
    """By its number or its identification; somebody has to ask the bank."""
    bank, first = FileBank(tmp_path), statement(line())
    deliver(tmp_path, "a.xml", camt053.write([first]))
    assert bank.statements(CUSTODY, since=MONDAY) == [first]
    for changed in (replace(first, identification="X"), replace(first, sequence_number=9)):
        disputing = deliver(tmp_path, "b.xml", camt053.write([changed]))
        with pytest.raises(StatementFault, match=r"文件 b.xml，.*内容却不同；请问银行以哪一份为准") as told:
            bank.statements(CUSTODY, since=MONDAY)
        assert told.value.sound == (first,)
        disputing.unlink()
    assert bank.statements(CUSTODY, since=MONDAY) == [first]


def test_a_folder_that_is_out_of_reach_is_a_bank_that_is_down(tmp_path: Path) -> None:
    """As when a shared disk is away; back again, all goes on."""
    bank = FileBank(tmp_path)
    (tmp_path / "out").rename(tmp_path / "away")
    with pytest.raises(BankDown, match=r"文件夹读写不了.*请检查磁盘和权限"):
        bank.submit([instruction("A")])
    (tmp_path / "away").rename(tmp_path / "out")
    assert bank.submit([instruction("A")])[0].status is Status.PENDING
    assert sent(tmp_path) == ["A"]
