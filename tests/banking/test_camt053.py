"""Statements as banks send them: both versions, collective entries, pages, and everything that must not be believed."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from qingdan.banking import Statement, StatementFault, camt053, gaps, in_order
from tests.banking.records import CUSTODY, MONDAY, SETTLEMENT, TUESDAY, WEDNESDAY, line, statement

#: Fictional throughout, written by hand as a bank would.
VERSION_8 = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <BkToCstmrStmt>
  <GrpHdr><MsgId>XJ20261117</MsgId><CreDtTm>2026-11-17T06:00:00+08:00</CreDtTm></GrpHdr>
  <Stmt>
   <Id>20261116-62001</Id><ElctrncSeqNb>221</ElctrncSeqNb><CreDtTm>2026-11-17T05:58:00</CreDtTm>
   <FrToDt><FrDtTm>2026-11-16T00:00:00</FrDtTm><ToDtTm>2026-11-16T23:59:59</ToDtTm></FrToDt>
   <Acct><Id><Othr><Id>6200 1000 0000 0000 1</Id></Othr></Id><Ccy>CNY</Ccy><Nm>青禾艺术（虚构）资金监管专户</Nm></Acct>
   <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp>
    <Amt Ccy="CNY">5000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-16</Dt></Dt></Bal>
   <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp>
    <Amt Ccy="CNY">6200.5</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-16</Dt></Dt></Bal>
   <Bal><Tp><CdOrPrtry><Cd>CLAV</Cd></CdOrPrtry></Tp>
    <Amt Ccy="CNY">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-16</Dt></Dt></Bal>
   <TxsSummry><TtlNtries><NbOfNtries>4</NbOfNtries></TtlNtries></TxsSummry>
   <Ntry>
    <Amt Ccy="CNY">1200.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
    <BookgDt><DtTm>2026-11-16T09:12:44+08:00</DtTm></BookgDt><ValDt><Dt>2026-11-16</Dt></ValDt><AcctSvcrRef>7700001</AcctSvcrRef>
    <BkTxCd><Prtry><Cd>汇入</Cd></Prtry></BkTxCd>
    <NtryDtls><TxDtls>
     <Refs><EndToEndId>O-1</EndToEndId></Refs><Amt Ccy="CNY">1200.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
     <RltdPties><Dbtr><Pty><Nm>王小明家长（虚构）</Nm></Pty></Dbtr><DbtrAcct><Id><Othr><Id>62003000000000003</Id></Othr></Id></DbtrAcct>
      <Cdtr><Pty><Nm>青禾艺术（虚构）</Nm></Pty></Cdtr><CdtrAcct><Id><Othr><Id>62001000000000001</Id></Othr></Id></CdtrAcct></RltdPties>
     <RmtInf><Ustrd>美术课</Ustrd><Ustrd> 20 课时</Ustrd></RmtInf>
    </TxDtls></NtryDtls>
   </Ntry>
   <Ntry>
    <Amt Ccy="CNY">60.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-16</Dt></BookgDt>
    <AcctSvcrRef>7700002</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>QD-1</EndToEndId></Refs>
     <RltdPties><Cdtr><Pty><Nm>青禾艺术（虚构）</Nm></Pty></Cdtr><CdtrAcct><Id><Othr><Id>62002000000000002</Id></Othr></Id></CdtrAcct></RltdPties>
    </TxDtls></NtryDtls>
   </Ntry>
   <Ntry>
    <Amt Ccy="CNY">60.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd><Sts><Cd>BOOK</Cd></Sts>
    <BookgDt><Dt>2026-11-16</Dt></BookgDt><AcctSvcrRef>7700003</AcctSvcrRef><AddtlNtryInf>户名不符退汇</AddtlNtryInf>
    <NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>
     <RltdPties><Cdtr><Pty><Nm>青禾艺术（虚构）</Nm></Pty></Cdtr></RltdPties></TxDtls></NtryDtls>
   </Ntry>
   <Ntry>
    <Amt Ccy="CNY">999.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>PDNG</Cd></Sts><BookgDt><Dt>2026-11-17</Dt></BookgDt>
   </Ntry>
  </Stmt>
 </BkToCstmrStmt>
</Document>
"""
VERSION_2 = """<?xml version='1.0' encoding='GB18030'?>
<n:Document xmlns:n="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><n:BkToCstmrStmt>
 <n:GrpHdr><n:MsgId>A</n:MsgId><n:CreDtTm>2026-11-17T06:00:00</n:CreDtTm></n:GrpHdr>
 <n:Stmt><n:Id>S-7</n:Id><n:LglSeqNb>7</n:LglSeqNb><n:CreDtTm>2026-11-17T06:00:00Z</n:CreDtTm>
  <n:Acct><n:Id><n:Othr><n:Id>62001000000000001</n:Id></n:Othr></n:Id></n:Acct>
  <n:Bal><n:Tp><n:CdOrPrtry><n:Cd>PRCD</n:Cd></n:CdOrPrtry></n:Tp><n:Amt Ccy="CNY">10.00</n:Amt><n:CdtDbtInd>DBIT</n:CdtDbtInd>
   <n:Dt><n:Dt>2026-11-16</n:Dt></n:Dt></n:Bal>
  <n:Bal><n:Tp><n:CdOrPrtry><n:Cd>CLBD</n:Cd></n:CdOrPrtry></n:Tp><n:Amt Ccy="CNY">20.00</n:Amt><n:CdtDbtInd>CRDT</n:CdtDbtInd>
   <n:Dt><n:Dt>2026-11-16</n:Dt></n:Dt></n:Bal>
  <n:Ntry><n:Amt Ccy="CNY">30.00</n:Amt><n:CdtDbtInd>CRDT</n:CdtDbtInd><n:Sts>BOOK</n:Sts><n:BookgDt><n:Dt>2026-11-16</n:Dt></n:BookgDt>
   <n:AcctSvcrRef>88</n:AcctSvcrRef><n:BkTxCd/>
   <n:NtryDtls><n:Btch><n:NbOfTxs>2</n:NbOfTxs></n:Btch>
    <n:TxDtls><n:Refs><n:EndToEndId>O-1</n:EndToEndId></n:Refs><n:AmtDtls><n:TxAmt><n:Amt Ccy="CNY">10.00</n:Amt></n:TxAmt></n:AmtDtls>
     <n:RltdPties><n:Dbtr><n:Nm>李家长（虚构）</n:Nm></n:Dbtr></n:RltdPties></n:TxDtls>
    <n:TxDtls><n:Refs><n:AcctSvcrRef>88-B</n:AcctSvcrRef><n:EndToEndId>O-2</n:EndToEndId></n:Refs>
     <n:AmtDtls><n:TxAmt><n:Amt Ccy="CNY">20.00</n:Amt></n:TxAmt></n:AmtDtls></n:TxDtls>
   </n:NtryDtls></n:Ntry>
 </n:Stmt></n:BkToCstmrStmt></n:Document>
"""


