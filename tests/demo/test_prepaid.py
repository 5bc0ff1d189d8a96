"""Prepaid tuition of the demonstration: sound to the fen, judged as planted, and something for each account to do."""

from __future__ import annotations

import datetime
from collections import Counter

import pytest
from django.db.models import Sum
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.demo.loading import Outcome, ensure_district
from qingdan.demo.plan import INSTITUTION
from qingdan.demo.prepaid.plan import OVERPRICED, RUNAWAY, STRUGGLING
from qingdan.escrow import books
from qingdan.escrow.actions import balancing, instructing, lessons, refunds, scoring, signing
from qingdan.escrow.contract_text import digest_of
from qingdan.escrow.enums import ContractState, LessonState, LineMatch, RefundState, RiskLevel, SupervisionMode
from qingdan.escrow.models import (
    BankInstruction,
    BankLine,
    BankStatement,
    Complaint,
    Contract,
    CustodyAgreement,
    DayBalance,
    FeeFiling,
    GuidedPrice,
    Lesson,
    MoneyGap,
    PaymentOrder,
    PlannedSession,
    Refund,
    RiskScore,
    RiskStep,
)
from qingdan.escrow.standing import standings
from qingdan.judging.law import current_law
from qingdan.ledger.models import Posting
from qingdan.ledger.verify import verify_all
from tests.demo.conftest import TODAY
from tests.district import signed_in

YESTERDAY = TODAY - datetime.timedelta(days=1)
KINDS = ("prepayment", "prepayment_day", "training_contract", "fee_item", "refund", "custody_account", "account_flow")
#: The law's words on what was planted.
PLANTED = {
    "prepaid.guided-price": {OVERPRICED},
    "prepaid.reserve-balance-district": {STRUGGLING},
    "prepaid.custody-balance": {RUNAWAY},
}
COUNTED = (
    CustodyAgreement, GuidedPrice, FeeFiling, Contract, PaymentOrder, Lesson, Refund, BankInstruction, BankStatement, BankLine, DayBalance,
    MoneyGap, RiskScore, RiskStep, Complaint, Posting,
)  # fmt: skip


def test_all_modes_and_states_are_there(district: Outcome) -> None:
    assert set(CustodyAgreement.objects.values_list("mode", flat=True)) == set(SupervisionMode.values)
    states = set(Contract.objects.values_list("state", flat=True))
    assert states == set(ContractState.values) - {ContractState.CANCELLED}
    assert set(Lesson.objects.values_list("state", flat=True)) >= {"recorded", "confirmed", "presumed", "disputed"}
    assert set(Refund.objects.values_list("state", flat=True)) >= {"applied", "contested", "approved", "paid"}
    assert set(BankLine.objects.values_list("match", flat=True)) == set(LineMatch.values)
    assert all(each.institution.is_fictional for each in CustodyAgreement.objects.select_related("institution"))


def test_every_book_is_sound(district: Outcome) -> None:
    assert Posting.objects.count() > 1_000
    assert list(verify_all()) == []


def test_every_contract_sums_to_the_fen(district: Outcome) -> None:
    """Paid = given + given back + held, in money and in lessons, by the books and by the records beside them."""
    paid = Contract.objects.exclude(paid_on=None).select_related("institution", "agreement")
    given = dict(
        Lesson.objects.exclude(posting=None)
        .order_by()
        .values_list("contract")
        .annotate(count=Sum("lessons"))
        .values_list("contract", "count")
    )
    for standing in standings(paid).values():
        contract = standing.contract
        assert standing.given == given.get(contract.pk, 0), contract.number
        assert standing.held_fen == contract.fen_of_lessons(standing.given + 1, standing.given + standing.left), contract.number
        assert standing.free >= 0, contract.number
        assert (contract.state == ContractState.ACTIVE) == bool(standing.left) or contract.refunds.open().exists(), contract.number


