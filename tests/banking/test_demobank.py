"""The demo bank as a real process, spoken to over HTTP: what it does when all is well, and each way in which a bank can fail."""

from __future__ import annotations

import datetime
import http.client
import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from qingdan.banking import (
    Answer,
    BankDown,
    BankRefused,
    HttpBank,
    Order,
    OrderStatus,
    Purpose,
    StatementFault,
    Status,
    gaps,
)
from qingdan.banking.demobank.tables import Tables
from qingdan.banking.demobank.vault import Vault, is_working_day
from qingdan.banking.messages import CHINA
from tests.banking.conftest import Town
from tests.banking.records import CUSTODY, FAMILY, MONDAY, SETTLEMENT, TUESDAY, WEDNESDAY, instruction

FRIDAY = datetime.date(2026, 11, 20)
OPENING = 10_000_000


def order(number: str = "O-1", **changed: object) -> Order:
    """A family is to pay 1,200 yuan."""
    told: dict[str, object] = {
        "amount_fen": 120_000,
        "account": CUSTODY,
        "payer_name": "王小明家长（虚构）",
        "remittance": "美术课 20 课时",
        "return_address": "http://localhost:8000/contracts/7/?from=bank",
    }
    return Order(number, **(told | changed))  # type: ignore[arg-type]


def press_pay(address: str) -> str:
    """Where the browser is sent after the button."""
    parts = urllib.parse.urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.request("POST", f"{parts.path}?{parts.query}", b"")
    reply = connection.getresponse()
    reply.read()
    connection.close()
    assert reply.status == http.client.SEE_OTHER
    return str(reply.getheader("Location"))


def test_an_instruction_moves_money_and_stands_on_both_statements(town: Town) -> None:
    """The statement of a day is there when the day has ended."""
    bank = town.bank()
    [answer] = bank.submit([instruction("A")])
    assert answer.status is Status.BOOKED
    assert bank.statements(CUSTODY, since=MONDAY) == []
    town.desk.move_to(TUESDAY)
    [ours], [theirs] = bank.statements(CUSTODY, since=MONDAY), bank.statements(SETTLEMENT, since=MONDAY)
    assert (ours.opening_fen, ours.closing_fen, ours.from_on, ours.until_on) == (OPENING, OPENING - 6000, MONDAY, MONDAY)
    assert [(one.reference, one.bank_reference, one.amount_fen) for one in ours.lines] == [("A", answer.bank_reference, -6000)]
    assert [(one.reference, one.amount_fen, one.counterparty_account) for one in theirs.lines] == [("A", 6000, CUSTODY)]
    town.desk.tell("advance", days=2)
    found = bank.statements(CUSTODY, since=MONDAY)
    assert [one.sequence_number for one in found] == [1, 2, 3]
    assert gaps(found) == []
    assert bank.statements(CUSTODY, since=FRIDAY) == []


def test_an_account_that_had_statements_before_goes_on_with_their_numbers(town: Town) -> None:
    town.desk.open_account("6228000000004242", "旧户（虚构）", balance_fen=700, last_statement=41)
    town.desk.open_account("6228000000004242", "旧户（虚构）", balance_fen=1, last_statement=7)
    town.desk.tell("advance", days=2)
    found = town.bank().statements("6228000000004242", since=MONDAY)
    assert [(one.sequence_number, one.opening_fen) for one in found] == [(42, 700), (43, 700)]
    with pytest.raises(ValueError, match="不能是负数"):
        town.desk.open_account("6228000000004243", "新户（虚构）", last_statement=-1)


def test_the_same_instruction_again_is_answered_with_what_stands(town: Town) -> None:
    """Other content under its reference is rejected and changes nothing."""
    bank = town.bank()
    first = bank.submit([instruction("A"), instruction("B")])
    assert bank.submit([instruction("B"), instruction("A")]) == first[::-1]
    [answer] = bank.submit([instruction("A", amount_fen=1)])
    assert (answer.status, "内容不同" in answer.reason) == (Status.REJECTED, True)
    assert bank.ask(["A", "C", "B"]) == [first[0], Answer("C", Status.UNKNOWN), first[1]]
    assert town.desk.balance_fen(CUSTODY) == OPENING - 12_000