def fault_of(text: str | bytes) -> StatementFault:
    """What is said of a message."""
    with pytest.raises(StatementFault) as told:
        camt053.read(text.encode() if isinstance(text, str) else text)
    return told.value


def test_a_statement_of_version_8_is_read() -> None:
    """With a payment that came in, one that went out, one that came back, and one that is not booked."""
    [found] = camt053.read(VERSION_8.encode())
    assert (found.identification, found.account, found.sequence_number) == ("20261116-62001", CUSTODY, 221)
    assert (found.from_on, found.until_on, found.opening_fen, found.closing_fen) == (MONDAY, MONDAY, 500_000, 620_050)
    assert found.created_at == datetime.datetime(2026, 11, 16, 21, 58, tzinfo=datetime.UTC)  # without a zone it is China's time
    came_in, went_out, came_back = found.lines
    assert came_in == line("7700001", 120_000)
    assert (went_out.amount_fen, went_out.reference, went_out.counterparty_account) == (-6000, "QD-1", SETTLEMENT)
    assert went_out.valued_on == MONDAY
    assert (came_back.amount_fen, came_back.is_reversal, came_back.reference) == (6050, True, None)
    assert (came_back.counterparty_name, came_back.remittance) == ("青禾艺术（虚构）", "户名不符退汇")


def test_a_statement_of_version_2_in_gb18030_is_read() -> None:
    """With a prefix, an overdrawn opening balance, and a collective entry that becomes a line for each payment."""
    [found] = camt053.read(VERSION_2.encode("gb18030"))
    assert (found.opening_fen, found.closing_fen, found.sequence_number) == (-1000, 2000, 7)
    assert [(one.bank_reference, one.reference, one.amount_fen) for one in found.lines] == [("88/1", "O-1", 1000), ("88-B", "O-2", 2000)]
    assert found.lines[0].counterparty_name == "李家长（虚构）"


def test_a_collective_entry_whose_parts_do_not_add_up_is_refused() -> None:
    """Or cannot be seen at all."""
    assert "汇总金额 30.00 不等于其中 2 笔之和 29.00" in str(
        fault_of(VERSION_2.replace("20.00</n:Amt></n:TxAmt>", "19.00</n:Amt></n:TxAmt>").encode("gb18030"))
    )
    without = VERSION_2.replace('<n:AmtDtls><n:TxAmt><n:Amt Ccy="CNY">20.00</n:Amt></n:TxAmt></n:AmtDtls>', "")
    assert "没有金额，无法逐笔核对" in str(fault_of(without.encode("gb18030")))


