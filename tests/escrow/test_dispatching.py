"""Instructions against a really running bank: whatever fails, nothing is lost and nothing is paid twice."""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
import sys
import urllib.parse
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.escrow import books, demo_accounts
from qingdan.escrow.actions import agreements, dispatching, instructing
from qingdan.escrow.actions.dispatching import dispatch, next_try_at, wait_after
from qingdan.escrow.models import BankInstruction, CustodyAgreement
from qingdan.ledger.models import Posting
from tests.district import MONDAY, District, signed_in
from tests.escrow.banking import Town, make_instruction, release_one_lesson
from tests.escrow.making import make_contract

FEN = 10_000


class Killed(BaseException):
    """The program dies here; nothing after it runs."""


@pytest.fixture
def release(town: Town, agreement: CustodyAgreement, operator: User, parent: User) -> BankInstruction:
    """One lesson's money waits to be paid to the institution; the bank has the accounts."""
    release_one_lesson(make_contract(agreement, parent, operator), operator)
    town.open_for(agreement)
    [instruction] = instructing.prepare_releases(MONDAY)
    assert instruction.amount_fen == FEN
    return instruction


def later(minutes: int = 120) -> datetime.datetime:
    return timezone.now() + datetime.timedelta(minutes=minutes)


def paid_fen(town: Town, agreement: CustodyAgreement) -> int:
    return town.desk.balance_fen(agreement.settlement_account)


def assert_paid_once(town: Town, instruction: BankInstruction) -> None:
    instruction.refresh_from_db()
    assert (instruction.state, instruction.booked_on, instruction.reason) == ("booked", MONDAY, "")
    assert paid_fen(town, instruction.agreement) == FEN
    assert books.balance_fen(instruction.agreement, "transit") == 0
    assert Posting.objects.filter(kind="booked").count() == 1


def test_an_instruction_is_sent_and_booked(release: BankInstruction, town: Town) -> None:
    done = dispatch()
    assert (done.sent, done.booked, done.problems) == (1, 1, [])
    assert_paid_once(town, release)
    assert release.bank_reference.startswith("YH")
    assert dispatch().sent == 0


