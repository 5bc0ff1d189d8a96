"""Banks: what we send them, what they send us, and how they are reached. Pure Python; it knows nothing of the rest of the product."""

from qingdan.banking.adapter import Bank, BankDown, BankRefused
from qingdan.banking.files import FileBank
from qingdan.banking.http import HttpBank
from qingdan.banking.messages import (
    Answer,
    AnswerFault,
    BankingFault,
    Instruction,
    InstructionFault,
    Line,
    Order,
    OrderStatus,
    Purpose,
    Receipt,
    Statement,
    StatementFault,
    Status,
    gaps,
    in_order,
)
from qingdan.banking.money import fen_of, yuan_of

__all__ = [
    "Answer",
    "AnswerFault",
    "Bank",
    "BankDown",
    "BankRefused",
    "BankingFault",
    "FileBank",
    "HttpBank",
    "Instruction",
    "InstructionFault",
    "Line",
    "Order",
    "OrderStatus",
    "Purpose",
    "Receipt",
    "Statement",
    "StatementFault",
    "Status",
    "fen_of",
    "gaps",
    "in_order",
    "yuan_of",
]
