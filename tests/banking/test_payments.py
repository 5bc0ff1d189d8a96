"""Instructions and the bank's answers to them, as messages and as tables."""

from __future__ import annotations

import datetime

import pytest

from qingdan.banking import Answer, AnswerFault, InstructionFault, Order, Purpose, StatementFault, Status, csvbank, pain001, pain002
from tests.banking.records import CUSTODY, MONDAY, SETTLEMENT, TUESDAY, WRITTEN_AT, instruction

REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
 <GrpHdr><MsgId>R1</MsgId><CreDtTm>2026-11-16T10:00:00+08:00</CreDtTm></GrpHdr>
 <OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
 <OrgnlPmtInfAndSts><OrgnlPmtInfId>M1-1</OrgnlPmtInfId>
  <TxInfAndSts><OrgnlEndToEndId>A</OrgnlEndToEndId><TxSts>ACSC</TxSts><AcctSvcrRef>YH9</AcctSvcrRef></TxInfAndSts>
  <TxInfAndSts><OrgnlEndToEndId>B</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf></TxInfAndSts>
  <TxInfAndSts><OrgnlEndToEndId>C</OrgnlEndToEndId><TxSts>RJCT</TxSts></TxInfAndSts>
  <TxInfAndSts><OrgnlEndToEndId>D</OrgnlEndToEndId><TxSts>ACTC</TxSts></TxInfAndSts>
  <TxInfAndSts><OrgnlEndToEndId>E</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>NOOR</Cd></Rsn></StsRsnInf></TxInfAndSts>
 </OrgnlPmtInfAndSts>
</CstmrPmtStsRpt></Document>"""


def test_an_instruction_message_has_what_the_definition_wants_in_its_order() -> None:
    """Header with number and control sum; one group for each account and day."""
    given = [instruction("A"), instruction("B", amount_fen=1), instruction("C", requested_on=TUESDAY)]
    text = pain001.write(given, created_at=WRITTEN_AT).decode()
    assert 'xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"' in text
    order = ["GrpHdr", "MsgId", "CreDtTm", "NbOfTxs>3<", "CtrlSum>120.01<", "InitgPty", "PmtInf>", "PmtMtd>TRF<", "BtchBookg>false<"]
    order += ["NbOfTxs>2<", "CtrlSum>60.01<", "ReqdExctnDt", "Dbtr>", "DbtrAcct", "DbtrAgt", "CdtTrfTxInf", "EndToEndId>A<", "InstdAmt"]
    order += ["Cdtr>", "CdtrAcct", "Purp", "RmtInf", "EndToEndId>B<", "PmtInf>", "<Dt>2026-11-17<", "EndToEndId>C<"]
    at = 0
    for part in order:
        at = text.index(part, at) + 1


def test_the_same_instructions_are_the_same_message() -> None:
    """Sent again after a time-out, a bank sees that it has it."""
    assert pain001.id_for([instruction()]) == pain001.id_for([instruction()])
    assert pain001.id_for([instruction()]) != pain001.id_for([instruction(amount_fen=1)])
    assert len(pain001.id_for([instruction()])) <= 35


@pytest.mark.parametrize(
    ("was", "becomes", "reason"),
    [
        ("<NbOfTxs>1</NbOfTxs>\n      <CtrlSum>60.00", "<NbOfTxs>2</NbOfTxs>\n      <CtrlSum>60.00", "写着 2 笔，实际 1 笔"),
        ("<CtrlSum>60.00", "<CtrlSum>60.01", "控制总额 60.01 不等于各笔之和 60.00"),
        ("<Prtry>release", "<Prtry>gift", "用途“gift”不认识；可写 release、refund、reserve、return"),
        ('Ccy="CNY"', 'Ccy="USD"', "币种是 USD"),
        (f"<Id>{SETTLEMENT}", f"<Id>{CUSTODY}", "付款账号和收款账号相同"),
        ("<EndToEndId>QD-1", "<EndToEndId>QD 1", "参考号只能用"),
        (">60.00</InstdAmt", ">0.00</InstdAmt", "应大于零"),
    ],
)
def test_an_instruction_message_that_does_not_agree_is_refused_whole(was: str, becomes: str, reason: str) -> None:
    """The bank's side of the same code."""
    text = pain001.write([instruction()], created_at=WRITTEN_AT).decode()
    assert was in text
    with pytest.raises(InstructionFault, match=reason):
        pain001.read(text.replace(was, becomes).encode())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"amount_fen": 0}, "应大于零"),
        ({"amount_fen": -1}, "应大于零"),
        ({"to_account": CUSTODY}, "付款账号和收款账号相同"),
        ({"to_account": "../x"}, "收款账号“../x”不对"),
        ({"from_account": ""}, "付款账号“”不对"),
        ({"to_name": " \x00 "}, "缺少收款户名"),
        ({"remittance": "课" * 141}, "附言有 141 个字，最多 140 个"),
        ({"reference": "课消1"}, "参考号只能用"),
        ({"reference": "A" * 36}, "不超过 35 个字符"),
        ({"reference": "NOTPROVIDED"}, "参考号不能是 NOTPROVIDED"),
    ],
)
def test_an_instruction_that_no_bank_could_carry_out_is_never_made(changed: dict[str, object], reason: str) -> None:
    """Each with a sentence."""
    with pytest.raises(InstructionFault, match=reason):
        instruction(**({"reference": "QD-1"} | changed))  # type: ignore[arg-type]


