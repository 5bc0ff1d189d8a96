"""Records of the escrow app."""

from __future__ import annotations

from qingdan.escrow.models.codes import SigningCode
from qingdan.escrow.models.contracts import Contract, PaymentOrder
from qingdan.escrow.models.custody import BankInstruction, CustodyAgreement
from qingdan.escrow.models.lessons import Lesson
from qingdan.escrow.models.offers import OfferedCourse, PlannedSession, RegisteredInstitution
from qingdan.escrow.models.prices import FeeFiling, GuidedPrice
from qingdan.escrow.models.refunds import Complaint, Refund
from qingdan.escrow.models.risk import RiskScore, RiskStep
from qingdan.escrow.models.statements import BankLine, BankStatement, DayBalance, MoneyGap

__all__ = [
    "BankInstruction",
    "BankLine",
    "BankStatement",
    "Complaint",
    "Contract",
    "CustodyAgreement",
    "DayBalance",
    "FeeFiling",
    "GuidedPrice",
    "Lesson",
    "MoneyGap",
    "OfferedCourse",
    "PaymentOrder",
    "PlannedSession",
    "Refund",
    "RegisteredInstitution",
    "RiskScore",
    "RiskStep",
    "SigningCode",
]