def test_what_cannot_be_paid_is_rejected_with_the_reason(town: Town) -> None:
    """And the rest of the message is carried out."""
    given = [instruction("A", amount_fen=OPENING + 1), instruction("B", from_account="999"), instruction("C", to_account=FAMILY)]
    answers = town.bank().submit(given)
    assert [(one.status, one.reason) for one in answers] == [
        (Status.REJECTED, "余额不足"),
        (Status.REJECTED, "付款账号不存在"),
        (Status.BOOKED, ""),
    ]


def test_instructions_are_booked_on_working_days(town: Town) -> None:
    """Those of Saturday on Monday; those for later on their day; money that is missing by then rejects them."""
    bank = town.bank()
    town.desk.move_to(datetime.date(2026, 11, 21))
    later = datetime.date(2026, 11, 24)
    given = [
        instruction("SATURDAY"),
        instruction("TUESDAY", requested_on=later),
        instruction("EMPTY", amount_fen=OPENING - 1, requested_on=later),
    ]
    assert [one.status for one in bank.submit(given)] == [Status.ACCEPTED] * 3
    town.desk.move_to(datetime.date(2026, 11, 23))
    references = ["SATURDAY", "TUESDAY", "EMPTY"]
    assert [one.status for one in bank.ask(references)] == [Status.BOOKED, Status.ACCEPTED, Status.ACCEPTED]
    town.desk.move_to(later)
    assert [one.status for one in bank.ask(references)] == [Status.BOOKED, Status.BOOKED, Status.REJECTED]
    town.desk.move_to(datetime.date(2026, 11, 25))
    booked = {one.reference: one.booked_on for each in bank.statements(CUSTODY, since=MONDAY) for one in each.lines}
    assert booked == {"SATURDAY": datetime.date(2026, 11, 23), "TUESDAY": later}


def test_a_family_pays_once_and_the_receipt_proves_it(town: Town) -> None:
    """However often the button is pressed; the way back proves nothing."""
    bank = town.bank()
    asked = bank.collect(order())
    assert (asked.status, asked.payer_account) == (OrderStatus.OPEN, "")
    assert bank.collect(order()) == asked
    assert bank.collected("O-1") == asked
    page = urllib.request.urlopen(asked.pay_address, timeout=10).read().decode()
    assert "演示银行（虚构）" in page
    assert "¥1200.00" in page
    for _ in range(2):
        assert press_pay(asked.pay_address) == "http://localhost:8000/contracts/7/?from=bank&order=O-1"
    paid = bank.collected("O-1")
    assert (paid.status, paid.amount_fen, paid.paid_on, paid.payer_name) == (OrderStatus.PAID, 120_000, MONDAY, "王小明家长（虚构）")
    assert town.desk.balance_fen(CUSTODY) == OPENING + 120_000
    assert "付款成功" in urllib.request.urlopen(asked.pay_address, timeout=10).read().decode()
    [refund] = bank.submit([instruction("R", purpose=Purpose.REFUND, to_account=paid.payer_account, to_name=paid.payer_name)])
    assert refund.status is Status.BOOKED
    town.desk.move_to(TUESDAY)
    [found] = bank.statements(CUSTODY, since=MONDAY)
    assert (found.lines[0].reference, found.lines[0].bank_reference) == ("O-1", paid.bank_reference)


def test_a_payment_order_is_refused_with_the_reason(town: Town) -> None:
    """Nothing is taken."""
    bank = town.bank()
    bank.collect(order())
    for wrong, reason in (
        (order(amount_fen=1), "付款单号 O-1 已用于另一张内容不同的付款单"),
        (order("O-2", account="999"), "没有收款账户 999"),
        (order("O-2", return_address="https://evil.example/"), "付款后返回的地址不在允许之列"),
        (order("O-2", return_address="javascript:alert(1)"), "付款后返回的地址不在允许之列"),
        (order("O-2", return_address="http://localhost@evil.example/"), "付款后返回的地址不在允许之列"),
        (order("O-2", return_address="http://localhost\\@evil.example/"), "付款后返回的地址不在允许之列"),
        (order("O-2", return_address="http://localhost:80;script-src */"), "付款后返回的地址不在允许之列"),
        (order("O-2", return_address="http://localhost/\r\nSet-Cookie: a=b"), "付款后返回的地址不在允许之列"),
    ):
        with pytest.raises(BankRefused, match=reason):
            bank.collect(wrong)
    with pytest.raises(BankRefused, match="没有付款单 O-2"):
        bank.collected("O-2")