@pytest.mark.parametrize("step", ["before_sending", "after_sending", "before_booking", "after_booking"])
def test_killed_at_any_step_it_is_paid_once(release: BankInstruction, town: Town, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*args: Any, **kwargs: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patched:
        if step == "before_sending":
            patched.setattr(dispatching, "_submit", die)
        elif step == "after_sending":
            patched.setattr(dispatching, "take", die)
        else:
            real = instructing.booked

            def die_around(*args: Any, **kwargs: Any) -> Any:
                if step == "after_booking":
                    real(*args, **kwargs)
                raise Killed

            patched.setattr(instructing, "booked", die_around)
        with pytest.raises(Killed):
            dispatch()
    release.refresh_from_db()
    # What is written before the bank hears of it is there in any case; so is what the bank's answer made of it.
    assert release.state == ("booked" if step == "after_booking" else "sent")
    assert paid_fen(town, release.agreement) == (0 if step == "before_sending" else FEN)
    assert dispatch().sent == 0, "its time has not come"
    dispatch(now=later())
    assert_paid_once(town, release)


@pytest.mark.parametrize("fault", ["error", "error_after", "hang_after", "cut", "drop"])
def test_without_an_answer_the_bank_is_asked_again_and_pays_once(
    release: BankInstruction, town: Town, fault: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr("qingdan.escrow.banks.SECONDS_FOR_A_TASK", 1)
    monkeypatch.setattr(dispatching, "bank_of", lambda agreement: town.running.bank(timeout_seconds=1))
    town.desk.misbehave(fault, **({"seconds": 3} if fault == "hang_after" else {}))
    done = dispatch()
    release.refresh_from_db()
    assert (release.state, release.attempts, done.unanswered) == ("sent", 1, 1)
    assert release.reason.startswith("银行")
    again = dispatch(now=later())
    assert again.problems == []
    assert_paid_once(town, release)


def test_a_bank_that_is_down_for_a_day_is_asked_less_and_less_and_pays_when_it_is_back(release: BankInstruction, town: Town) -> None:
    town.desk.tell("down")
    now, tries = timezone.now(), 0
    for minute in range(0, 24 * 60, 10):
        tries += dispatch(now=now + datetime.timedelta(minutes=minute)).unanswered
    assert 20 <= tries <= 35
    release.refresh_from_db()
    assert release.state == "sent"
    town.desk.tell("up")
    dispatch(now=now + datetime.timedelta(days=1, hours=2))
    assert_paid_once(town, release)


def test_a_bank_that_was_killed_goes_on_where_it_was(release: BankInstruction, town: Town) -> None:
    town.kill()
    assert dispatch().unanswered == 1
    town.start_again()
    dispatch(now=later())
    assert_paid_once(town, release)


def test_the_wait_grows_to_an_hour() -> None:
    assert [wait_after(number).seconds // 60 for number in (0, 1, 2, 3, 7, 50)] == [1, 1, 2, 4, 60, 60]
    assert wait_after(7) == datetime.timedelta(hours=1)


def test_a_bank_that_takes_its_time_is_asked_until_it_has_booked(release: BankInstruction, town: Town) -> None:
    town.desk.misbehave("delay")
    dispatch()
    release.refresh_from_db()
    assert release.state == "accepted"
    assert next_try_at(release) is not None
    town.desk.tell("release")
    dispatch(now=later())
    assert_paid_once(town, release)


def test_a_rejection_is_kept_with_its_reason_and_the_money_is_told_anew(release: BankInstruction, town: Town) -> None:
    town.desk.misbehave("refuse", reason="户名不符")
    dispatch()
    release.refresh_from_db()
    assert (release.state, release.reason) == ("rejected", "户名不符")
    [again] = instructing.prepare_releases(MONDAY)
    dispatch()
    assert_paid_once(town, again)


def test_one_that_no_bank_could_carry_out_stops_nobody_else(release: BankInstruction, town: Town, agreement: CustodyAgreement) -> None:
    broken = make_instruction(agreement, to_account="6217 0000", fen=1)
    dispatch()
    broken.refresh_from_db()
    assert broken.state == "rejected"
    assert "收款账号" in broken.reason
    release.refresh_from_db()
    assert release.state == "booked"


def test_a_paused_agreement_releases_nothing_but_refunds_go_on(
    release: BankInstruction, town: Town, agreement: CustodyAgreement, district: District
) -> None:
    agreements.pause(agreement, reason="核查中", by=district.bureau)
    dispatch()
    release.refresh_from_db()
    assert (release.state, release.attempts) == ("prepared", 0)
    page = signed_in(district.bureau).get("/prepaid/banking/").content.decode()
    assert "主管部门已暂停划拨" in page
    agreements.resume(agreement, reason="已查清", by=district.bureau)
    dispatch()
    assert_paid_once(town, release)


def test_a_house_without_a_bank_says_what_to_set(release: BankInstruction, settings: Any, district: District) -> None:
    settings.BANK_URL = ""
    done = dispatch()
    release.refresh_from_db()
    assert (release.state, done.unanswered) == ("prepared", 1)
    assert "QINGDAN_BANK_URL" in release.reason


def test_an_officer_is_told_of_a_bank_that_does_not_answer(release: BankInstruction, town: Town, district: District) -> None:
    town.desk.tell("down")
    officer = signed_in(district.bureau)
    for hour, is_told in ((1, False), (2, False), (3, False), (4, True)):
        dispatch(now=later(hour * 60))
        assert ("1 笔付款银行多次没有答复" in officer.get("/").content.decode()) is is_told


def test_the_demonstration_opens_the_accounts_that_its_bank_does_not_know(
    town: Town, agreement: CustodyAgreement, operator: User, parent: User, settings: Any
) -> None:
    make_contract(agreement, parent, operator)
    settings.DEMO = True
    call_command("open_demo_accounts")
    assert town.desk.balance_fen(agreement.account_number) == 100_000
    assert town.desk.balance_fen(agreement.settlement_account) == 0
    assert demo_accounts.open_missing() == 0
    settings.DEMO = False
    CustodyAgreement.objects.update(account_number="6228000099999999")
    assert demo_accounts.open_missing() == 0, "nothing outside a demonstration"
    town.kill()
    settings.DEMO = True
    with pytest.raises(CommandError, match="没有应答"):
        call_command("open_demo_accounts")


def test_the_page_says_what_is_open_and_when_it_is_tried_next(release: BankInstruction, town: Town, district: District) -> None:
    town.desk.tell("down")
    dispatch()
    page = signed_in(district.bureau).get("/prepaid/banking/").content.decode()
    assert release.reference in page
    assert "第 1 次，下次 " in page
    assert "100.00 元" in page


_WORKER = """
import os, signal, sys
import django
django.setup()
from qingdan.escrow.actions import dispatching, instructing

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def then_die(act):
    def carried_out(*args, **kwargs):
        act(*args, **kwargs)
        die()
    return carried_out

step = sys.argv[1]
if step == "claimed":
    dispatching._submit = die
elif step == "told":
    dispatching.take = die
elif step == "booking":
    instructing.books.post_booked = then_die(instructing.books.post_booked)
elif step == "booked":
    dispatching.take = then_die(dispatching.take)
dispatching.dispatch()
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["claimed", "told", "booking", "booked"])
def test_a_worker_killed_outright_at_any_step_leaves_it_to_the_next(release: BankInstruction, town: Town, step: str, settings: Any) -> None:
    """A process of its own, ended by the kernel: what it had committed is there, and nothing else."""
    place = connection.settings_dict
    query = urllib.parse.urlencode({"host": place["HOST"], "port": place["PORT"] or "5432"})
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "qingdan.settings", "QINGDAN_DEMO": "1", "QINGDAN_BANK_URL": settings.BANK_URL,
        "QINGDAN_BANK_TOKEN": settings.BANK_TOKEN,
        "QINGDAN_DATABASE_URL": f"postgresql://{place['USER']}:{place['PASSWORD']}@/{place['NAME']}?{query}",
    }  # fmt: skip
    killed = subprocess.run([sys.executable, "-c", _WORKER, step], env=environment, capture_output=True, timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    release.refresh_from_db()
    assert release.state == ("booked" if step == "booked" else "sent")
    assert paid_fen(town, release.agreement) == (0 if step == "claimed" else FEN)
    dispatch(now=later())
    release.refresh_from_db()
    assert release.state == "booked"
    assert paid_fen(town, release.agreement) == FEN
    assert Posting.objects.filter(kind="booked").count() == 1
