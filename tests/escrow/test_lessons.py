"""Lessons from the roll to the release: what is charged, what is not, and what the book says afterwards."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from qingdan.accounts.models import User
from qingdan.escrow import books
from qingdan.escrow.actions import lessons as acts
from qingdan.escrow.actions import refunds
from qingdan.escrow.actions.lessons import Taught
from qingdan.escrow.enums import ContractState, LessonState
from qingdan.escrow.models import Contract, CustodyAgreement, Lesson
from qingdan.escrow.standing import standing_of
from qingdan.ledger.models import Account
from qingdan.notices.models import Notice
from tests.district import MONDAY, SUNDAY, TUESDAY, District
from tests.escrow.making import make_contract

SATURDAY_BEFORE = MONDAY - datetime.timedelta(days=2)
HALF_PAST_SIX, EIGHT = 18 * 60 + 30, 20 * 60


def taught(day: datetime.date = SATURDAY_BEFORE, starts_at: int = HALF_PAST_SIX, ends_at: int = EIGHT) -> Taught:
    return Taught(1, day, starts_at, ends_at)


@pytest.fixture
def contract(agreement: CustodyAgreement, parent: User, operator: User) -> Contract:
    return make_contract(agreement, parent, operator)


def recorded(
    contract: Contract, by: User, *, lessons: int = 1, day: datetime.date = SATURDAY_BEFORE, starts_at: int = HALF_PAST_SIX
) -> Lesson:
    return acts.record([contract], taught=taught(day, starts_at, starts_at + 90), lessons=lessons, by=by).new[0]


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three working days of silence count as consent, whatever the layer says."""
    monkeypatch.setattr("qingdan.escrow.actions.lessons.silence_until", lambda layer, day: day + datetime.timedelta(days=3))


def balance(contract: Contract, code: str) -> int:
    account = Account.objects.filter(book=books.book_of(contract.institution), code=code).first()
    return account.balance if account else 0


def test_present_learners_are_charged_once_confirmed_and_absent_ones_never(
    agreement: CustodyAgreement, parent: User, operator: User
) -> None:
    present, absent = (make_contract(agreement, parent, operator) for _ in range(2))
    done = acts.record([present], taught=taught(), lessons=2, by=operator)
    assert (len(done.new), done.known_count) == (1, 0)
    assert balance(present, books.held_code(present)) == 100_000, "nothing moves before the family has said yes"
    assert acts.confirm(done.new, by=parent) == 1
    standing = standing_of(present)
    assert (standing.left, standing.given, standing.held_fen, standing.released_fen) == (8, 2, 80_000, 20_000)
    assert balance(present, f"g:{agreement.pk}:transit") == 20_000
    assert standing_of(absent).left == 10
    lesson = Lesson.objects.get()
    assert (lesson.state, lesson.answered_by, lesson.posting is not None) == (LessonState.CONFIRMED, parent, True)


def test_the_same_roll_again_adds_nobody(contract: Contract, agreement: CustodyAgreement, parent: User, operator: User) -> None:
    recorded(contract, operator)
    late = make_contract(agreement, parent, operator)
    again = acts.record([contract, late], taught=taught(), lessons=1, by=operator)
    assert ([each.contract for each in again.new], again.known_count) == ([late], 1)
    assert Lesson.objects.count() == 2


def test_a_roll_is_refused_as_a_whole_with_all_its_reasons(
    contract: Contract, agreement: CustodyAgreement, parent: User, operator: User
) -> None:
    with pytest.raises(ValidationError, match="还没有勾选"):
        acts.record([], taught=taught(), lessons=1, by=operator)
    with pytest.raises(ValidationError, match="还没有到，上完课再登记"):
        acts.record([contract], taught=taught(TUESDAY), lessons=1, by=operator)
    with pytest.raises(ValidationError, match="90 分钟，每课时 40 分钟，最多登记 2 课时"):
        acts.record([contract], taught=taught(), lessons=3, by=operator)
    with pytest.raises(ValidationError, match="才签订"):
        acts.record([contract], taught=taught(MONDAY - datetime.timedelta(days=30)), lessons=1, by=operator)
    with pytest.raises(ValidationError, match="不在履行中"):
        acts.record([contract, make_contract(agreement, parent, operator, state="signed")], taught=taught(), lessons=1, by=operator)
    short = make_contract(agreement, parent, operator, lessons=1, amount_fen=10_000)
    with pytest.raises(ValidationError, match=f"{short.learner_name}可消的课时只剩 1 课时"):
        acts.record([contract, short], taught=taught(), lessons=2, by=operator)
    assert not Lesson.objects.exists()