def test_nobody_without_the_secret_sees_or_pays_an_order(town: Town) -> None:
    """Numbers can be guessed, the key cannot; what a payer wrote is text on the page."""
    address = town.bank().collect(order(payer_name="<script>王</script>")).pay_address
    assert "<script>" not in urllib.request.urlopen(address, timeout=10).read().decode()
    for wrong in (address[:-1], address.partition("?")[0]):
        for body in (None, b""):
            with pytest.raises(urllib.error.HTTPError) as told:
                urllib.request.urlopen(wrong, data=body, timeout=10)
            assert told.value.code == 404
            assert "没有付款单 O-1" in told.value.read().decode()
            told.value.close()
    assert town.desk.balance_fen(CUSTODY) == OPENING


def test_a_customer_without_the_token_is_refused(town: Town) -> None:
    """At every door of the program."""
    stranger = HttpBank(town.running.address, token="x")
    for act in (
        lambda: stranger.submit([instruction()]),
        lambda: stranger.ask(["A"]),
        lambda: stranger.statements(CUSTODY, since=MONDAY),
        lambda: stranger.collect(order()),
        lambda: stranger.collected("O-1"),
    ):
        with pytest.raises(BankRefused, match=r"银行拒绝了请求（401）：口令不对"):
            act()


def test_the_bank_refuses_and_fails_as_it_is_told(town: Town) -> None:
    """A refusal is final; after an error nothing is known, and the same again is carried out once."""
    bank = town.bank()
    town.desk.misbehave("refuse", reason="账户被冻结")
    assert bank.submit([instruction("A"), instruction("B")])[0] == Answer("A", Status.REJECTED, "账户被冻结")
    town.desk.misbehave("error")
    with pytest.raises(BankDown, match="银行答复 500"):
        bank.submit([instruction("C")])
    assert bank.ask(["C"])[0].status is Status.UNKNOWN
    town.desk.misbehave("error_after")
    with pytest.raises(BankDown, match="结果不明"):
        bank.submit([instruction("C")])
    assert bank.ask(["C"])[0].status is Status.BOOKED
    assert bank.submit([instruction("C")])[0].status is Status.BOOKED
    assert town.desk.balance_fen(CUSTODY) == OPENING - 12_000  # B and C, once each


def test_after_a_time_out_the_same_again_pays_once(town: Town) -> None:
    """The bank has booked and does not answer."""
    town.desk.misbehave("hang_after", seconds=3)
    begun = time.monotonic()
    with pytest.raises(BankDown, match=r"在 0.5 秒内没有答复；这次的结果不明"):
        town.bank(timeout_seconds=0.5).submit([instruction("A")])
    assert time.monotonic() - begun < 3
    assert town.bank().submit([instruction("A")])[0].status is Status.BOOKED
    assert town.desk.balance_fen(CUSTODY) == OPENING - 6000


@pytest.mark.parametrize("kind", ["cut", "drop"])
def test_an_answer_cut_in_the_middle_leaves_it_open_what_happened(town: Town, kind: str) -> None:
    """It was booked: asking tells."""
    bank = town.bank()
    town.desk.misbehave(kind)
    with pytest.raises(BankDown, match="结果不明"):
        bank.submit([instruction("A")])
    assert bank.ask(["A"])[0].status is Status.BOOKED


