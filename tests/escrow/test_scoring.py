"""Scores: worked out by hand from the table of weights, never falling when something gets worse, the same when reckoned again."""

from __future__ import annotations

import dataclasses
import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from qingdan.accounts.models import Organisation, User
from qingdan.escrow import books, tasks_risk
from qingdan.escrow.actions.scoring import score_all, score_of
from qingdan.escrow.models import Contract, CustodyAgreement, RiskScore
from qingdan.escrow.risk.numbers import numbers_of
from qingdan.escrow.risk.parts import Numbers, parts_of
from qingdan.escrow.risk.weights import LEVELS, PARTS, Share
from qingdan.institutions.models import Institution
from qingdan.notices.models import Notice
from tests.district import MONDAY, District
from tests.escrow.making import make_agreement, make_contract
from tests.escrow.risking import days_ago, make_bank_line, make_complaint, make_day, make_lesson, make_refund
from tests.institutions.making import make_institution, make_staff

#: What may grow while everything else stays.
BAD = (
    "short_fen", "silent_days", "open_refund_fen", "overdue_count", "overdue_days", "behind_lessons", "idle_days", "large_count",
    "unexplained_count", "outflow_fen", "left_count", "complaint_count", "dispute_count",
)  # fmt: skip


def points_of(numbers: Numbers) -> dict[str, int]:
    return {part["kind"]: part["points"] for part in parts_of(numbers)}


@pytest.fixture
def contract(agreement: CustodyAgreement, parent: User, operator: User) -> Contract:
    """Ten lessons for 1,000 yuan over 81 days, the first of them three weeks ago."""
    return make_contract(agreement, parent, operator)


def test_the_most_points_sum_to_a_hundred_and_every_threshold_has_its_reason() -> None:
    assert sum(part.points_most for part in PARTS.values()) == 100
    assert all(share.reason and share.counted and share.unit for part in PARTS.values() for share in part.shares.values())
    assert [least for least, _ in LEVELS] == sorted((least for least, _ in LEVELS), reverse=True)


def test_a_share_grows_from_its_free_part_to_its_full_one() -> None:
    share = Share(10, 40, 10)
    assert [share.of(number) for number in (0, 10, 11, 25, 40, 4000)] == [0, 0, 1, 5, 10, 10]


def test_a_calm_institution_has_no_points() -> None:
    assert sum(points_of(Numbers(held_fen=100_000, due_fen=100_000, staff_count=10)).values()) == 0


def test_each_part_worked_out_by_hand() -> None:
    numbers = Numbers(
        held_fen=90_000, returning_fen=10_000, due_fen=100_000, short_fen=10_000, silent_days=10,  # half of 20, and 5
        open_refunds=3, open_refund_fen=16_000, overdue_count=2, overdue_days=5,  # 7·14/28 = 3.5 → 4, 10·2/5 = 4, 8·5/20 = 2
        due_lessons=100, taught_lessons=70, behind_lessons=30, idle_days=14,  # 10·20/40 = 5, 5·7/14 = 2.5 → 3
        large_count=5, unexplained_count=1, outflow_fen=300, usual_outflow_fen=100,  # 3 + 5 + 2
        staff_count=3, left_count=1,  # 25 of a hundred: 10·15/30 = 5
        complaint_count=1, dispute_count=5,  # 6·1/3, and 4·5/10
    )  # fmt: skip
    assert points_of(numbers) == {"custody": 15, "refunds": 10, "lessons": 8, "flows": 10, "staff": 5, "complaints": 4}
    score = score_of(1, numbers, MONDAY)
    assert (score.score, score.level, score.owed_fen) == (52, "warned", 100_000)


