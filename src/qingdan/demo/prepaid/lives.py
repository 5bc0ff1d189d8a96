"""The life of one contract, day by day: paid, taught, confirmed or disputed, perhaps given back. Nothing is written here.

What happens is what the product would have let happen: no lesson is charged that is not free, silence counts after the layer's working
days, and every sum is worked out by ``escrow.standing``.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from qingdan.demo.calendar import at
from qingdan.demo.copying import Ids
from qingdan.demo.prepaid.plan import DAY, Deadlines, House, Offer, Slot, next_bank_day
from qingdan.escrow import books
from qingdan.escrow.actions.refunds import compute
from qingdan.escrow.enums import (
    ContractState,
    InstructionPurpose,
    InstructionState,
    LessonState,
    OrderState,
    RefundBasis,
    RefundState,
    SupervisionMode,
)
from qingdan.escrow.models import BankInstruction, Contract, Lesson, PaymentOrder, Refund
from qingdan.escrow.standing import Standing

_OBJECTIONS = (
    "那天发烧请假了，没有去上课",
    "只上了一节就提前下课，登记了两节",
    "老师没有来，孩子自习了一节课",
    "当天场地停电，课取消了",
    "已经电话请假，不应扣课时",
)
_REPLIES = ("签到表上有记录，教师说明附后", "经核对确实请假，请主管部门核定", "当天推迟十分钟下课，已补足课时")
_SETTLEMENTS = ("核对签到表和监控记录，孩子到课，按已上计", "机构拿不出签到记录，不计课时")
_REASONS = ("搬家到外区，不能继续上课", "孩子升学后时间排不开", "试上几次后孩子不喜欢", "教师更换频繁", "与学校活动时间冲突")
#: Within a day the book is written in this order.
PAID, RETURNED, RELEASED, BOOKED = range(4)


@dataclass(frozen=True)
class Move:
    """A posting to be made: amounts by the accounts' codes."""

    on: datetime.date
    order: int
    kind: str
    key: str
    memo: str
    lines: tuple[tuple[str, int], ...]


class Keys:
    """Fresh keys of all that a contract leaves behind."""

    def __init__(self) -> None:
        self.contract, self.order, self.lesson = Ids(Contract), Ids(PaymentOrder), Ids(Lesson)
        self.refund, self.instruction = Ids(Refund), Ids(BankInstruction)


def settle(instruction: BankInstruction, on: datetime.date) -> None:
    """The bank has paid an instruction."""
    instruction.state, instruction.booked_on, instruction.attempts = InstructionState.BOOKED, on, 1
    instruction.bank_reference, instruction.sent_at = f"YH{on:%Y%m%d}Z{instruction.pk:08}", instruction.created_at


@dataclass(frozen=True)
class Temper:
    """How a family and its institution go about it."""

    #: Of the lessons: confirmed by the family within two days, disputed; about the others it says nothing.
    confirmed: float = 0.72
    disputed: float = 0.012
    attends: float = 0.94
    #: The family asks for its money back on this day, for all that is left or for half of it.
    refund_on: datetime.date | None = None
    is_partial: bool = False
    #: What becomes of it: ``agreed``, ``silent``, ``contested``, ``withdrawn``, ``refused``, ``disputed`` (contested, and not decided yet).
    answer: str = "agreed"
    #: The bank cannot pay it.
    is_unpayable: bool = False
    #: The newest lesson has not been answered yet.
    leaves_newest: bool = False
    #: The institution records nothing from this day on; before it, every other lesson from a day on.
    taught_until: datetime.date | None = None
    thins_from: datetime.date | None = None