def test_nobody_is_in_two_lessons_at_once(contract: Contract, operator: User) -> None:
    recorded(contract, operator, lessons=2)
    with pytest.raises(ValidationError, match="18:30 已登记别的课，时间重叠"):
        recorded(contract, operator, starts_at=HALF_PAST_SIX + 79)
    with pytest.raises(ValidationError, match="时间重叠"):
        recorded(contract, operator, lessons=2, starts_at=HALF_PAST_SIX - 79)
    recorded(contract, operator, starts_at=HALF_PAST_SIX + 80)
    assert Lesson.objects.count() == 2


def test_lessons_asked_back_cannot_be_recorded_as_given(contract: Contract, parent: User, operator: User) -> None:
    refunds.apply(contract, lessons=9, reason="搬家", by=parent)
    with pytest.raises(ValidationError, match="另有 9 课时正在申请退费"):
        recorded(contract, operator, lessons=2)
    assert recorded(contract, operator, lessons=1).state == LessonState.RECORDED


def test_the_family_is_told_and_a_second_tap_does_nothing(contract: Contract, parent: User, operator: User) -> None:
    lesson = recorded(contract, operator)
    assert "11月14日（周六） 18:30：机构登记 1 课时，请您确认" in Notice.objects.get(user=parent).text
    assert [acts.confirm([lesson], by=parent) for _ in range(2)] == [1, 0]
    assert standing_of(contract).given == 1


def test_a_disputed_lesson_waits_until_the_family_withdraws_its_objection(contract: Contract, parent: User, operator: User) -> None:
    lesson = recorded(contract, operator)
    with pytest.raises(ValidationError, match="哪里不对"):
        acts.dispute(lesson, by=parent, reason=" ")
    acts.dispute(lesson, by=parent, reason="那天请假")
    assert acts.confirm([lesson], by=parent) == 0
    assert Notice.objects.filter(user=operator, text__contains="有异议").exists()
    acts.reply(lesson, by=operator, text="签到表有家长签名")
    acts.retract(lesson, by=parent)
    lesson.refresh_from_db()
    assert (lesson.state, lesson.objection, lesson.reply) == (LessonState.CONFIRMED, "那天请假", "签到表有家长签名")
    assert standing_of(contract).given == 1


@pytest.mark.parametrize(("is_upheld", "state", "given"), [(True, LessonState.UPHELD, 1), (False, LessonState.VOID, 0)])
def test_the_bureau_settles_a_dispute(
    contract: Contract, parent: User, operator: User, district: District, is_upheld: bool, state: LessonState, given: int
) -> None:
    lesson = acts.dispute(recorded(contract, operator), by=parent, reason="没去")
    with pytest.raises(ValidationError, match="核定理由"):
        acts.settle(lesson, by=district.bureau, is_upheld=is_upheld, reason="")
    acts.settle(lesson, by=district.bureau, is_upheld=is_upheld, reason="看过监控")
    with pytest.raises(ValidationError, match="请刷新页面"):
        acts.settle(lesson, by=district.bureau, is_upheld=not is_upheld, reason="再核")
    lesson.refresh_from_db()
    assert (lesson.state, lesson.settled_by) == (state, district.bureau)
    assert (standing_of(contract).given, standing_of(contract).free) == (given, 10 - given)


def test_the_institution_takes_back_a_mistake_and_records_again(contract: Contract, parent: User, operator: User) -> None:
    lesson = recorded(contract, operator)
    acts.strike(lesson, by=operator)
    again = recorded(contract, operator, lessons=2)
    acts.confirm([again], by=parent)
    with pytest.raises(ValidationError, match="家长已确认"):
        acts.strike(again, by=operator)
    assert standing_of(contract).given == 2


@pytest.mark.usefixtures("silence")
def test_silence_counts_after_its_last_day_and_only_then(contract: Contract, parent: User, operator: User) -> None:
    lesson = recorded(contract, operator)
    assert lesson.silent_until == MONDAY + datetime.timedelta(days=3)
    assert acts.presume_silent(MONDAY + datetime.timedelta(days=3)) == 0
    assert [acts.presume_silent(MONDAY + datetime.timedelta(days=4)) for _ in range(2)] == [1, 0]
    lesson.refresh_from_db()
    assert (lesson.state, standing_of(contract).given) == (LessonState.PRESUMED, 1)
    assert Notice.objects.filter(user=parent, text__contains="视为确认").count() == 1