@given(
    st.builds(Numbers, **{each.name: st.integers(0, 1_000_000) for each in dataclasses.fields(Numbers) if each.name != "has_agreement"}),
    st.sampled_from(BAD),
    st.integers(0, 1_000_000),
)
def test_more_of_what_is_bad_never_lowers_the_score(numbers: Numbers, name: str, more: int) -> None:
    worse = dataclasses.replace(numbers, **{name: getattr(numbers, name) + more})
    before, after = points_of(numbers), points_of(worse)
    assert all(after[kind] >= before[kind] for kind in before)
    assert all(0 <= after[kind] <= PARTS[kind].points_most for kind in after)


def test_the_numbers_of_an_institution_worked_out_by_hand(
    institution: Institution, agreement: CustodyAgreement, contract: Contract, parent: User, operator: User
) -> None:
    make_day(agreement, bank_fen=95_000, owed_fen=100_000)
    make_refund(contract, due_fen=20_000, due_on=days_ago(4))
    make_lesson(contract, operator, days_ago(9))
    make_lesson(contract, operator, days_ago(8), state="disputed", objection="没上")
    make_complaint(contract)
    make_staff(institution)
    # A contract that is over counts nowhere.
    make_contract(agreement, parent, operator, state="refunded", ended_on=days_ago(5))
    one = numbers_of(MONDAY)[institution.pk]
    assert (one.due_fen, one.short_fen, one.silent_days) == (100_000, 5_000, 1)
    assert (one.open_refunds, one.open_refund_fen, one.overdue_count, one.overdue_days) == (1, 20_000, 1, 4)
    assert (one.due_lessons, one.taught_lessons, one.behind_lessons) == (2, 1, 1), "10 lessons · 21 of 81 days, one taught undisputed"
    assert one.idle_days == 9
    assert (one.complaint_count, one.dispute_count, one.staff_count) == (1, 1, 1)


def test_what_is_owed_and_what_nothing_covers_in_custody(institution: Institution, agreement: CustodyAgreement, contract: Contract) -> None:
    one = numbers_of(MONDAY)[institution.pk]
    assert (one.owed_fen, one.uncovered_fen, one.silent_days) == (100_000, 100_000, 21), "the bank has never said anything"
    make_day(agreement, bank_fen=70_000, owed_fen=100_000)
    one = numbers_of(MONDAY)[institution.pk]
    assert (one.owed_fen, one.uncovered_fen) == (100_000, 30_000)


def test_a_reserve_covers_what_lies_in_it(institution: Institution, district: District, parent: User, operator: User) -> None:
    reserved = make_agreement(institution.organisation, district.bureau, mode="reserve", reserve_floor_fen=50_000)
    books.post_reserve(reserved, fen=50_000, effective_on=days_ago(30), key="reserve:1")
    make_contract(reserved, parent, operator)
    make_day(reserved, bank_fen=40_000, owed_fen=100_000)
    one = numbers_of(MONDAY)[institution.pk]
    assert (one.due_fen, one.short_fen, one.owed_fen, one.uncovered_fen) == (50_000, 10_000, 100_000, 60_000)


def test_a_day_in_the_past_knows_nothing_of_what_came_after(
    institution: Institution, agreement: CustodyAgreement, contract: Contract
) -> None:
    make_refund(contract, applied_on=days_ago(3), due_on=days_ago(2))
    make_day(agreement, bank_fen=0, owed_fen=100_000)
    before = numbers_of(days_ago(5))[institution.pk]
    assert (before.open_refunds, before.short_fen) == (0, 0)
    assert institution.pk in numbers_of(days_ago(40)), "there was an agreement"
    assert numbers_of(days_ago(40))[institution.pk].owed_fen == 0, "nobody had paid yet"


def test_a_refund_that_has_arrived_counts_no_more(institution: Institution, contract: Contract) -> None:
    make_refund(
        contract, due_on=days_ago(9), state="paid", basis="agreed", refunded_on=days_ago(2), refunded_fen=10_000
    )  # fmt: skip
    assert numbers_of(MONDAY)[institution.pk].open_refunds == 0
    assert numbers_of(days_ago(3))[institution.pk].overdue_count == 1


