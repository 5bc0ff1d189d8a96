"""What banks are told: instructions go out, answers come in, and whatever fails in between is found again.

An instruction is written as SENT, and that is committed, before the bank hears of it. Whoever dies after that leaves an instruction of
which nobody knows whether the bank has it; the next run asks, and tells it again under the same reference only when the bank has never
seen it. A bank carries out one reference once, so even telling twice moves nothing twice.
"""

from __future__ import annotations

import datetime
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from qingdan.banking import Answer, Bank, BankDown, BankRefused, InstructionFault, Status
from qingdan.banking import Instruction as Message
from qingdan.escrow.actions import instructing
from qingdan.escrow.banks import bank_of, message_of
from qingdan.escrow.enums import OPEN_INSTRUCTIONS, InstructionState
from qingdan.escrow.models import BankInstruction, CustodyAgreement
from qingdan.places.calendar import today

log = logging.getLogger(__name__)

#: The most that goes into one message.
AT_ONCE = 100
#: Between two tries that were not answered: one minute, two, four … one hour at most.
_LONGEST_WAIT_MINUTES = 60


@dataclass
class Dispatched:
    """What a run did, by counts of instructions."""

    sent: int = 0
    asked: int = 0
    booked: int = 0
    rejected: int = 0
    #: Nothing is known: the bank was down, or refused to listen.
    unanswered: int = 0
    problems: list[str] = field(default_factory=list)


def wait_after(attempts: int) -> datetime.timedelta:
    """How long to leave a bank alone after so many tries."""
    return datetime.timedelta(minutes=min(2 ** max(0, min(attempts, 10) - 1), _LONGEST_WAIT_MINUTES))


def next_try_at(instruction: BankInstruction) -> datetime.datetime | None:
    """When an open instruction is sent or asked about next; None for one that waits for nothing but the next run, or is over."""
    if instruction.state not in OPEN_INSTRUCTIONS or instruction.sent_at is None:
        return None
    return instruction.sent_at + wait_after(instruction.attempts)


def due(now: datetime.datetime) -> list[BankInstruction]:
    """Open instructions whose time has come; releases of paused agreements that no bank has heard of stay where they are."""
    found = BankInstruction.objects.to_tell().select_related("agreement__institution").order_by("agreement", "pk")
    return [one for one in found if (at := next_try_at(one)) is None or at <= now]


def dispatch(*, now: datetime.datetime | None = None, only: Sequence[int] | None = None) -> Dispatched:
    """Send what waits, ask about what is open. With ``only`` these instructions, whether their time has come or not.

    Raises nothing for what a bank does: a bank that is down leaves its instructions for later, the other banks are served.
    """
    now, done = now or timezone.now(), Dispatched()
    if only is None:
        waiting = due(now)
    else:
        waiting = list(BankInstruction.objects.pending().filter(pk__in=only).select_related("agreement__institution").order_by("pk"))
    by_agreement: defaultdict[int, list[BankInstruction]] = defaultdict(list)
    for one in waiting:
        by_agreement[one.agreement_id].append(one)
    for group in by_agreement.values():
        for start in range(0, len(group), AT_ONCE):
            _dispatch_some(group[0].agreement, [one.pk for one in group[start : start + AT_ONCE]], now, done)
    log.info(
        "escrow.dispatched sent=%s asked=%s booked=%s rejected=%s unanswered=%s",
        done.sent, done.asked, done.booked, done.rejected, done.unanswered,
    )  # fmt: skip
    return done


def _dispatch_some(agreement: CustodyAgreement, numbers: list[int], now: datetime.datetime, done: Dispatched) -> None:
    try:
        bank = bank_of(agreement)
    except (BankRefused, ValueError) as refusal:
        _note(numbers, str(refusal))
        done.unanswered += len(numbers)
        done.problems.append(str(refusal))
        return
    fresh, open_ones = _claim(numbers, now)
    try:
        if open_ones:
            fresh += _ask(bank, open_ones, done)
        if fresh:
            _submit(bank, fresh, done)
    except (BankDown, OSError) as fault:  # a folder that cannot be written is as good as a bank that is down
        left = [one.pk for one in (*fresh, *open_ones)]
        _note(left, str(fault))
        done.unanswered += len(left)
        done.problems.append(str(fault))