def test_a_bank_killed_between_instruction_and_answer_has_booked_it_once(town: Town) -> None:
    """kill -9 while the customer waits; on the same books it remembers."""
    town.desk.misbehave("hang_after", seconds=60)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: town.bank().submit([instruction("A"), instruction("B")]))
        until = time.monotonic() + 20
        while town.desk.balance_fen(CUSTODY) == OPENING and time.monotonic() < until:
            time.sleep(0.05)
        town.kill()
        with pytest.raises(BankDown, match="断了"):
            waiting.result(timeout=20)
    with pytest.raises(BankDown, match="连不上"):
        town.bank().ask(["A"])
    town.start_again()
    bank = town.bank()
    stands = bank.ask(["A", "B"])
    assert [one.status for one in stands] == [Status.BOOKED] * 2
    assert bank.submit([instruction("A"), instruction("B")]) == stands
    town.desk.move_to(TUESDAY)
    [found] = bank.statements(CUSTODY, since=MONDAY)
    assert [one.reference for one in found.lines] == ["A", "B"]


def test_a_bank_killed_at_any_moment_has_booked_whole_messages_once(town: Town) -> None:
    """Customers never stop sending while it dies three times, and repeat what they know nothing of: nothing lost, nothing twice."""
    enough, through, failures = threading.Event(), list[str](), list[str]()

    def customer(name: str) -> None:
        number = 0
        while not enough.is_set():
            number += 1
            references = [f"{name}-{number}-a", f"{name}-{number}-b"]
            message = [instruction(reference, amount_fen=1) for reference in references]
            while True:
                try:
                    town.bank(timeout_seconds=5).submit(message)
                except BankDown:
                    failures.append(name)
                    time.sleep(0.05)
                else:
                    through.extend(references)
                    break

    threads = [threading.Thread(target=customer, args=(name,)) for name in "WXYZ"]
    for each in threads:
        each.start()
    for _ in range(3):
        time.sleep(0.3)
        town.kill()
        town.start_again()
    enough.set()
    for each in threads:
        each.join(timeout=60)
    assert failures
    assert town.desk.balance_fen(CUSTODY) == OPENING - len(through)
    town.desk.move_to(TUESDAY)
    [found] = town.bank().statements(CUSTODY, since=MONDAY)
    assert sorted(str(one.reference) for one in found.lines) == sorted(through)


def test_the_same_instruction_from_many_at_once_is_booked_once(town: Town) -> None:
    """And each gets the same answer."""
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: town.bank().submit([instruction("A")]), range(12)))
    assert all(answer == answers[0] for answer in answers)
    assert town.desk.balance_fen(CUSTODY) == OPENING - 6000


def test_a_bank_that_is_down_for_a_day_is_asked_again_the_next(town: Town) -> None:
    """Nothing got through, nothing is lost: the same instructions the next day, and both days' statements."""
    bank = town.bank()
    town.desk.tell("down")
    for act in (lambda: bank.submit([instruction("A")]), lambda: bank.statements(CUSTODY, since=MONDAY), lambda: bank.collected("O-1")):
        with pytest.raises(BankDown):
            act()
    town.kill()
    town.start_again()
    with pytest.raises(BankDown):
        bank.submit([instruction("A")])
    town.desk.move_to(TUESDAY)
    town.desk.tell("up")
    assert bank.ask(["A"])[0].status is Status.UNKNOWN
    assert bank.submit([instruction("A")])[0].status is Status.BOOKED
    town.desk.move_to(WEDNESDAY)
    assert [len(one.lines) for one in bank.statements(CUSTODY, since=MONDAY)] == [0, 1]


def test_delayed_bookings_stay_open_until_they_come(town: Town) -> None:
    """For some days, or until the bank is told."""
    bank = town.bank()
    town.desk.misbehave("delay", days=2)
    town.desk.misbehave("delay")
    answers = bank.submit([instruction("A"), instruction("B")])
    assert [(one.status, one.reason) for one in answers] == [(Status.PENDING, "银行处理中")] * 2
    town.desk.move_to(WEDNESDAY)
    assert [one.status for one in bank.ask(["A", "B"])] == [Status.BOOKED, Status.PENDING]
    town.desk.tell("release")
    assert bank.ask(["B"])[0].status is Status.BOOKED


