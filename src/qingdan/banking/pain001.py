"""Payment instructions as pain.001.001.09 (CustomerCreditTransferInitiation), with number and control sum."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.etree.ElementTree import Element

from qingdan.banking.iso20022 import Node, Writer, account_in, add, add_account, add_fen, message_id, parse
from qingdan.banking.messages import Instruction, InstructionFault, Purpose
from qingdan.banking.money import fen_of, shortened, yuan_of

DEFINITION = "pain.001.001.09"
INITIATOR = "轻担"


@dataclass(frozen=True)
class Initiation:
    """A message of instructions. ``message_id`` is ours, of at most 35 characters; ``created_at`` is aware."""

    message_id: str
    created_at: datetime.datetime
    instructions: tuple[Instruction, ...]


def id_for(instructions: Sequence[Instruction]) -> str:
    """The identification of the message with these instructions: sent again, it is the same message."""
    return message_id("QD", *instructions)


def write(instructions: Sequence[Instruction], *, created_at: datetime.datetime, initiator: str = INITIATOR) -> bytes:
    """One message; raise InstructionFault when it has none or one reference twice."""
    if not instructions:
        raise InstructionFault("付款报文", "里面没有指令")
    _check_distinct(instructions)
    identification = id_for(instructions)
    writer = Writer(DEFINITION, "CstmrCdtTrfInitn")
    header = add(writer.body, "GrpHdr")
    add(header, "MsgId", identification)
    add(header, "CreDtTm", created_at.isoformat())
    _add_totals(header, instructions)
    add(header, "InitgPty/Nm", initiator)
    groups = groupby(instructions, key=lambda one: (one.from_account, one.requested_on))
    for number, (_, group) in enumerate(groups, start=1):
        _write_group(add(writer.body, "PmtInf"), f"{identification[:28]}-{number}", list(group), initiator)
    return writer.bytes()


def _write_group(element: Element, identification: str, instructions: Sequence[Instruction], initiator: str) -> None:
    """Instructions from one account for one day; each is booked by itself, so that each has its line on the statement."""
    add(element, "PmtInfId", identification)
    add(element, "PmtMtd", "TRF")
    add(element, "BtchBookg", "false")
    _add_totals(element, instructions)
    add(element, "ReqdExctnDt/Dt", instructions[0].requested_on.isoformat())
    add(element, "Dbtr/Nm", initiator)
    add(add_account(element, "DbtrAcct", instructions[0].from_account), "Ccy", "CNY")
    add(element, "DbtrAgt/FinInstnId/Othr/Id", "NOTPROVIDED")
    for one in instructions:
        transfer = add(element, "CdtTrfTxInf")
        add(transfer, "PmtId/EndToEndId", one.reference)
        add_fen(transfer, "Amt/InstdAmt", one.amount_fen)
        add(transfer, "Cdtr/Nm", one.to_name)
        add_account(transfer, "CdtrAcct", one.to_account)
        add(transfer, "Purp/Prtry", one.purpose.value)
        if one.remittance:
            add(transfer, "RmtInf/Ustrd", one.remittance)


def _add_totals(element: Element, instructions: Sequence[Instruction]) -> None:
    add(element, "NbOfTxs", str(len(instructions)))
    add(element, "CtrlSum", yuan_of(sum(one.amount_fen for one in instructions)))


def read(data: bytes) -> list[Instruction]:
    """The instructions of a message; raise InstructionFault when it cannot be read or its totals do not agree."""
    return list(read_message(data).instructions)


def read_message(data: bytes) -> Initiation:
    """The whole message; raise InstructionFault as ``read`` does."""
    body = parse(data, "pain.001", InstructionFault)
    header = body.one("GrpHdr")
    instructions: list[Instruction] = []
    for group in body.all("PmtInf"):
        found = [_instruction(transfer, group) for transfer in group.all("CdtTrfTxInf")]
        _check_totals(group, found)
        instructions.extend(found)
    if not instructions:
        raise InstructionFault(body.path, "里面没有指令")
    header.whole("NbOfTxs")  # not optional here, as it is for a group
    _check_totals(header, instructions)
    _check_distinct(instructions)
    return Initiation(header.needed("MsgId"), header.time("CreDtTm"), tuple(instructions))


def _instruction(transfer: Node, group: Node) -> Instruction:
    written = transfer.told("Purp/Prtry") or transfer.told("Purp/Cd")
    if written not in set(Purpose):
        known = "、".join(Purpose)
        raise InstructionFault(f"{transfer.path}/Purp", f"用途“{shortened(written)}”不认识；可写 {known}")
    return Instruction(
        reference=transfer.needed("PmtId/EndToEndId"),
        purpose=Purpose(written),
        amount_fen=transfer.fen("Amt/InstdAmt"),
        from_account=account_in(group, "DbtrAcct"),
        to_account=account_in(transfer, "CdtrAcct"),
        to_name=transfer.needed("Cdtr/Nm"),
        remittance=transfer.told("RmtInf/Ustrd"),
        requested_on=group.day("ReqdExctnDt"),
    )


def _check_totals(node: Node, instructions: Sequence[Instruction]) -> None:
    if node.find("NbOfTxs") and node.whole("NbOfTxs") != len(instructions):
        raise InstructionFault(f"{node.path}/NbOfTxs", f"写着 {node.whole('NbOfTxs')} 笔，实际 {len(instructions)} 笔")
    total = sum(one.amount_fen for one in instructions)
    said = node.find("CtrlSum")
    if said is not None and said.read(fen_of) != total:
        raise InstructionFault(said.path, f"控制总额 {shortened(said.text)} 不等于各笔之和 {yuan_of(total)}")


def _check_distinct(instructions: Sequence[Instruction]) -> None:
    seen: set[str] = set()
    for one in instructions:
        if one.reference in seen:
            raise InstructionFault(f"指令 {one.reference}", "同一个参考号在一份报文里出现了两次")
        seen.add(one.reference)