@transaction.atomic(durable=True)
def _claim(numbers: list[int], now: datetime.datetime) -> tuple[list[BankInstruction], list[BankInstruction]]:
    """Write down that these are being sent (never told before) or asked about; what another run holds is left to it."""
    rows = BankInstruction.objects.pending().filter(pk__in=numbers).order_by("pk").select_for_update(skip_locked=True, of=("self",))
    held = list(rows.select_related("agreement__institution"))
    fresh = [one for one in held if one.state == InstructionState.PREPARED]
    for one in held:
        if one.state == InstructionState.PREPARED:
            one.state = InstructionState.SENT
        one.attempts, one.sent_at = one.attempts + 1, now
        one.save(update_fields=["state", "attempts", "sent_at"])
    return fresh, [one for one in held if one not in fresh]


def _ask(bank: Bank, instructions: list[BankInstruction], done: Dispatched) -> list[BankInstruction]:
    """Take the bank's answers; those that it has never seen are to be told. Raises BankDown."""
    try:
        answers = bank.ask([one.reference for one in instructions])
    except BankRefused as refusal:
        _note([one.pk for one in instructions], str(refusal))
        done.problems.append(str(refusal))
        done.unanswered += len(instructions)
        return []
    done.asked += len(instructions)
    unseen = []
    for one, answer in zip(instructions, answers, strict=True):
        if answer.status is not Status.UNKNOWN:
            take(one, answer, done)
        elif one.state == InstructionState.SENT:
            unseen.append(one)
        else:
            # It has taken this once. Telling it again could move the money twice if it has lost its memory: a person has to ask.
            _note([one.pk], "银行曾受理，现在查无此笔；请与银行核实，对账单到了会自动了结")
    return unseen


def _submit(bank: Bank, instructions: list[BankInstruction], done: Dispatched) -> None:
    """Tell the bank, take its answers. Raises BankDown."""
    messages: list[Message] = []
    told: list[BankInstruction] = []
    for one in instructions:
        try:
            messages.append(message_of(one))
        except InstructionFault as fault:
            # No bank has heard of it: nothing was sent.
            instructing.rejected(one, reason=f"没有发给银行：{fault}")
            done.rejected += 1
        else:
            told.append(one)
    if not messages:
        return
    try:
        answers = bank.submit(messages)
    except BankRefused as refusal:
        # It took none of them, so they are as if never sent.
        BankInstruction.objects.filter(pk__in=[one.pk for one in told], state=InstructionState.SENT).update(
            state=InstructionState.PREPARED, reason=_short(refusal)
        )
        done.unanswered += len(told)
        done.problems.append(str(refusal))
        return
    done.sent += len(told)
    for one, answer in zip(told, answers, strict=True):
        take(one, answer, done)


def take(instruction: BankInstruction, answer: Answer, done: Dispatched | None = None) -> None:
    """What the bank says about an instruction is carried out; the same answer again changes nothing.

    When the bank contradicts what it said before, that is noted on the instruction, for a person to ask.
    """
    done = done or Dispatched()
    try:
        if answer.status is Status.BOOKED:
            instructing.booked(instruction, on=today(), bank_reference=answer.bank_reference or "")
            done.booked += 1
        elif answer.status is Status.REJECTED:
            instructing.rejected(instruction, reason=answer.reason)
            done.rejected += 1
        elif answer.status in (Status.ACCEPTED, Status.PENDING):
            open_ones = BankInstruction.objects.pending().filter(pk=instruction.pk)
            open_ones.update(state=InstructionState.ACCEPTED, reason=_short(answer.reason))
    except ValidationError as problem:
        text = "；".join(problem.messages)
        log.error("escrow.instruction.contradicted reference=%s %s", instruction.reference, text)
        BankInstruction.objects.filter(pk=instruction.pk).update(reason=_short(text))
        done.problems.append(text)


def _note(numbers: Iterable[int], text: str) -> None:
    """Say on open instructions what stands in their way."""
    BankInstruction.objects.pending().filter(pk__in=list(numbers)).update(reason=_short(text))


def _short(text: object) -> str:
    return str(text)[:300]