def test_where_the_law_sets_no_days_silence_counts_for_nothing(contract: Contract, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qingdan.escrow.actions.lessons.silence_until", lambda layer, day: None)
    recorded(contract, operator)
    assert acts.presume_silent(MONDAY + datetime.timedelta(days=400)) == 0


@pytest.mark.usefixtures("silence")
def test_a_task_killed_in_the_middle_goes_on_where_it_was(
    agreement: CustodyAgreement, parent: User, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracts = [make_contract(agreement, parent, operator) for _ in range(4)]
    acts.record(contracts, taught=taught(), lessons=1, by=operator)
    acts.record(contracts, taught=taught(SATURDAY_BEFORE, 9 * 60, 10 * 60), lessons=1, by=operator)
    monkeypatch.setattr(acts, "_AT_ONCE", 1)
    real, calls = books.post_releases, 0

    def dies(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        posted = real(*args, **kwargs)
        if calls == 2:
            raise KeyboardInterrupt
        return posted

    monkeypatch.setattr(books, "post_releases", dies)
    with pytest.raises(KeyboardInterrupt):
        acts.presume_silent(SUNDAY)
    assert sum(standing_of(each).given for each in contracts) == 2, "the portion at which it died is as it was"
    assert acts.presume_silent(SUNDAY) == 6
    assert [standing_of(each).given for each in contracts] == [2, 2, 2, 2]
    assert balance(contracts[0], f"g:{agreement.pk}:transit") == 80_000


@pytest.mark.usefixtures("silence")
def test_a_contract_with_too_little_money_does_not_stop_the_others(
    agreement: CustodyAgreement, parent: User, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, poor, last = contracts = [make_contract(agreement, parent, operator) for _ in range(3)]
    acts.record(contracts, taught=taught(), lessons=1, by=operator)
    real = Contract.fen_of_lessons
    monkeypatch.setattr(Contract, "fen_of_lessons", lambda self, *span: 10**9 if self.pk == poor.pk else real(self, *span))
    assert acts.presume_silent(SUNDAY) == 2
    monkeypatch.undo()
    assert [standing_of(each).given for each in (first, poor, last)] == [1, 0, 1]
    assert poor.attendances.get().state == LessonState.RECORDED


@pytest.mark.usefixtures("silence")
def test_releasing_many_lessons_asks_no_more_than_a_notice_a_family(agreement: CustodyAgreement, parent: User, operator: User) -> None:
    def asked(count: int, at: int) -> int:
        contracts = [make_contract(agreement, parent, operator) for _ in range(count)]
        acts.record(contracts, taught=taught(starts_at=at, ends_at=at + 60), lessons=1, by=operator)
        with CaptureQueriesContext(connection) as queries:
            assert acts.presume_silent(SUNDAY) == count
        return sum("notices_notice" not in each["sql"] and "SAVEPOINT" not in each["sql"] for each in queries.captured_queries)

    asked(1, 12 * 60)  # which opens the accounts that all of them use
    assert asked(6, 8 * 60) == asked(2, 10 * 60)


def test_lessons_of_a_sum_that_does_not_divide_come_out_to_the_fen(agreement: CustodyAgreement, parent: User, operator: User) -> None:
    contract = make_contract(agreement, parent, operator, lessons=7, amount_fen=100_000)
    for number in range(7):
        acts.confirm([recorded(contract, operator, day=SATURDAY_BEFORE - datetime.timedelta(days=number))], by=parent)
    contract.refresh_from_db()
    assert (contract.state, contract.ended_on, contract.end_reason) == (ContractState.COMPLETED, MONDAY, "课时已上完")
    released = Lesson.objects.aggregate(fen=Sum("posting__entries__amount"))
    assert released["fen"] == 0
    assert balance(contract, f"g:{agreement.pk}:transit") == 100_000


def test_with_a_reserve_the_money_is_the_institutions_at_once(parent: User, operator: User, district: District, institution: Any) -> None:
    from tests.escrow.making import make_agreement

    agreement = make_agreement(institution.organisation, district.bureau, mode="reserve")
    contract = make_contract(agreement, parent, operator)
    acts.confirm([recorded(contract, operator)], by=parent)
    assert balance(contract, "institution") == 10_000
    assert books.due_at_bank_fen(agreement) == 0


def test_nothing_is_released_beyond_what_is_held(contract: Contract, parent: User, operator: User) -> None:
    """The books are the last to refuse: here the lesson's own record is made to claim more than there is."""
    lesson = recorded(contract, operator)
    Lesson.objects.filter(pk=lesson.pk).update(lessons=11)
    with pytest.raises(ValidationError, match="余额不足"):
        acts.confirm([lesson], by=parent)
    lesson.refresh_from_db()
    assert (lesson.state, standing_of(contract).held_fen) == (LessonState.RECORDED, 100_000)