def test_records_hold_together(district: Outcome) -> None:
    for model in (CustodyAgreement, GuidedPrice, FeeFiling, Contract, PaymentOrder, Lesson, Refund, BankInstruction, BankLine, RiskStep):
        for record in model.objects.all()[:60]:
            record.full_clean(validate_unique=False, validate_constraints=False)
    for contract in Contract.objects.exclude(signed_at=None):
        assert contract.text_digest == digest_of(contract.signed_text)
        assert contract.learner_name in contract.signed_text
    assert not Lesson.objects.filter(on_date__gte=TODAY).exists()
    late = Lesson.objects.waiting().filter(silent_until__lt=TODAY - datetime.timedelta(days=1))
    assert not late.exists(), "what nobody answered in time was presumed"


def test_the_bank_agrees_with_the_book_but_for_what_was_planted(district: Outcome) -> None:
    off = {
        balance.agreement.institution.name
        for balance in DayBalance.objects.filter(on_date=YESTERDAY).select_related("agreement__institution")
        if balance.gap_fen
    }
    puzzled = set(BankLine.objects.filter(match=LineMatch.UNKNOWN).values_list("agreement__institution__name", flat=True))
    assert RUNAWAY in off
    assert off <= puzzled
    assert not DayBalance.objects.filter(bank_fen=None).exists()
    assert not DayBalance.objects.filter(missing_count__gt=0).exists()
    for agreement in CustodyAgreement.objects.exclude(institution__name__in=puzzled):
        last = BankStatement.objects.filter(agreement=agreement).order_by("sequence_number").last()
        assert last is not None
        assert last.closing_fen == books.due_at_bank_fen(agreement)


def test_statements_join_on_to_each_other(district: Outcome) -> None:
    for agreement in CustodyAgreement.objects.all():
        before = None
        for one in agreement.statements.order_by("sequence_number"):
            assert one.closing_fen - one.opening_fen == (one.lines.aggregate(fen=Sum("amount_fen"))["fen"] or 0)
            assert one.closing_fen >= 0
            if before is not None:
                assert (before.closing_fen, before.sequence_number + 1) == (one.opening_fen, one.sequence_number)
                assert before.until_on < one.from_on
            before = one
        assert before is not None
        assert before.until_on == YESTERDAY


def test_the_law_finds_what_was_planted_and_nothing_else(district: Outcome) -> None:
    found: dict[str, set[str]] = {}
    for kind in KINDS:
        for judged in current_law().judge_all(kind):
            for finding in judged.breaches:
                found.setdefault(finding.rule.id, set()).add(str(judged.row["institution"]))
    assert found == PLANTED


def test_the_runaway_is_seen_days_before_its_doors_are_found_closed(district: Outcome) -> None:
    scores = list(RiskScore.objects.filter(institution__name=RUNAWAY).order_by("on_date"))
    assert len(scores) == 31
    closed_on = RiskStep.objects.get(institution__name=RUNAWAY, kind="visit").made_at.date()
    first_alarm = next(score.on_date for score in scores if score.level == RiskLevel.ALARM)
    first_watch = next(score.on_date for score in scores if score.level != RiskLevel.CALM)
    assert (closed_on - first_alarm).days >= 5
    assert first_watch < first_alarm
    assert scores[0].level == RiskLevel.CALM
    assert scores[-1].uncovered_fen > 0
    assert {part["kind"] for part in scores[-1].parts if part["points"]} == {
        "custody", "refunds", "lessons", "flows", "staff", "complaints",
    }  # fmt: skip
    others = RiskScore.objects.filter(on_date=TODAY).exclude(institution__name=RUNAWAY)
    assert others.get(institution__name=STRUGGLING).level == RiskLevel.WATCHED
    assert not others.filter(level__in=[RiskLevel.WARNED, RiskLevel.ALARM]).exists()


