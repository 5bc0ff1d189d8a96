"""Releases: one instruction for what is to be transferred, never twice for the same money."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from qingdan.accounts.models import User
from qingdan.escrow import books
from qingdan.escrow.actions import instructing, lessons
from qingdan.escrow.actions.lessons import Taught
from qingdan.escrow.enums import InstructionState
from qingdan.escrow.models import BankInstruction, Contract, CustodyAgreement
from qingdan.institutions.models import Institution
from tests.district import MONDAY, TUESDAY, WEDNESDAY, District
from tests.escrow.making import make_agreement, make_contract


def give(contract: Contract, by: User, starts_at: int = 600) -> None:
    taught = Taught(1, MONDAY - datetime.timedelta(days=2), starts_at, starts_at + 40)
    lessons.confirm(lessons.record([contract], taught=taught, lessons=1, by=by).new, by=contract.guardian)


@pytest.fixture
def contract(agreement: CustodyAgreement, parent: User, operator: User) -> Contract:
    return make_contract(agreement, parent, operator)


def test_a_days_money_goes_in_one_instruction_and_a_second_run_writes_none(
    contract: Contract, agreement: CustodyAgreement, parent: User, operator: User
) -> None:
    give(contract, operator)
    give(make_contract(agreement, parent, operator), operator)
    [instruction] = instructing.prepare_releases(MONDAY)
    assert (instruction.amount_fen, instruction.to_account, len(instruction.reference) <= 35) == (
        20_000,
        agreement.settlement_account,
        True,
    )
    assert instructing.prepare_releases(MONDAY) == []
    give(contract, operator, 700)
    [second] = instructing.prepare_releases(TUESDAY)
    assert second.amount_fen == 10_000, "what is already under way is not paid again"
    for _ in range(2):
        instructing.booked(instruction, on=TUESDAY, bank_reference="B1")
    assert books.balance_fen(agreement, "transit") == 10_000
    assert books.due_at_bank_fen(agreement) == 170_000 + 10_000
    assert books.due_at_bank_fen(agreement, on=MONDAY) == 200_000
    assert books.owed_by_agreement_fen(agreement) == 170_000
    assert instructing.prepare_releases(TUESDAY) == []


def test_what_the_bank_rejects_is_written_anew(contract: Contract, agreement: CustodyAgreement, operator: User) -> None:
    give(contract, operator)
    [first] = instructing.prepare_releases(MONDAY)
    instructing.rejected(first, reason="")
    first.refresh_from_db()
    assert (first.state, first.reason) == (InstructionState.REJECTED, "银行没有说明原因")
    [second] = instructing.prepare_releases(TUESDAY)
    assert (second.amount_fen, second.reference != first.reference) == (10_000, True)


def test_a_paused_agreement_and_a_reserve_release_nothing(
    contract: Contract, agreement: CustodyAgreement, parent: User, operator: User, district: District, institution: Institution
) -> None:
    give(contract, operator)
    CustodyAgreement.objects.update(is_release_paused=True)
    assert instructing.prepare_releases(MONDAY) == []
    CustodyAgreement.objects.update(is_release_paused=False)
    assert len(instructing.prepare_releases(MONDAY)) == 1


def test_an_institution_that_changes_its_bank_has_money_under_way_at_both(
    contract: Contract, agreement: CustodyAgreement, parent: User, operator: User, district: District
) -> None:
    CustodyAgreement.objects.filter(pk=agreement.pk).update(ends_on=MONDAY - datetime.timedelta(days=10))
    newer = make_agreement(agreement.institution, district.bureau, starts_on=MONDAY - datetime.timedelta(days=9))
    give(contract, operator)
    give(make_contract(newer, parent, operator), operator, 700)
    assert {each.agreement_id: each.amount_fen for each in instructing.prepare_releases(MONDAY)} == {agreement.pk: 10_000, newer.pk: 10_000}


def test_killed_between_posting_and_the_banks_word_nothing_is_lost_or_done_twice(
    contract: Contract, agreement: CustodyAgreement, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(contract, operator)
    with monkeypatch.context() as patch:
        patch.setattr(instructing.log, "info", _dies)
        with pytest.raises(KeyboardInterrupt):
            instructing.prepare_releases(MONDAY)
    assert not BankInstruction.objects.exists()
    [instruction] = instructing.prepare_releases(MONDAY)
    real = books.post_booked

    def posts_and_dies(*args: Any, **kwargs: Any) -> None:
        real(*args, **kwargs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(books, "post_booked", posts_and_dies)
        with pytest.raises(KeyboardInterrupt):
            instructing.booked(instruction, on=TUESDAY, bank_reference="B1")
    assert books.balance_fen(agreement, "transit") == 10_000
    instructing.booked(instruction, on=WEDNESDAY, bank_reference="B1")
    assert books.balance_fen(agreement, "transit") == 0


def _dies(*args: Any, **kwargs: Any) -> None:
    raise KeyboardInterrupt