def test_statements_twice_and_out_of_order_are_each_taken_once(town: Town) -> None:
    """As if the bank had done nothing wrong."""
    bank = town.bank()
    bank.submit([instruction("A"), instruction("B")])
    town.desk.move_to(WEDNESDAY)
    right = bank.statements(CUSTODY, since=MONDAY)
    for kind in ("repeat_statement", "reorder"):
        town.desk.misbehave(kind)
    found = bank.statements(CUSTODY, since=MONDAY)
    assert [one.content for one in found] == [one.content for one in right]
    assert town.desk.state()["faults"] == {}


@pytest.mark.parametrize(
    ("kind", "reason", "sound"),
    [("wrong_sum", "相差 0.01 元", [1]), ("repeat_line", "重复了", [2]), ("cut", "到这里就断了", [])],
)
def test_a_statement_that_is_wrong_is_refused_and_asked_for_again(town: Town, kind: str, reason: str, sound: list[int]) -> None:
    """What is sound in the delivery may be used; the next time all is right."""
    bank = town.bank()
    bank.submit([instruction("A")])
    town.desk.move_to(WEDNESDAY)
    town.desk.misbehave(kind)
    with pytest.raises(StatementFault, match=reason) as told:
        bank.statements(CUSTODY, since=MONDAY)
    assert [one.sequence_number for one in told.value.sound] == sound
    assert [one.sequence_number for one in bank.statements(CUSTODY, since=MONDAY)] == [1, 2]


def test_a_statement_that_breaks_off_with_the_connection_is_no_statement(town: Town) -> None:
    """Nothing is known; it is asked for again."""
    town.desk.move_to(TUESDAY)
    town.desk.misbehave("drop")
    with pytest.raises(BankDown, match="断了"):
        town.bank().statements(CUSTODY, since=MONDAY)
    assert len(town.bank().statements(CUSTODY, since=MONDAY)) == 1


def test_money_of_nobody_and_money_that_comes_back_are_on_the_statement(town: Town) -> None:
    """For reconciliation: an unknown payment and a return."""
    bank = town.bank()
    bank.submit([instruction("A", to_account=FAMILY)])
    town.desk.tell("deposit", account=CUSTODY, amount_fen=500, name="不明（虚构）", remittance="学费")
    for _ in range(2):
        town.desk.tell("give_back", reference="A")
    bank.submit([instruction("B")])
    town.desk.tell("give_back", reference="B")
    assert town.desk.balance_fen(SETTLEMENT) == 0
    town.desk.move_to(TUESDAY)
    [found] = bank.statements(CUSTODY, since=MONDAY)
    lines = [(one.reference, one.amount_fen, one.is_reversal, one.counterparty_name) for one in found.lines[:3]]
    assert lines == [("A", -6000, False, "青禾艺术（虚构）"), (None, 500, False, "不明（虚构）"), ("A", 6000, True, "青禾艺术（虚构）")]


def test_an_order_to_the_bank_that_makes_no_sense_is_refused(town: Town) -> None:
    """And changes nothing."""
    before = town.desk.state()
    senseless: list[tuple[dict[str, object], str]] = [
        ({"do": "dance"}, "要写 do"),
        ({"do": "fault", "kind": "dance"}, "没有“dance”这一种故障"),
        ({"do": "fault", "kind": "cut", "times": 0}, "次数应在"),
        ({"do": "day", "day": "2026-11-15"}, "不能倒回 2026-11-15"),
        ({"do": "day", "day": "later"}, "日期“later”不对"),
        ({"do": "advance", "days": 100_000}, "一次最多前进"),
        ({"do": "open", "account": "../x", "name": "x"}, "账号“../x”不对"),
        ({"do": "open", "account": "1", "name": "x", "balance_fen": -1}, "不能是负数"),
        ({"do": "deposit", "account": CUSTODY, "amount_fen": "5"}, "amount_fen 应是整数"),
        ({"do": "deposit", "account": "999", "amount_fen": 5}, "没有账户 999"),
        ({"do": "give_back", "reference": "A"}, "没有参考号为 A 的指令"),
    ]
    for told, reason in senseless:
        with pytest.raises(ValueError, match=reason):
            town.desk.tell(str(told["do"]), **{key: value for key, value in told.items() if key != "do"})
    assert town.desk.state() == before