def test_the_demo_parent_finds_something_to_sign_to_confirm_to_dispute_and_a_refund(district: Outcome) -> None:
    parent = User.objects.get(username="demo-parent")
    own = Contract.objects.filter(guardian=parent)
    assert Counter(own.values_list("state", flat=True)) == {"offered": 1, "active": 3}
    waiting = Lesson.objects.waiting().filter(contract__guardian=parent)
    assert len({lesson.contract_id for lesson in waiting}) == 2
    (refund,) = Refund.objects.filter(contract__guardian=parent)
    assert refund.state == RefundState.APPLIED
    client = signed_in(parent)
    page = client.get(reverse("escrow:contracts")).content.decode()
    assert own.get(state="offered").course_name in page
    for name in ("escrow:mine", "escrow:lessons_waiting", "escrow:refunds", "escrow:codes"):
        assert client.get(reverse(name)).status_code == 200, name
    offered = own.get(state="offered")
    signing.sign(contract=offered, by=parent)
    assert offered.orders.get().amount_fen == offered.amount_fen


def test_the_acts_of_the_product_go_on_from_there(district: Outcome) -> None:
    """Confirmed, disputed, agreed: each leaves the books sound, and the next runs find nothing that they should have done before."""
    parent, clerk = (User.objects.get(username=name) for name in ("demo-parent", "demo-institution"))
    first, second, *_ = Lesson.objects.waiting().filter(contract__guardian=parent).order_by("contract", "on_date")
    assert lessons.confirm([first], by=parent) == 1
    assert lessons.dispute(second, by=parent, reason="那天请假").state == LessonState.DISPUTED
    refund = refunds.answer(Refund.objects.get(contract__guardian=parent), agrees=True, text="", by=clerk)
    assert refund.instruction is not None
    instructing.booked(refund.instruction, on=TODAY, bank_reference="YH1")
    refund.refresh_from_db()
    assert refund.state == RefundState.PAID
    assert list(verify_all()) == []
    before = DayBalance.objects.count()
    balancing.balance_all()
    scoring.score_all()
    assert DayBalance.objects.count() == before


def test_the_demo_institution_has_drafts_a_refund_to_answer_and_sessions_to_record(district: Outcome) -> None:
    clerk = User.objects.get(username="demo-institution")
    drafts = Contract.objects.visible_to(clerk).filter(state=ContractState.DRAFT)
    assert drafts.count() == 3
    signing.offer(contract=drafts[0], by=clerk)
    recorded = set(Lesson.objects.filter(contract__institution__name=INSTITUTION).values_list("session_number", flat=True))
    lately = PlannedSession.objects.filter(institution__name=INSTITUTION, on_date__range=(TODAY - datetime.timedelta(days=2), TODAY))
    assert set(lately.values_list("number", flat=True)) - recorded


@pytest.mark.parametrize("username", ["demo-bureau", "demo-culture", "demo-institution", "demo-bureau-sh", "demo-institution-xj"])
def test_the_accounts_find_their_pages(district: Outcome, username: str) -> None:
    client = signed_in(User.objects.get(username=username))
    names = ["escrow:contracts", "escrow:refunds", "escrow:agreements", "escrow:statements", "escrow:days", "escrow:fees"]
    for name in names:
        assert client.get(reverse(name)).status_code == 200, name


def test_a_second_start_adds_nothing(district: Outcome) -> None:
    before = [model.objects.count() for model in COUNTED]
    assert ensure_district().act == "unchanged"
    assert [model.objects.count() for model in COUNTED] == before


def test_a_later_start_goes_on_teaching_and_scoring(district: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    later = TODAY + datetime.timedelta(days=3)
    own = User.objects.get(username="demo-institution").organisation
    before, of_own = Lesson.objects.count(), Lesson.objects.filter(contract__institution=own).count()
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: later)
    assert ensure_district().act == "topped_up"
    new = Lesson.objects.filter(on_date__gte=TODAY)
    assert new.exists()
    assert Lesson.objects.count() == before + new.count()
    assert not new.filter(on_date__gte=later).exists()
    assert not new.filter(contract__institution__name=RUNAWAY).exists()
    assert Lesson.objects.filter(contract__institution=own).count() == of_own
    assert RiskScore.objects.filter(institution__name=RUNAWAY, on_date__range=(TODAY, later)).count() == 4
    assert lessons.presume_silent(later + datetime.timedelta(days=30)) > 0
    assert list(verify_all()) == []
    assert ensure_district().act == "unchanged"