@pytest.mark.parametrize(
    ("was", "becomes", "place", "reason"),
    [
        ("6200.5<", "6200.51<", "对账单 20261116-62001（第 221 号）", "期初 5000.00 加发生额 1200.50 不等于期末 6200.51，相差 0.01 元"),
        ("7700002<", "7700001<", "对账单 20261116-62001", "第 2 笔与第 1 笔的银行流水号都是 7700001，重复了"),
        ("<AcctSvcrRef>7700002</AcctSvcrRef>", "", "Ntry[2]", "没有银行流水号"),
        ('<Amt Ccy="CNY">60.00', '<Amt Ccy="USD">60.00', "BkToCstmrStmt/Stmt[1]/Ntry[2]/Amt", "币种是 USD，只认人民币 CNY"),
        ('<Amt Ccy="CNY">60.00', "<Amt>60.00", "Ntry[2]/Amt", "币种是 （没有写）"),
        ("<Ccy>CNY</Ccy>", "<Ccy>EUR</Ccy>", "Stmt[1]/Acct/Ccy", "账户币种是 EUR"),
        ('<Amt Ccy="CNY">60.00', '<Amt Ccy="CNY">60.001', "Ntry[2]/Amt", "不足一分的零头"),
        ('<Amt Ccy="CNY">60.00', '<Amt Ccy="CNY">-60.00', "Ntry[2]/Amt", "金额不能是负数"),
        ('<Amt Ccy="CNY">60.00', '<Amt Ccy="CNY">六十', "Ntry[2]/Amt", "不是数字"),
        ("<NbOfNtries>4<", "<NbOfNtries>5<", "对账单 20261116-62001", "银行说有 5 笔，实际有 4 笔"),
        ("<Cd>CLBD</Cd>", "<Cd>CLXX</Cd>", "Stmt[1]", "没有期末余额（CLBD）"),
        ("<ElctrncSeqNb>221</ElctrncSeqNb>", "", "Stmt[1]/LglSeqNb", "缺少这一项"),
        ("<ElctrncSeqNb>221<", "<ElctrncSeqNb>二<", "Stmt[1]/ElctrncSeqNb", "不是整数"),
        ("<BookgDt><Dt>2026-11-16</Dt></BookgDt>", "<BookgDt><Dt>2026-11-31</Dt></BookgDt>", "Ntry[2]/BookgDt", "日期“2026-11-31”不对"),
        ("<BookgDt><Dt>2026-11-16</Dt></BookgDt>", "<BookgDt><Dt>2026-11-15</Dt></BookgDt>", "对账单", "入账日期 2026-11-15 不在"),
        ("6200 1000 0000 0000 1", "../../etc", "对账单", "账号不对"),
        ("<CdtDbtInd>DBIT</CdtDbtInd>", "<CdtDbtInd>X</CdtDbtInd>", "Ntry[2]/CdtDbtInd", "既不是 CRDT 也不是 DBIT"),
        ("camt.053.001.08", "pain.001.001.09", "报文", "应是 ISO 20022 的 camt.053，却是 pain.001.001.09"),
    ],
)
def test_what_is_wrong_is_told_with_place_and_reason(was: str, becomes: str, place: str, reason: str) -> None:
    """One clear sentence each."""
    assert was in VERSION_8
    fault = fault_of(VERSION_8.replace(was, becomes))
    assert place in fault.place
    assert reason in fault.reason


def test_a_message_that_is_cut_in_the_middle_is_refused_with_the_line() -> None:
    """Also within a Chinese character."""
    data = VERSION_8.encode()
    fault = fault_of(data[: data.index("王小明".encode()) + 1])
    assert fault.place.startswith("报文第 22 行")
    assert "到这里就断了" in fault.reason