def test_requests_that_make_no_sense_are_refused_with_the_reason(town: Town) -> None:
    """Neither a wrong door nor a broken message is an error of the bank."""
    parts = urllib.parse.urlsplit(town.running.address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    for method, path, body, status, reason in (
        ("GET", "/nothing", None, 404, "没有这个地址"),
        ("POST", "/payments", b"<x/>", 400, "应是 ISO 20022 的 pain.001"),
        ("POST", "/payments", b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 400, "文档类型或实体声明"),
        ("POST", "/orders", b"{", 400, "内容不是 JSON"),
        ("POST", "/orders", b"[]", 400, "付款单要有且只有"),
        ("GET", f"/statements/{CUSTODY}?since=soon", None, 400, "日期“soon”不对"),
        ("GET", f"/statements/{CUSTODY}", None, 400, "日期“”不对"),
        ("GET", "/statements/999?since=2026-11-16", None, 409, "没有账户 999"),
    ):
        connection.request(method, path, body, {"Authorization": "Bearer demo-bank"})
        reply = connection.getresponse()
        told = json.loads(reply.read())
        assert (reply.status, reason in told["reason"]) == (status, True), told
    connection.close()


@pytest.mark.parametrize("address", ["ftp://localhost", "localhost:80", "http://bank.example", "https://"])
def test_money_goes_only_over_addresses_that_are_safe(address: str) -> None:
    """Encrypted, or on this machine."""
    with pytest.raises(ValueError, match="银行地址"):
        HttpBank(address, token="x")


def test_a_clock_that_stands_still_is_remembered(town: Town) -> None:
    """It moves when it is told, whatever day it is."""
    assert town.desk.state()["day"] == MONDAY.isoformat()
    town.desk.move_to(FRIDAY)
    town.kill()
    town.start_again()
    assert town.desk.state()["day"] == FRIDAY.isoformat()


def test_a_bank_that_lives_in_the_present_comes_to_today(tmp_path: Path) -> None:
    """With a statement for each day it slept through; moved ahead, it waits for the present."""
    today = MONDAY
    vault = Vault(Tables(tmp_path / "bank.sqlite"), real=lambda: today)
    vault.open_account(CUSTODY, "监管专户", 5)
    today = WEDNESDAY
    vault.catch_up()
    assert vault.day == WEDNESDAY
    assert [one.until_on for one in vault.statements(CUSTODY, MONDAY)] == [MONDAY, TUESDAY]
    vault.move_to(FRIDAY)
    vault.catch_up()
    assert vault.day == FRIDAY


def test_a_bank_may_begin_in_the_past_and_then_live_in_the_present(town: Town) -> None:
    """As a demonstration does that has to have a history; orders can be paid without a browser."""
    town.bank().collect(order())
    town.desk.tell("pay", number="O-1")
    assert town.bank().collected("O-1").paid_on == MONDAY
    state = town.desk.tell("present")
    assert state["day"] == max(MONDAY, datetime.datetime.now(CHINA).date()).isoformat()


def test_working_days_are_the_nations_where_they_are_known() -> None:
    """Make-up days work, holidays do not; in a year that is not published yet it is Monday to Friday."""
    holiday, made_up = datetime.date(2026, 10, 1), datetime.date(2026, 10, 10)
    assert [is_working_day(day) for day in (holiday, made_up, MONDAY)] == [False, True, True]
    assert [is_working_day(datetime.date(2049, 10, day)) for day in (1, 2)] == [True, False]


def test_the_program_ends_when_it_is_asked_and_says_why_it_cannot_start(town: Town, tmp_path: Path) -> None:
    """A port that is taken is told in words."""
    port = town.running.address.rpartition(":")[2]
    command = [sys.executable, "-m", "qingdan.banking.demobank", "--data", str(tmp_path / "x.sqlite"), "--port", port]
    second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (second.returncode, second.stdout) == (2, "")
    assert f"端口 {port} 用不了" in second.stderr
    open_to_all = subprocess.run([*command[:-1], "0", "--host", "0.0.0.0"], capture_output=True, text=True, check=False, timeout=60)
    assert (open_to_all.returncode, "要用自己的口令" in open_to_all.stderr) == (2, True)
    town.running.process.terminate()
    assert town.running.process.wait(20) == 0
