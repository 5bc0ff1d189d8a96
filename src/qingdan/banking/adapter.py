"""What every bank can do for us, and the two ways in which it can fail."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Protocol

from qingdan.banking.messages import Answer, Instruction, Order, Receipt, Statement


class BankDown(Exception):
    """The bank did not answer, or not intelligibly: nothing is known about what it did. Ask again later; the message is for a clerk."""


class BankRefused(Exception):
    """The bank refused the whole request and did nothing; sending the same again helps nobody. The message is for a clerk."""


class Bank(Protocol):
    """One bank. Every act may be repeated after BankDown: a reference or order number is carried out once, however often it comes."""

    def submit(self, instructions: Sequence[Instruction]) -> list[Answer]:
        """Hand in instructions; an answer to each, in order.

        Raise InstructionFault when one reference stands in them twice,
        BankDown when it is not known what became of them (ask, or submit the same again), BankRefused when none was taken.
        """
        ...

    def ask(self, references: Sequence[str]) -> list[Answer]:
        """What stands about each reference, in order; ``unknown`` when the bank has never seen it. Raise BankDown or BankRefused."""
        ...

    def statements(self, account: str, *, since: datetime.date) -> list[Statement]:
        """The statements of an account that end on ``since`` or later, checked, each once, in order of their numbers.

        Raise BankDown, BankRefused, or StatementFault, which holds the sound statements of the delivery too.
        """
        ...

    def collect(self, order: Order) -> Receipt:
        """Ask for a payment by a family; the receipt says where she pays. Raise BankDown (ask again) or BankRefused."""
        ...

    def collected(self, number: str) -> Receipt:
        """Where a payment order stands; the only proof of payment before the statement. Raise BankDown or BankRefused."""
        ...