def test_one_reference_twice_in_a_message_and_a_message_of_nothing_are_refused() -> None:
    """Before anything is sent."""
    with pytest.raises(InstructionFault, match="出现了两次"):
        pain001.write([instruction(), instruction()], created_at=WRITTEN_AT)
    with pytest.raises(InstructionFault, match="没有指令"):
        pain001.write([], created_at=WRITTEN_AT)


def test_a_payment_order_that_no_bank_could_take_is_never_made() -> None:
    """Its payer is needed to give money back."""
    with pytest.raises(InstructionFault, match="缺少付款人"):
        Order("O-1", 1, CUSTODY, "", "", "http://localhost/")


def test_a_status_report_is_read_by_the_codes_of_the_standard() -> None:
    """A reason is always there for a rejection, in Chinese; what the bank never received is unknown, not rejected."""
    assert pain002.read(REPORT.encode()) == [
        Answer("A", Status.BOOKED, "", "YH9"),
        Answer("B", Status.REJECTED, "余额不足（AM04）"),
        Answer("C", Status.REJECTED, "银行没有说明原因"),
        Answer("D", Status.ACCEPTED),
        Answer("E", Status.UNKNOWN),
    ]


def test_what_a_report_does_not_mention_stays_open() -> None:
    """Unless it speaks of the whole message."""
    report = pain002.read_report(REPORT.encode())
    assert [one.status for one in report.about(["A", "Z"])] == [Status.BOOKED, Status.PENDING]
    head = REPORT[: REPORT.index("<OrgnlPmtInfAndSts>")] + "</CstmrPmtStsRpt></Document>"
    rejected = head.replace("<GrpSts>PART</GrpSts>", "<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf>")
    assert pain002.read_report(rejected.encode()).about(["Z"]) == [Answer("Z", Status.REJECTED, "报文格式不对（FF01）")]


@pytest.mark.parametrize(
    ("was", "becomes", "reason"),
    [
        ("<TxSts>ACTC", "<TxSts>WXYZ", "状态“WXYZ”不认识"),
        ("<OrgnlEndToEndId>D", "<OrgnlEndToEndId>A", "对指令 A 说了两种不同的结果"),
        ("<OrgnlMsgId>M1</OrgnlMsgId>", "", "缺少这一项"),
        ("</CstmrPmtStsRpt></Document>", "", "到这里就断了"),
    ],
)
def test_a_report_that_cannot_be_believed_is_refused(was: str, becomes: str, reason: str) -> None:
    """Then the instructions have to be asked for."""
    assert was in REPORT
    with pytest.raises(AnswerFault, match=reason):
        pain002.read(REPORT.replace(was, becomes).encode())


STATEMENT_TABLE = """对账单号,账号,序号,生成时间,开始日期,结束日期,上期余额,本期余额,交易流水号,订单号,贷方金额,借方金额,交易日期,对方名称,对方账号,用途,柜员
D1,62001000000000001,7,2026-11-17 06:00:00,2026-11-16,2026-11-16,"1,000.00",2140.00,K1,O-1,"1,200.00",,2026-11-16,王家长,62003,"=HYPERLINK(""x"")",01
D1,62001000000000001,7,2026-11-17 06:00:00,2026-11-16,2026-11-16,"1,000.00",2140.00,K2,QD-1,,60.00,2026-11-16,青禾,62002,课消,01
D2,62001000000000001,8,2026-11-18 06:00:00,2026-11-17,2026-11-17,2140.00,2140.00,,,,,,,,,
"""  # noqa: E501 - a bank's table is wide


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_banks_table_is_read_under_its_own_headers(encoding: str) -> None:
    """In either encoding; unknown columns are passed over, formulas are data, a day without bookings is a statement."""
    first, second = csvbank.read_statements(STATEMENT_TABLE.encode(encoding))
    assert (first.identification, first.sequence_number, first.opening_fen, first.closing_fen) == ("D1", 7, 100_000, 214_000)
    assert [(one.bank_reference, one.amount_fen) for one in first.lines] == [("K1", 120_000), ("K2", -6000)]
    assert first.lines[0].remittance == '=HYPERLINK("x")'
    assert first.created_at == datetime.datetime(2026, 11, 16, 22, tzinfo=datetime.UTC)
    assert (second.sequence_number, second.lines) == (8, ())


