"""What the bank says about instructions, as pain.002.001.10 (CustomerPaymentStatusReport).

The codes are those of the external code sets of ISO 20022: a transaction the bank has never received is RJCT with reason NOOR.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from qingdan.banking.iso20022 import Node, Writer, add, message_id, parse
from qingdan.banking.messages import Answer, AnswerFault, Status, plain
from qingdan.banking.money import shortened

DEFINITION = "pain.002.001.10"
_NEVER_RECEIVED = "NOOR"
_NARRATIVE = "NARR"
_REASON_CHUNK = 105
_REASON_MAX = 299
_WRITTEN = {Status.ACCEPTED: "ACCP", Status.PENDING: "PDNG", Status.BOOKED: "ACSC", Status.REJECTED: "RJCT", Status.UNKNOWN: "RJCT"}
_READ = {
    "RCVD": Status.PENDING,
    "PDNG": Status.PENDING,
    "PATC": Status.PENDING,
    "ACTC": Status.ACCEPTED,
    "ACCP": Status.ACCEPTED,
    "ACFC": Status.ACCEPTED,
    "ACSP": Status.ACCEPTED,
    "ACWC": Status.ACCEPTED,
    "ACWP": Status.ACCEPTED,
    "ACSC": Status.BOOKED,
    "ACCC": Status.BOOKED,
    "RJCT": Status.REJECTED,
    "CANC": Status.REJECTED,
}
_REASONS = {
    "AC01": "账号不对",
    "AC04": "账户已经销户",
    "AC06": "账户被冻结",
    "AG01": "账户不允许这种交易",
    "AM04": "余额不足",
    "AM05": "重复的指令",
    "AM09": "金额不对",
    "BE01": "户名与账号不符",
    "DT01": "日期不对",
    "FF01": "报文格式不对",
}
_NO_REASON = "银行没有说明原因"


@dataclass(frozen=True)
class Report:
    """A whole status report. ``whole`` is what is said of all instructions of the original message at once, when it is said so."""

    original_message_id: str
    whole: Answer | None
    answers: tuple[Answer, ...]

    def about(self, references: Sequence[str]) -> list[Answer]:
        """The answer to each reference in order; what the report does not mention is pending unless all are answered at once."""
        known = {answer.reference: answer for answer in self.answers}
        return [known.get(reference) or self._for_all(reference) for reference in references]

    def _for_all(self, reference: str) -> Answer:
        if self.whole is None:
            return Answer(reference, Status.PENDING, "银行的回单里没有这一笔，请再查询")
        return Answer(reference, self.whole.status, self.whole.reason)


def write(answers: Sequence[Answer], *, original_message_id: str, created_at: datetime.datetime) -> bytes:
    """One report about instructions of one message; ``created_at`` is aware."""
    writer = Writer(DEFINITION, "CstmrPmtStsRpt")
    header = add(writer.body, "GrpHdr")
    add(header, "MsgId", message_id("SR", original_message_id, created_at, *answers))
    add(header, "CreDtTm", created_at.isoformat())
    original = add(writer.body, "OrgnlGrpInfAndSts")
    add(original, "OrgnlMsgId", original_message_id)
    add(original, "OrgnlMsgNmId", "pain.001.001.09")
    if answers:
        group = add(writer.body, "OrgnlPmtInfAndSts")
        add(group, "OrgnlPmtInfId", original_message_id)
        for answer in answers:
            _write_answer(add(group, "TxInfAndSts"), answer)
    return writer.bytes()


def _write_answer(element: Element, answer: Answer) -> None:
    add(element, "OrgnlEndToEndId", answer.reference)
    add(element, "TxSts", _WRITTEN[answer.status])
    code = {Status.UNKNOWN: _NEVER_RECEIVED, Status.REJECTED: _NARRATIVE}.get(answer.status, _NARRATIVE if answer.reason else "")
    if code:
        reason = add(element, "StsRsnInf")
        add(reason, "Rsn/Cd", code)
        for start in range(0, len(answer.reason), _REASON_CHUNK):
            add(reason, "AddtlInf", answer.reason[start : start + _REASON_CHUNK])
    if answer.bank_reference:
        add(element, "AcctSvcrRef", answer.bank_reference)


def read(data: bytes) -> list[Answer]:
    """The answers about single instructions; raise AnswerFault when the report cannot be read."""
    return list(read_report(data).answers)


def read_report(data: bytes) -> Report:
    """The whole report; raise AnswerFault when it cannot be read or says two things of one instruction."""
    body = parse(data, "pain.002", AnswerFault)
    original = body.one("OrgnlGrpInfAndSts")
    found: dict[str, Answer] = {}
    for group in body.all("OrgnlPmtInfAndSts"):
        for node in group.all("TxInfAndSts"):
            answer = _answer(node, node.needed("OrgnlEndToEndId"), node.needed("TxSts"))
            if found.setdefault(answer.reference, answer) != answer:
                raise AnswerFault(node.path, f"对指令 {answer.reference} 说了两种不同的结果")
    status = original.told("GrpSts")
    # A group that is partly accepted says so of each instruction.
    whole = _answer(original, "", status) if status in _READ else None
    return Report(original.needed("OrgnlMsgId"), whole, tuple(found.values()))


def _answer(node: Node, reference: str, written: str) -> Answer:
    if written not in _READ:
        raise AnswerFault(node.path, f"状态“{shortened(written)}”不认识")
    status = _READ[written]
    codes = [information.told("Rsn/Cd") or information.told("Rsn/Prtry") for information in node.all("StsRsnInf")]
    texts = (part.element.text or "" for information in node.all("StsRsnInf") for part in information.all("AddtlInf"))
    reason = plain("".join(texts)) or "；".join(_reason(code) for code in codes if code and code not in {_NARRATIVE, _NEVER_RECEIVED})
    if _NEVER_RECEIVED in codes:
        status = Status.UNKNOWN
    if status is Status.REJECTED and not reason:
        reason = _NO_REASON
    return Answer(reference, status, shortened(reason, _REASON_MAX), node.told("AcctSvcrRef") or None)


def _reason(code: str) -> str:
    return f"{_REASONS[code]}（{code}）" if code in _REASONS else f"代码 {shortened(code)}"
