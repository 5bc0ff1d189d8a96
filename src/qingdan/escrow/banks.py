"""Which bank an agreement is spoken to through, by what the settings say. Everything else of the app knows only ``banking.Bank``."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from qingdan.banking import Bank, BankRefused, FileBank, HttpBank, Purpose
from qingdan.banking import Instruction as Message
from qingdan.escrow.enums import BankChannel, InstructionPurpose
from qingdan.escrow.models import BankInstruction, CustodyAgreement

#: Seconds that one request may take while somebody waits for a page, and while nobody does.
SECONDS_FOR_A_PAGE, SECONDS_FOR_A_TASK = 6.0, 20.0


def bank_of(agreement: CustodyAgreement, *, seconds: float = SECONDS_FOR_A_TASK) -> Bank:
    """The bank of an agreement. Raises BankRefused when the settings name none, with what to set."""
    if agreement.channel == BankChannel.HTTP:
        if not settings.BANK_URL:
            raise BankRefused("还没有接通银行：请运维人员设置 QINGDAN_BANK_URL，或把协议的对接方式改为文件交换")
        return HttpBank(settings.BANK_URL, token=settings.BANK_TOKEN, timeout_seconds=seconds)
    if settings.BANK_FOLDER is None:
        raise BankRefused("还没有与银行交换文件的文件夹：请运维人员设置 QINGDAN_BANK_FOLDER")
    # A folder for each bank: none sees what is meant for another.
    folder = "".join(letter for letter in agreement.bank_name if letter.isalnum())
    return FileBank(Path(settings.BANK_FOLDER) / folder, writes_csv=agreement.channel == BankChannel.CSV)


def message_of(instruction: BankInstruction) -> Message:
    """An instruction as banks are told it. Raises InstructionFault for one that no bank could carry out."""
    return Message(
        reference=instruction.reference,
        purpose=_purpose_of(instruction),
        amount_fen=instruction.amount_fen,
        from_account=instruction.agreement.account_number,
        to_account=instruction.to_account,
        to_name=instruction.to_name,
        remittance=instruction.remittance,
        requested_on=instruction.requested_on,
    )


def _purpose_of(instruction: BankInstruction) -> Purpose:
    """What is paid to a family out of a reserve is a refund; what goes back to the institution is returned."""
    if instruction.purpose == InstructionPurpose.RELEASE:
        return Purpose.RELEASE
    is_refund = instruction.purpose == InstructionPurpose.REFUND or instruction.contract_id is not None
    return Purpose.REFUND if is_refund else Purpose.RETURN