def test_reckoned_again_it_is_the_same_and_replaces_the_days_score(institution: Institution, contract: Contract) -> None:
    assert score_all() == 1
    first = RiskScore.objects.get()
    make_complaint(contract)
    assert tasks_risk.watch() == 1
    again = RiskScore.objects.get()
    assert (again.pk, again.score) == (first.pk, first.score + 2)
    assert sum(part["points"] for part in again.parts) == again.score


def test_officers_are_told_once_when_a_level_rises(
    institution: Institution, agreement: CustodyAgreement, contract: Contract, district: District
) -> None:
    make_day(agreement, bank_fen=0, owed_fen=100_000)
    for number in range(4):
        make_complaint(contract, f"投诉{number}")
    make_refund(contract, due_fen=50_000, due_on=days_ago(30))
    for _ in range(2):
        score_all()
    score = RiskScore.objects.get()
    # 20 for custody, 2 + 8 + 7 for the refund, 10 + 5 for lessons that were never given, 6 for complaints.
    assert (score.score, score.level) == (58, "warned")
    [notice] = Notice.objects.filter(user=district.bureau, occasion__startswith="risk-")
    assert "风险 58 分（预警）" in notice.text
    assert not Notice.objects.filter(user__role="institution").exists()
    score_all(days_ago(1))
    assert Notice.objects.filter(occasion__startswith="risk-").count() == 1, "a day in the past tells nobody"


def test_queries_do_not_grow_with_institutions(
    institution: Institution, agreement: CustodyAgreement, contract: Contract, district: District, parent: User, operator: User
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            tasks_risk.watch()
        return len(queries)

    tasks_risk.watch()
    few = cost()
    for number in range(6):
        other = make_institution(district.region, f"机构{number}").organisation
        assert isinstance(other, Organisation)
        agreed = make_agreement(other, district.bureau)
        made = make_contract(agreed, parent, operator)
        make_day(agreed, bank_fen=100_000, owed_fen=100_000)
        make_bank_line(agreed, -100, on=MONDAY - datetime.timedelta(days=number))
        make_refund(made)
    assert RiskScore.objects.count() == 1
    assert cost() <= few
    assert RiskScore.objects.count() == 7


def test_families_money_without_an_agreement_is_the_worst_there_is() -> None:
    numbers = Numbers(held_fen=100_000, has_agreement=False, uncovered_fen=100_000)
    assert points_of(numbers)["custody"] == 20
    assert "没有监管协议" in parts_of(numbers)[0]["text"]
    assert points_of(Numbers(has_agreement=False))["custody"] == 0, "nobody has paid anything"


def test_an_account_of_which_the_bank_says_nothing_gets_points_after_three_days(
    institution: Institution, agreement: CustodyAgreement, contract: Contract
) -> None:
    make_day(agreement, bank_fen=100_000, owed_fen=100_000, on=days_ago(3))
    assert points_of(numbers_of(MONDAY)[institution.pk])["custody"] == 0
    make_day(agreement, bank_fen=None, owed_fen=100_000, on=days_ago(2))
    tomorrow = numbers_of(MONDAY + datetime.timedelta(days=1))[institution.pk]
    assert (tomorrow.silent_days, points_of(tomorrow)["custody"]) == (4, 1)


def test_flows_are_counted_against_the_accounts_own_past(institution: Institution, agreement: CustodyAgreement) -> None:
    for number in (95, 65, 35):
        make_bank_line(agreement, -30_000, on=days_ago(number))
    make_bank_line(agreement, -90_000, on=days_ago(2), match="unknown", is_large=True)
    one = numbers_of(MONDAY)[institution.pk]
    # 900 yuan in 66 known days are 409.09 in thirty; 900 lately.
    assert (one.usual_outflow_fen, one.outflow_fen) == (40_909, 90_000)
    assert (one.large_count, one.large_fen, one.unexplained_count) == (1, 90_000, 1)
    # 3·1/5, 10·1/2, 2·(220 - 150)/150, each rounded up.
    assert points_of(one)["flows"] == 1 + 5 + 1