@dataclass
class Life:
    """A contract with all that became of it until yesterday."""

    house: House
    offer: Offer
    contract: Contract
    order: PaymentOrder
    temper: Temper
    chance: Random
    deadlines: Deadlines
    day: datetime.date
    keys: Keys
    lessons: list[Lesson] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    instructions: list[BankInstruction] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    given: int = 0
    returned: int = 0
    returned_fen: int = 0
    waiting: int = 0
    disputed: int = 0
    asked: int = 0
    _due: defaultdict[datetime.date, list[Callable[[datetime.date], None]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def left(self) -> int:
        """Lessons paid for, neither given nor given back."""
        return self.contract.lessons - self.given - self.returned

    @property
    def free(self) -> int:
        """Those that nobody claims."""
        return self.left - self.waiting - self.disputed - self.asked

    def live(self) -> None:
        """From the payment until yesterday."""
        assert self.contract.paid_on is not None
        self._pay(self.contract.paid_on)
        slots: defaultdict[datetime.date, list[Slot]] = defaultdict(list)
        for slot in self.offer.slots:
            if slot.on >= self.contract.course_from:
                slots[slot.on].append(slot)
        on = self.contract.paid_on
        while on < self.day and self.contract.state == ContractState.ACTIVE:
            for act in self._due.pop(on, []):
                act(on)
            if on == self.temper.refund_on:
                self._apply(on)
            for slot in slots.get(on, []):
                self._teach(slot)
            on += DAY
        if self.temper.leaves_newest and self.contract.state == ContractState.ACTIVE and not self.waiting:
            self._record(Slot(self.day - DAY, 10 * 60, 10 * 60 + 2 * self.contract.lesson_minutes))

    def _move(self, on: datetime.date, order: int, kind: str, key: str, *lines: tuple[str, int]) -> None:
        moved = tuple((code, amount) for code, amount in lines if amount)
        self.moves.append(Move(on, order, kind, key, self.contract.number, moved))

    def _pay(self, on: datetime.date) -> None:
        contract, fen = self.contract, self.order.amount_fen
        self.order.state, self.order.paid_on = OrderState.PAID, on
        self._move(
            on, PAID, "payment", f"payment:{self.order.reference}", ("families", -fen), (books.held_code(contract), fen),
            ("sold", -contract.lessons), (books.left_code(contract), contract.lessons),
        )  # fmt: skip

    # Lessons

    def _teach(self, slot: Slot) -> None:
        temper = self.temper
        if temper.taught_until is not None and slot.on >= temper.taught_until:
            return
        if temper.thins_from is not None and slot.on >= temper.thins_from and slot.on.toordinal() // 2 % 2:
            return
        if self.chance.random() < temper.attends:
            self._record(slot)

    def _record(self, slot: Slot) -> None:
        count = min(self.offer.lessons_of(slot), self.free)
        if count < 1:
            return
        lesson = Lesson(
            pk=self.keys.lesson.take(), contract=self.contract, session_number=slot.number, on_date=slot.on, starts_at=slot.starts_at,
            lessons=count, recorded_by=self.house.clerk, silent_until=self.deadlines.silence(self.house.layer_code, slot.on),
        )  # fmt: skip
        minutes = min(slot.ends_at + 10, 23 * 60)
        lesson.recorded_at = at(slot.on, minutes // 60, minutes % 60)
        self.lessons.append(lesson)
        self.waiting += count
        self._plan_answer(lesson, is_newest=self.temper.leaves_newest and slot.on >= self.day - 6 * DAY)

    def _plan_answer(self, lesson: Lesson, *, is_newest: bool) -> None:
        draw, after = self.chance.random(), 1 + int(self.chance.random() * 2)
        if is_newest:
            return
        if draw < self.temper.disputed:
            self._due[lesson.on_date + DAY].append(lambda on: self._dispute(lesson, on))
        elif draw < self.temper.confirmed or (lesson.silent_until is None and draw < 0.97):
            self._due[lesson.on_date + after * DAY].append(lambda on: self._release(lesson, LessonState.CONFIRMED, on))
        elif lesson.silent_until is not None:
            self._due[lesson.silent_until + DAY].append(lambda on: self._release(lesson, LessonState.PRESUMED, on))

    def _release(self, lesson: Lesson, state: LessonState, on: datetime.date) -> None:
        if lesson.state == LessonState.DISPUTED:
            self.disputed -= lesson.lessons
        else:
            self.waiting -= lesson.lessons
        lesson.state = state
        if state == LessonState.CONFIRMED:
            lesson.answered_by, lesson.answered_at = self.contract.guardian, at(on, 20, int(self.chance.random() * 60))
        fen = self.contract.fen_of_lessons(self.given + 1, self.given + lesson.lessons)
        self.given += lesson.lessons
        goes_to = "institution" if self.house.mode == SupervisionMode.RESERVE else books.agreement_code(self.house.agreement, "transit")
        self._move(
            on, RELEASED, "release", f"lesson:{lesson.pk}", (books.left_code(self.contract), -lesson.lessons), ("given", lesson.lessons),
            (books.held_code(self.contract), -fen), (goes_to, fen),
        )  # fmt: skip
        self._end(ContractState.COMPLETED, on, "课时已上完")

    def _dispute(self, lesson: Lesson, on: datetime.date) -> None:
        self.waiting -= lesson.lessons
        self.disputed += lesson.lessons
        lesson.state, lesson.objection = LessonState.DISPUTED, self.chance.choice(_OBJECTIONS)
        lesson.answered_by, lesson.answered_at = self.contract.guardian, at(on, 19, int(self.chance.random() * 60))
        if self.chance.random() < 0.7:
            lesson.reply = self.chance.choice(_REPLIES)
        if self.chance.random() < 0.85:
            self._due[on + (5 + int(self.chance.random() * 9)) * DAY].append(lambda day: self._settle(lesson, day))

    def _settle(self, lesson: Lesson, on: datetime.date) -> None:
        draw = self.chance.random()
        if draw < 0.25:
            self._release(lesson, LessonState.CONFIRMED, on)
            return
        lesson.settled_by, lesson.settled_at = self.house.officer, at(on, 15)
        lesson.settlement = _SETTLEMENTS[draw >= 0.6]
        if draw < 0.6:
            self._release(lesson, LessonState.UPHELD, on)
        else:
            self.disputed -= lesson.lessons
            lesson.state = LessonState.VOID

    # Refunds

    def _standing(self) -> Standing:
        held = self.contract.amount_fen - self.contract.fen_of_lessons(1, self.given) - self.returned_fen
        return Standing(
            self.contract, left=self.left, held_fen=held, waiting=self.waiting, disputed=self.disputed, asked=self.asked,
            returned=self.returned, returned_fen=self.returned_fen, refunded_fen=self.returned_fen,
        )  # fmt: skip

    def _apply(self, on: datetime.date) -> None:
        lessons = self.free // 2 if self.temper.is_partial else self.free
        if lessons < 1 or self.refunds:
            return
        computed, layer = compute(self._standing(), lessons), self.house.layer_code
        refund = Refund(
            pk=self.keys.refund.take(), contract=self.contract, applied_by=self.contract.guardian, applied_on=on,
            reason=self.chance.choice(_REASONS), lessons=lessons, due_fen=computed.due_fen, steps=computed.steps,
            answer_until=self.deadlines.answer(layer, on), due_on=self.deadlines.due(layer, on, self.contract.refund_working_days),
        )  # fmt: skip
        refund.updated_at = at(on, 20)
        self.refunds.append(refund)
        self.asked += lessons
        self._plan_refund(refund, on)

    def _plan_refund(self, refund: Refund, on: datetime.date) -> None:
        answer = self.temper.answer
        if answer == "agreed":
            self._due[next_bank_day(on)].append(lambda day: self._agree(refund, day))
        elif answer == "silent" and refund.answer_until is not None:
            self._due[refund.answer_until + DAY].append(lambda day: self._approve(refund, RefundBasis.SILENCE, day))
        elif answer in ("contested", "refused", "disputed"):
            self._due[next_bank_day(on)].append(lambda day: self._contest(refund, day))
        elif answer == "withdrawn":
            self._due[on + 2 * DAY].append(lambda day: self._drop(refund, RefundState.WITHDRAWN, day))

    def _agree(self, refund: Refund, on: datetime.date) -> None:
        refund.answered_by, refund.answer = self.house.clerk, "同意，按合同退"
        self._approve(refund, RefundBasis.AGREED, on)

    def _contest(self, refund: Refund, on: datetime.date) -> None:
        refund.state, refund.updated_at = RefundState.CONTESTED, at(on, 17)
        refund.answered_by, refund.answer = self.house.clerk, "家长要退的课时里有两节已经补过课，请主管部门核定"
        if self.temper.answer != "disputed":
            self._due[on + 5 * DAY].append(lambda day: self._decide(refund, day))

    def _decide(self, refund: Refund, on: datetime.date) -> None:
        if self.temper.answer == "refused":
            refund.decided_by, refund.decision = self.house.officer, "课时已全部补上，家长签字在案，不予退费"
            self._drop(refund, RefundState.REFUSED, on)
        else:
            refund.decided_by, refund.decision = self.house.officer, "机构没有补课记录，按剩余课时全额退"
            self._approve(refund, RefundBasis.DECIDED, on)

    def _drop(self, refund: Refund, state: RefundState, on: datetime.date) -> None:
        self.asked -= refund.lessons
        refund.state, refund.updated_at = state, at(on, 16)

    def _approve(self, refund: Refund, basis: RefundBasis, on: datetime.date) -> None:
        refund.state, refund.basis, refund.updated_at = RefundState.APPROVED, basis, at(on, 10)
        self.asked -= refund.lessons
        self.returned += refund.lessons
        self.returned_fen += refund.due_fen
        self._move(
            on, RETURNED, "refund", f"refund:{refund.pk}", (books.left_code(self.contract), -refund.lessons),
            ("returned", refund.lessons), (books.held_code(self.contract), -refund.due_fen),
            (books.agreement_code(self.house.agreement, "returning"), refund.due_fen),
        )  # fmt: skip
        if self.house.mode == SupervisionMode.RESERVE:
            self._due[next_bank_day(on)].append(lambda day: self._tell(refund, day))
        else:
            self._instruct(refund, on)

    def _instruct(self, refund: Refund, on: datetime.date) -> None:
        """The bank is told; it pays on its next day, or cannot."""
        instruction = BankInstruction(
            pk=self.keys.instruction.take(), agreement=self.house.agreement, contract=self.contract, amount_fen=refund.due_fen,
            reference=f"QDF{on:%Y%m%d}-{self.chance.getrandbits(64):016x}", purpose=InstructionPurpose.REFUND,
            to_account=self.order.payer_account, to_name=self.order.payer_name, remittance=f"退费 {self.contract.number}",
            requested_on=on, created_at=at(on, 10, 5),
        )  # fmt: skip
        self.instructions.append(instruction)
        if self.temper.is_unpayable:
            instruction.state, instruction.reason = InstructionState.REJECTED, "账户余额不足"
            instruction.attempts, instruction.sent_at = 1, at(on, 10, 6)
            return
        refund.state, refund.instruction = RefundState.INSTRUCTED, instruction
        self._due[next_bank_day(on)].append(lambda day: self._arrive_by_bank(refund, instruction, day))

    def _arrive_by_bank(self, refund: Refund, instruction: BankInstruction, on: datetime.date) -> None:
        settle(instruction, on)
        returning = books.agreement_code(self.house.agreement, "returning")
        self._move(on, BOOKED, "booked", f"booked:{instruction.reference}", (returning, -refund.due_fen), ("families", refund.due_fen))
        self._mark_paid(refund, on)

    def _tell(self, refund: Refund, on: datetime.date) -> None:
        """Where a reserve stands for it, the institution pays by itself; then the family says that it has arrived."""
        refund.told_on, refund.told_reference, refund.updated_at = on, f"JG{on:%Y%m%d}{refund.pk:06}", at(on, 11)
        self._due[on + 2 * DAY].append(lambda day: self._arrive(refund, day))

    def _arrive(self, refund: Refund, on: datetime.date) -> None:
        returning = books.agreement_code(self.house.agreement, "returning")
        self._move(on, BOOKED, "booked", f"returned:{refund.pk}", (returning, -refund.due_fen), ("families", refund.due_fen))
        self._mark_paid(refund, on)

    def _mark_paid(self, refund: Refund, on: datetime.date) -> None:
        """The family has its money."""
        refund.state, refund.refunded_on, refund.refunded_fen, refund.updated_at = RefundState.PAID, on, refund.due_fen, at(on, 18)
        self._end(ContractState.REFUNDED, on, "剩余课时已退费")

    def _end(self, state: ContractState, on: datetime.date, reason: str) -> None:
        if self.contract.state == ContractState.ACTIVE and not self.left:
            self.contract.state, self.contract.ended_on, self.contract.end_reason = state, on, reason
