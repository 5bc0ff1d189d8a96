"""Bank statements as camt.053 (BankToCustomerStatement).

Read: camt.053.001.02 and .08 (and what lies between, which has the elements of one or the other); written: camt.053.001.08.
Entries that are not booked (pending, information) and those of zero move nothing and are left out. A collective entry becomes a line for
each of its transactions when these have amounts.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from qingdan.banking.iso20022 import Node, Writer, account_in, add, add_account, add_fen, message_id, parse
from qingdan.banking.messages import CHINA, Line, Statement, StatementFault, together
from qingdan.banking.money import yuan_of

DEFINITION = "camt.053.001.08"
_NO_REFERENCE = {"", "NOTPROVIDED", "NOTAVAILABLE"}


def read(data: bytes) -> list[Statement]:
    """The statements of one message, each checked; raise StatementFault, with those that are sound, when one is not."""
    return read_pages([data])


def read_pages(messages: Iterable[bytes]) -> list[Statement]:
    """The statements of messages that belong together, their pages joined, each checked.

    Raise StatementFault, with the sound statements in it, when one cannot be believed or a page is missing.
    """
    return whole_of([page for data in messages for page in pages_in(data)])


@dataclass(frozen=True)
class Page:
    """A statement or a part of one as it stands in a message. ``number`` counts from 1."""

    statement: Statement
    number: int
    is_last: bool

    @property
    def key(self) -> tuple[str, str]:
        """What pages of one statement have in common."""
        return self.statement.account, self.statement.identification


def pages_in(data: bytes) -> list[Page]:
    """The pages in one message, unchecked; raise StatementFault when the message cannot be read."""
    body = parse(data, "camt.053", StatementFault)
    found = [_page(node, body) for node in body.all("Stmt")]
    if not found:
        raise StatementFault(body.path, "里面没有对账单")
    return found


def whole_of(pages: Iterable[Page]) -> list[Statement]:
    """The statements that these pages make up, in the order of their first pages, each checked; raise StatementFault as ``read_pages``."""
    groups: dict[tuple[str, str], list[Page]] = {}
    for page in pages:
        groups.setdefault(page.key, []).append(page)
    sound: list[Statement] = []
    faults: list[StatementFault] = []
    for group in groups.values():
        try:
            sound.append(joined(group))
        except StatementFault as fault:
            faults.append(fault)
    if faults:
        raise together(faults, sound)
    return sound


def joined(pages: Sequence[Page]) -> Statement:
    """The whole statement of its pages, in order, checked; raise StatementFault when a page is missing or differs."""
    distinct: dict[int, Page] = {}
    for page in pages:
        known = distinct.setdefault(page.number, page)
        if known.statement.content != page.statement.content:
            raise page.statement.fault(f"第 {page.number} 页来了两次，内容不同；请让银行重发")
    ordered = [distinct[number] for number in sorted(distinct)]
    first, last = ordered[0].statement, ordered[-1].statement
    missing = [str(number) for number in range(1, ordered[-1].number + 1) if number not in distinct]
    if missing:
        raise first.fault(f"缺第 {'、'.join(missing)} 页；请让银行补发")
    if not ordered[-1].is_last:
        raise first.fault(f"只有前 {len(ordered)} 页，最后一页没有收到；请让银行补发")
    lines = tuple(line for page in ordered for line in page.statement.lines)
    whole = replace(first, lines=lines, closing_fen=last.closing_fen, until_on=max(first.until_on, last.until_on))
    whole.check()
    return whole


def _page(node: Node, body: Node) -> Page:
    number, is_last = 1, True
    paging = node.find("StmtPgntn") or body.find("GrpHdr/MsgPgntn")
    if paging is not None:
        number, is_last = paging.whole("PgNb"), paging.needed("LastPgInd") in {"true", "1"}
    identification, account = node.needed("Id"), account_in(node, "Acct")
    if not account:
        raise StatementFault(f"{node.path}/Acct", "没有账号")
    _check_currency(node)
    opening, opened = _balance(node, ("OPBD", "PRCD") if number == 1 else ("OPBD", "ITBD", "PRCD"), last=False)
    closing, closed = _balance(node, ("CLBD",) if is_last else ("CLBD", "ITBD"), last=True)
    period = node.find("FrToDt")
    from_on = period.day("FrDtTm") if period else opened
    until_on = period.day("ToDtTm") if period else closed
    sequence = "ElctrncSeqNb" if node.find("ElctrncSeqNb") else "LglSeqNb"
    statement = Statement(
        identification=identification,
        account=account,
        sequence_number=node.whole(sequence),
        created_at=(node if node.find("CreDtTm") else body.one("GrpHdr")).time("CreDtTm"),
        from_on=from_on,
        until_on=until_on,
        opening_fen=opening,
        closing_fen=closing,
        lines=tuple(line for entry in node.all("Ntry") if _is_booked(entry) for line in _lines(entry, account) if line.amount_fen),
    )
    if number == 1 and is_last:
        _check_summary(node, statement)
    return Page(statement, number, is_last)


def _check_currency(node: Node) -> None:
    currency = node.told("Acct/Ccy")
    if currency not in {"", "CNY"}:
        raise StatementFault(f"{node.path}/Acct/Ccy", f"账户币种是 {currency}，只认人民币 CNY")


def _check_summary(node: Node, statement: Statement) -> None:
    """A bank that says how many entries there are says so to let us see whether all arrived."""
    said = node.told("TxsSummry/TtlNtries/NbOfNtries")
    found = sum(1 for _ in node.all("Ntry"))
    if said and said != str(found):
        raise statement.fault(f"银行说有 {said} 笔，实际有 {found} 笔；请让银行重发")


def _balance(node: Node, codes: Sequence[str], *, last: bool) -> tuple[int, datetime.date]:
    """The first balance of the best of these codes (the last one for a closing balance), signed, and its day."""
    balances = list(node.all("Bal"))
    for code in codes:
        found = [balance for balance in balances if balance.told("Tp/CdOrPrtry/Cd") == code]
        if found:
            chosen = found[-1 if last else 0]
            return _signed(chosen), chosen.day("Dt")
    raise StatementFault(node.path, f"没有{'期末' if last else '期初'}余额（{codes[0]}）；可能没有收全")


def _signed(node: Node) -> int:
    """The amount in an element, positive for a credit."""
    fen = node.fen("Amt")
    if fen < 0:
        raise StatementFault(f"{node.path}/Amt", "金额不能是负数，收付方向应写在 CdtDbtInd")
    return fen * _direction(node)


def _direction(node: Node) -> int:
    written = node.needed("CdtDbtInd")
    if written not in {"CRDT", "DBIT"}:
        raise StatementFault(f"{node.path}/CdtDbtInd", f"“{written}”既不是 CRDT 也不是 DBIT")
    return 1 if written == "CRDT" else -1


def _is_booked(entry: Node) -> bool:
    """Version .02 writes the status as text, later ones as a code inside."""
    status = entry.one("Sts")
    return (status.told("Cd") or status.text) == "BOOK"


def _lines(entry: Node, account: str) -> Iterator[Line]:
    amount = _signed(entry)
    transactions = [transaction for details in entry.all("NtryDtls") for transaction in details.all("TxDtls")]
    reference = entry.told("AcctSvcrRef") or entry.told("NtryRef")
    is_reversal = entry.told("RvslInd") in {"true", "1"}
    if len(transactions) > 1:
        shares = [_share(transaction, entry) for transaction in transactions]
        if sum(shares) != amount:
            raise StatementFault(
                entry.path, f"汇总金额 {yuan_of(amount)} 不等于其中 {len(shares)} 笔之和 {yuan_of(sum(shares))}；请让银行重发"
            )
        for number, (transaction, share) in enumerate(zip(transactions, shares, strict=True), start=1):
            own = transaction.told("Refs/AcctSvcrRef") or f"{reference}/{number}"
            yield _line(entry, transaction, account, own, share, is_reversal)
        return
    only = transactions[0] if transactions else None
    if only is not None and not reference:
        reference = only.told("Refs/AcctSvcrRef")
    if not reference:
        raise StatementFault(entry.path, "没有银行流水号（AcctSvcrRef）")
    yield _line(entry, only, account, reference, amount, is_reversal)


def _share(transaction: Node, entry: Node) -> int:
    """The amount of one transaction of a collective entry, signed as the entry unless it says otherwise."""
    node = transaction.find("Amt") or transaction.find("AmtDtls/TxAmt/Amt")
    if node is None:
        raise StatementFault(transaction.path, "汇总入账里的这一笔没有金额，无法逐笔核对；请让银行逐笔入账")
    return node.fen() * _direction(transaction if transaction.find("CdtDbtInd") else entry)


def _line(entry: Node, transaction: Node | None, account: str, bank_reference: str, fen: int, is_reversal: bool) -> Line:
    booked = entry.day("BookgDt") if entry.find("BookgDt") else entry.day("ValDt")
    reference, name, other, remittance = None, "", "", ""
    if transaction is not None:
        written = transaction.told("Refs/EndToEndId")
        reference = None if written in _NO_REFERENCE else written
        name, other = _counterparty(transaction, account, came_in=fen > 0, is_reversal=is_reversal)
        information = transaction.find("RmtInf")
        remittance = "".join(part.element.text or "" for part in information.all("Ustrd")) if information else ""
    return Line(
        bank_reference=bank_reference,
        reference=reference,
        amount_fen=fen,
        booked_on=booked,
        valued_on=entry.day("ValDt") if entry.find("ValDt") else booked,
        counterparty_name=name,
        counterparty_account=other,
        remittance=remittance or entry.told("AddtlNtryInf"),
        is_reversal=is_reversal,
    )


def _counterparty(transaction: Node, account: str, *, came_in: bool, is_reversal: bool) -> tuple[str, str]:
    """Name and account of the other side. The parties of a reversal are those of the payment that it takes back."""
    preferred = "Dbtr" if came_in != is_reversal else "Cdtr"
    for role in (preferred, "Cdtr" if preferred == "Dbtr" else "Dbtr"):
        name = transaction.told(f"RltdPties/{role}/Pty/Nm") or transaction.told(f"RltdPties/{role}/Nm")
        other = account_in(transaction, f"RltdPties/{role}Acct")
        if (name or other) and other != account:
            return name, other
    return "", ""


def write(statements: Sequence[Statement]) -> bytes:
    """One message of whole statements, unchecked; the same statements give the same bytes."""
    if not statements:
        raise ValueError("a message has at least one statement")
    writer = Writer(DEFINITION, "BkToCstmrStmt")
    header = add(writer.body, "GrpHdr")
    add(header, "MsgId", message_id("ST", *statements))
    add(header, "CreDtTm", max(one.created_at for one in statements).isoformat())
    paging = add(header, "MsgPgntn")
    add(paging, "PgNb", "1")
    add(paging, "LastPgInd", "true")
    for one in statements:
        _write_statement(add(writer.body, "Stmt"), one)
    return writer.bytes()


def _write_statement(element: Element, one: Statement) -> None:
    add(element, "Id", one.identification)
    paging = add(element, "StmtPgntn")
    add(paging, "PgNb", "1")
    add(paging, "LastPgInd", "true")
    add(element, "ElctrncSeqNb", str(one.sequence_number))
    add(element, "CreDtTm", one.created_at.isoformat())
    period = add(element, "FrToDt")
    add(period, "FrDtTm", datetime.datetime.combine(one.from_on, datetime.time(), CHINA).isoformat())
    add(period, "ToDtTm", datetime.datetime.combine(one.until_on, datetime.time(23, 59, 59), CHINA).isoformat())
    add(add_account(element, "Acct", one.account), "Ccy", "CNY")
    for code, fen, day in (("OPBD", one.opening_fen, one.from_on), ("CLBD", one.closing_fen, one.until_on)):
        balance = add(element, "Bal")
        add(balance, "Tp/CdOrPrtry/Cd", code)
        _add_signed(balance, fen)
        add(balance, "Dt/Dt", day.isoformat())
    total = add(element, "TxsSummry/TtlNtries")
    add(total, "NbOfNtries", str(len(one.lines)))
    add(total, "Sum", yuan_of(sum(abs(line.amount_fen) for line in one.lines)))
    for line in one.lines:
        _write_line(add(element, "Ntry"), line)


def _write_line(entry: Element, line: Line) -> None:
    came_in = line.amount_fen > 0
    _add_signed(entry, line.amount_fen)
    add(entry, "RvslInd", "true" if line.is_reversal else "false")
    add(entry, "Sts/Cd", "BOOK")
    add(entry, "BookgDt/Dt", line.booked_on.isoformat())
    add(entry, "ValDt/Dt", line.valued_on.isoformat())
    add(entry, "AcctSvcrRef", line.bank_reference)
    domain = add(entry, "BkTxCd/Domn")
    add(domain, "Cd", "PMNT")
    family = add(domain, "Fmly")
    add(family, "Cd", "RCDT" if came_in else "ICDT")
    add(family, "SubFmlyCd", "OTHR")
    details = add(entry, "NtryDtls/TxDtls")
    references = add(details, "Refs")
    add(references, "AcctSvcrRef", line.bank_reference)
    add(references, "EndToEndId", line.reference or "NOTPROVIDED")
    _add_signed(details, line.amount_fen)
    if line.counterparty_name or line.counterparty_account:
        parties, role = add(details, "RltdPties"), "Dbtr" if came_in != line.is_reversal else "Cdtr"
        if line.counterparty_name:
            add(parties, f"{role}/Pty/Nm", line.counterparty_name)
        if line.counterparty_account:
            add_account(parties, f"{role}Acct", line.counterparty_account)
    if line.remittance:
        add(details, "RmtInf/Ustrd", line.remittance)


def _add_signed(parent: Element, fen: int) -> None:
    add_fen(parent, "Amt", fen)
    add(parent, "CdtDbtInd", "DBIT" if fen < 0 else "CRDT")