@pytest.mark.parametrize(
    ("was", "becomes", "place", "reason"),
    [
        (",60.00,", ",60.005,", "第 3 行“借方金额”", "不足一分"),
        (",60.00,", ",61.00,", "对账单 D1", "相差 1.00 元"),
        (",,60.00", ",5.00,60.00", "第 3 行“贷方金额”", "只填一个"),
        (",K2,", ",K1,", "对账单 D1", "重复了"),
        ("62001000000000001,8", "6.2001E+16,8", "第 4 行“账号”", "科学计数"),
        ("本期余额", "本期", "第 1 行", "表头里缺少：期末余额"),
        ("柜员", "用途", "第 1 行", "“用途”这一列出现了两次"),
        (",01\nD2", "\nD2", "第 3 行", "有 16 格，表头有 17 格"),
        ('"1,000.00",2140.00,K2', '"1,000.00",99.00,K2',
         "第 3 行“本期余额”", "与第 2 行不同，它们却是同一份对账单 D1"),
        ('HYPERLINK(""x"")",01\n', 'HYPERLINK(""x"")"a,01\n', "第 2 行", "不是合格的 CSV"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_table_is_told_with_row_and_column(was: str, becomes: str, place: str, reason: str) -> None:
    """Under the bank's own header."""
    assert was in STATEMENT_TABLE
    with pytest.raises(StatementFault) as told:
        csvbank.read_statements(STATEMENT_TABLE.replace(was, becomes).encode())
    assert place in told.value.place
    assert reason in told.value.reason


def test_a_table_that_was_cut_off_is_refused() -> None:
    """Even where the number that is left would be a number."""
    with pytest.raises(StatementFault, match=r"表格第 3 行：到这里就断了"):
        csvbank.read_statements(STATEMENT_TABLE[: STATEMENT_TABLE.index("K2") + 10].encode())


def test_a_cell_that_a_spreadsheet_program_would_run_is_disarmed() -> None:
    """And comes back as it was."""
    one = instruction(to_name="=cmd|calc", remittance="@SUM(1)")
    data = csvbank.write_instructions([one])
    assert ",'=cmd|calc,'@SUM(1)," in data.decode("utf-8-sig")
    assert csvbank.read_instructions(data) == [one]


def test_a_table_of_instructions_is_told_what_is_wrong_by_row() -> None:
    """Purpose, doubles, amounts."""
    text = csvbank.write_instructions([instruction("A"), instruction("B", purpose=Purpose.REFUND)]).decode("utf-8-sig")
    for was, becomes, reason in (
        ("课时拨付", "送礼", "第 2 行“用途”：“送礼”不认识；可写：课时拨付、退费"),
        ("B,", "A,", "第 3 行“参考号”：A 前面已经有了"),
        ("60.00", "", "第 2 行“金额”：是空的"),
        (MONDAY.isoformat(), "2026/11/16", "第 2 行“要求日期”：日期“2026/11/16”不对"),
    ):
        assert was in text
        with pytest.raises(InstructionFault, match=reason):
            csvbank.read_instructions(text.replace(was, becomes).encode())


def test_a_table_of_answers_is_read() -> None:
    """For a bank that answers in tables."""
    table = "客户参考号,处理结果,失败原因,核心流水号\r\nA,成功,,YH1\r\nB,失败,户名不符,\r\nC,失败,,\r\n"
    assert csvbank.is_about_answers(table.encode("gb18030"))
    assert not csvbank.is_about_answers(STATEMENT_TABLE.encode())
    assert csvbank.read_answers(table.encode("gb18030")) == [
        Answer("A", Status.BOOKED, "", "YH1"),
        Answer("B", Status.REJECTED, "户名不符"),
        Answer("C", Status.REJECTED, "银行没有说明原因"),
    ]
    with pytest.raises(AnswerFault, match=r"第 2 行“处理结果”：“也许”不认识"):
        csvbank.read_answers(table.replace("A,成功", "A,也许").encode())
    with pytest.raises(AnswerFault, match="对指令 B 说了两种不同的结果"):
        csvbank.read_answers(table.replace("A,成功", "B,成功").encode())