@pytest.mark.parametrize(
    "attack",
    [
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE Document [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_document_types_and_entities_are_refused_unread(attack: str) -> None:
    """No file is opened, nothing is fetched, nothing grows."""
    text = VERSION_8.replace("<Document ", f"{attack}<Document ", 1).replace("<Nm>青禾", "<Nm>&x;")
    assert "文档类型或实体声明" in str(fault_of(text))


def test_a_message_beyond_all_measure_is_refused() -> None:
    """In size and in depth, and in an encoding that nobody knows."""
    assert "不像正常的报文" in str(fault_of(b" " * (20 * 1024 * 1024) + b"<x/>"))
    assert "嵌套超过 40 层" in str(fault_of("<a>" * 50 + "</a>" * 50))
    assert "编码 utf-7 不认识" in str(fault_of('<?xml version="1.0" encoding="utf-7"?><a/>'))
    assert "是空的" in str(fault_of(b""))
    assert "有坏字节" in str(fault_of(VERSION_8.encode().replace(b"XJ2026", b"X\xff2026")))


def test_a_wrong_statement_does_not_take_the_others_with_it() -> None:
    """The fault holds what may be used, and every other fault."""
    wrong = [replace(statement(line(), number=2, day=TUESDAY), closing_fen=1), replace(statement(number=4), opening_fen=5)]
    good = [statement(line("A")), statement(number=3, day=WEDNESDAY, opening_fen=120_000)]
    moved = replace(wrong[0], lines=tuple(replace(one, booked_on=TUESDAY) for one in wrong[0].lines))
    fault = fault_of(camt053.write([good[0], moved, good[1], wrong[1]]))
    assert fault.sound == tuple(good)
    assert fault.identification == "20261117-2"
    assert [other.identification for other in fault.others] == ["20261116-4"]


def paged(one: Statement, number: int, *, is_last: bool, lines: slice) -> bytes:
    """A page of a statement, with an interim balance where it is not the end."""
    kept = one.lines[lines]
    before = one.opening_fen + sum(each.amount_fen for each in one.lines[: lines.start])
    page = replace(one, lines=kept, opening_fen=before, closing_fen=before + sum(each.amount_fen for each in kept))
    text = camt053.write([page]).decode()
    head, mark, body = text.partition("<StmtPgntn>")
    body = body.replace("<PgNb>1<", f"<PgNb>{number}<", 1).replace("<LastPgInd>true<", f"<LastPgInd>{'true' if is_last else 'false'}<", 1)
    body = body if number == 1 else body.replace(">OPBD<", ">ITBD<")
    return (head + mark + (body if is_last else body.replace(">CLBD<", ">ITBD<"))).encode()


def test_the_pages_of_a_statement_are_joined_in_whatever_order_they_come() -> None:
    """And one that came twice is taken once."""
    whole = statement(line("A"), line("B", 5), line("C", -7))
    pages = [
        paged(whole, 3, is_last=True, lines=slice(2, 3)),
        paged(whole, 1, is_last=False, lines=slice(0, 1)),
        paged(whole, 2, is_last=False, lines=slice(1, 2)),
    ]
    assert camt053.read_pages([*pages, pages[0]]) == [whole]
    for missing, reason in ((0, "最后一页没有收到"), (1, "缺第 1 页"), (2, "缺第 2 页")):
        with pytest.raises(StatementFault, match=reason):
            camt053.read_pages(pages[:missing] + pages[missing + 1 :])
    with pytest.raises(StatementFault, match="第 1 页来了两次，内容不同"):
        camt053.read_pages([*pages, paged(whole, 1, is_last=False, lines=slice(0, 2))])


def test_statements_are_put_in_order_and_each_is_taken_once() -> None:
    """Twice, and out of order; the time of writing is no difference."""
    first, second = statement(line()), statement(number=2, day=TUESDAY, opening_fen=120_000)
    again = replace(first, created_at=first.created_at + datetime.timedelta(days=1))
    assert in_order([second, first, again]) == [first, second]


@pytest.mark.parametrize("changed", [{"closing_fen": 1}, {"lines": ()}, {"identification": "X"}, {"sequence_number": 5}])
def test_two_statements_that_claim_the_same_place_are_refused(changed: dict[str, object]) -> None:
    """Nobody here can know which one is right."""
    first, second = statement(line()), statement(number=2, day=TUESDAY, opening_fen=120_000)
    with pytest.raises(StatementFault, match="编号相同，内容却不同") as told:
        in_order([first, second, replace(first, **changed)])  # type: ignore[arg-type]
    assert told.value.sound == (second,)


def test_what_is_missing_between_statements_is_told() -> None:
    """A number that was left out, a balance that jumps; what follows is quiet."""
    first, second = statement(line()), statement(number=2, day=TUESDAY, opening_fen=120_000)
    assert gaps([first, second]) == []
    [jump] = gaps([replace(second, opening_fen=5, closing_fen=5)], previous=first)
    assert "期初 0.05 不等于上一份（第 1 号）的期末 1200.00" in jump.reason
    [hole] = gaps([statement(number=5, day=WEDNESDAY)], previous=second)
    assert "前面缺第 3 至 4 号对账单；请让银行补发" in hole.reason
    assert gaps([replace(second, sequence_number=3)], previous=first)[0].reason.startswith("前面缺第 2 号")


def test_a_statement_of_another_account_is_refused() -> None:
    """When one account was asked for."""
    with pytest.raises(StatementFault, match=f"要的是账户 {SETTLEMENT} 的对账单"):
        statement().check(SETTLEMENT)
