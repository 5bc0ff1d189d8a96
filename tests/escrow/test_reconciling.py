"""Statements taken in whole or not at all, their lines explained, each day held against the book."""

from __future__ import annotations

import datetime
import io
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.banking import BankDown, StatementFault, camt053, csvbank
from qingdan.escrow import books, tasks_banking
from qingdan.escrow.actions import balancing, dispatching, instructing, reconciling
from qingdan.escrow.actions.reconciling import TakenIn
from qingdan.escrow.models import BankLine, BankStatement, CustodyAgreement, DayBalance
from qingdan.ledger.models import Posting
from tests.district import MONDAY, District, make_user, signed_in
from tests.escrow.banking import TUESDAY, Town, make_instruction, make_line, make_order, make_statement, pass_day, release_one_lesson
from tests.escrow.making import make_agreement, make_contract
from tests.institutions.making import make_institution

_DAY = datetime.timedelta(days=1)


def take_in(agreement: CustodyAgreement, *lines: Any, **values: Any) -> TakenIn:
    """Take in a statement and match its lines, as a delivery does."""
    taken = reconciling.take_in(make_statement(agreement, *lines, **values), agreements=[agreement])
    reconciling.match_open()
    return taken


def upload(user: User, data: bytes, name: str = "对账单.xml") -> Any:
    return signed_in(user).post(reverse("escrow:statements"), {"file": SimpleUploadedFile(name, data)}, follow=True)


def test_a_day_at_the_bank_agrees_with_the_book(
    town: Town, agreement: CustodyAgreement, operator: User, parent: User, monkeypatch: Any, district: District
) -> None:
    contract = make_contract(agreement, parent, operator)
    town.open_for(agreement)
    order = make_order(agreement, parent, operator)
    # The family pays at the counter: only the statement tells.
    town.desk.tell("deposit", account=agreement.account_number, amount_fen=100_000, name="家长甲", remittance=f"培训费 {order.reference}")
    release_one_lesson(contract, operator)
    instructing.prepare_releases(MONDAY)
    dispatching.dispatch()
    pass_day(town, monkeypatch)
    assert tasks_banking.fetch_and_reckon() == []
    order.refresh_from_db()
    assert (order.state, order.paid_on, order.payer_name) == ("paid", MONDAY, "家长甲")
    day = DayBalance.objects.get(agreement=agreement, on_date=MONDAY)
    assert (day.bank_fen, day.book_fen, day.owed_fen) == (190_000, 190_000, 190_000)
    assert (day.matched_count, day.late_count, day.unknown_count, day.missing_count) == (2, 0, 0, 0)
    before = list(DayBalance.objects.order_by("pk").values_list("on_date", "bank_fen", "book_fen", "matched_count"))
    assert tasks_banking.fetch_and_reckon() == []
    assert list(DayBalance.objects.order_by("pk").values_list("on_date", "bank_fen", "book_fen", "matched_count")) == before
    assert BankStatement.objects.count() == 1
    page = signed_in(district.bureau).get(reverse("escrow:day", args=[day.pk])).content.decode()
    assert "1,900.00 元" in page
    assert "相符" in page


@pytest.mark.parametrize("fault", ["repeat_statement", "reorder"])
def test_twice_or_out_of_order_is_harmless(
    town: Town, agreement: CustodyAgreement, operator: User, parent: User, fault: str, monkeypatch: Any
) -> None:
    town.open_for(agreement)
    orders = [make_order(agreement, parent, operator) for _ in range(2)]
    for order, day in zip(orders, (TUESDAY, TUESDAY + _DAY), strict=True):
        town.desk.tell("deposit", account=agreement.account_number, amount_fen=100_000, name="家长", reference=order.reference)
        pass_day(town, monkeypatch, day)
    town.desk.misbehave(fault)
    assert tasks_banking.fetch_and_reckon() == []
    assert BankStatement.objects.count() == 2
    assert books.due_at_bank_fen(agreement) == 200_000
    assert set(BankLine.objects.values_list("match", flat=True)) == {"matched"}


@pytest.mark.parametrize(("fault", "said"), [("wrong_sum", "相差 0.01 元"), ("cut", ""), ("repeat_line", "重复")])
def test_a_faulty_delivery_is_refused_with_the_reason_and_comes_right_later(
    town: Town, agreement: CustodyAgreement, operator: User, parent: User, fault: str, said: str, monkeypatch: Any
) -> None:
    town.open_for(agreement)
    order = make_order(agreement, parent, operator)
    town.desk.tell("deposit", account=agreement.account_number, amount_fen=100_000, name="家长", reference=order.reference)
    pass_day(town, monkeypatch)
    town.desk.misbehave(fault)
    [problem] = reconciling.fetch(agreement).problems
    assert said in problem
    assert not BankStatement.objects.exists()
    assert not BankLine.objects.exists()
    assert reconciling.fetch(agreement).new_count == 1
    order.refresh_from_db()
    assert order.state == "paid"


def test_a_bank_that_is_down_leaves_the_day_without_a_statement(town: Town, agreement: CustodyAgreement, monkeypatch: Any) -> None:
    town.open_for(agreement)
    pass_day(town, monkeypatch)
    town.desk.tell("down")
    [problem] = tasks_banking.fetch_and_reckon()
    assert "银行" in problem
    assert DayBalance.objects.get(agreement=agreement, on_date=MONDAY).bank_fen is None
    town.desk.tell("up")
    assert tasks_banking.fetch_and_reckon() == []
    assert DayBalance.objects.get(agreement=agreement, on_date=MONDAY).bank_fen == 0


def test_the_same_number_with_other_content_is_refused(agreement: CustodyAgreement) -> None:
    take_in(agreement, make_line("", 500))
    with pytest.raises(StatementFault, match="编号相同，内容却不同"):
        take_in(agreement, make_line("", 600))
    with pytest.raises(StatementFault, match="已在对账单"):
        take_in(agreement, make_line("", 500, day=TUESDAY), number=2, opening_fen=500, day=TUESDAY)
    assert BankLine.objects.count() == 1


def test_an_account_of_nobody_is_refused(agreement: CustodyAgreement) -> None:
    statement = make_statement(agreement, account="6228999999999999")
    with pytest.raises(StatementFault, match="不是登记的监管账号"):
        reconciling.take_in(statement, agreements=[agreement])


def test_one_that_comes_late_is_kept_and_told(agreement: CustodyAgreement) -> None:
    take_in(agreement, number=1)
    later = take_in(agreement, number=3, day=MONDAY + 2 * _DAY)
    assert "缺第 2 号" in later.warnings[0]
    late = take_in(agreement, number=2, day=TUESDAY)
    assert "晚到" in late.warnings[-1]
    assert BankStatement.objects.count() == 3


def test_killed_between_statement_and_lines_it_goes_on_where_it_was(
    agreement: CustodyAgreement, operator: User, parent: User, monkeypatch: Any
) -> None:
    order = make_order(agreement, parent, operator)

    class Killed(BaseException):
        pass

    def die(*args: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(reconciling, "_match", die)
        with pytest.raises(Killed):
            take_in(agreement, make_line(order.reference, 100_000))
    assert BankLine.objects.get().match == "unknown"
    assert reconciling.match_open() == 1
    assert reconciling.match_open() == 0
    assert Posting.objects.filter(kind="payment").count() == 1


def test_what_was_expected_on_another_day_is_late(agreement: CustodyAgreement, operator: User, parent: User) -> None:
    contract = make_contract(agreement, parent, operator)
    release_one_lesson(contract, operator)
    instruction = make_instruction(agreement)
    take_in(agreement, make_line(instruction.reference, -10_000, day=TUESDAY), day=TUESDAY, opening_fen=100_000)
    instruction.refresh_from_db()
    assert (instruction.state, instruction.booked_on) == ("booked", TUESDAY)
    assert BankLine.objects.get().match == "late"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"reference": "", "fen": 100_000}, "没有对应的缴费单"),
        ({"reference": "{order}", "fen": 90_000}, "应缴 1,000.00 元，实到 900.00 元"),
        ({"reference": "", "fen": -5_000}, "没有对应的付款指令"),
        ({"reference": "{instruction}", "fen": -9_000}, "银行付了 90.00 元"),
        ({"reference": "{instruction}", "fen": 10_000, "is_reversal": True}, "冲正或退汇"),
    ],
)
def test_what_does_not_fit_stays_open_with_the_reason(
    agreement: CustodyAgreement, operator: User, parent: User, line: dict[str, Any], said: str
) -> None:
    order, instruction = make_order(agreement, parent, operator), make_instruction(agreement)
    reference = line.pop("reference").format(order=order.reference, instruction=instruction.reference)
    take_in(agreement, make_line(reference, line.pop("fen"), **line), opening_fen=500_000)
    kept = BankLine.objects.get()
    assert kept.match == "unknown"
    assert said in kept.note
    order.refresh_from_db()
    assert order.state == "waiting"


def test_a_second_payment_of_an_order_is_not_swallowed(agreement: CustodyAgreement, operator: User, parent: User) -> None:
    order = make_order(agreement, parent, operator)
    take_in(agreement, make_line(order.reference, 100_000), make_line(order.reference, 100_000, bank_reference="YH2"))
    assert sorted(BankLine.objects.values_list("match", flat=True)) == ["matched", "unknown"]
    assert "要查明退回" in BankLine.objects.get(match="unknown").note
    assert books.due_at_bank_fen(agreement) == 100_000


def test_an_officer_clears_up_a_line_by_the_order_that_it_pays(
    agreement: CustodyAgreement, operator: User, parent: User, district: District
) -> None:
    order = make_order(agreement, parent, operator)
    take_in(agreement, make_line("", 100_000))
    line = BankLine.objects.get()
    officer, url = signed_in(district.bureau), reverse("escrow:line", args=[line.pk])
    assert order.reference in officer.get(url).content.decode()
    assert officer.post(url, {"kind": "order", "order": "JF-nobody", "note": "问过家长"}).status_code == 422
    assert officer.post(url, {"kind": "order", "order": order.reference, "note": ""}).status_code == 422
    assert officer.post(url, {"kind": "order", "order": order.reference, "note": "问过家长"}).status_code == 302
    line.refresh_from_db()
    order.refresh_from_db()
    assert (line.match, line.note, line.settled_by, order.state) == ("settled", "问过家长", district.bureau, "paid")
    assert officer.post(url, {"kind": "words", "note": "再来"}).status_code == 422
    assert signed_in(operator).post(url, {"kind": "words", "note": "我说"}).status_code == 404


def test_money_of_the_institution_fills_its_reserve_once(institution: Any, district: District) -> None:
    agreement = make_agreement(institution.organisation, district.bureau, mode="reserve")
    own: dict[str, Any] = {"counterparty_account": agreement.settlement_account}
    take_in(agreement, make_line("", 10_000_000, **own), make_line("", 500, bank_reference="YH2"))
    assert books.balance_fen(agreement, "reserve") == 10_000_000
    stranger = BankLine.objects.get(match="unknown")
    reconciling.settle(stranger, note="利息", by=district.bureau, is_reserve=True)
    assert books.balance_fen(agreement, "reserve") == 10_000_500
    [day] = balancing.balance(agreement, since=MONDAY, until=MONDAY)
    assert (day.bank_fen, day.book_fen) == (10_000_500, 10_000_500)


def test_only_a_reserve_takes_what_is_called_reserve(agreement: CustodyAgreement, district: District) -> None:
    take_in(agreement, make_line("", 500))
    with pytest.raises(ValidationError, match="只有风险储备金"):
        reconciling.settle(BankLine.objects.get(), note="利息", by=district.bureau, is_reserve=True)
    assert BankLine.objects.get().match == "unknown"


def test_what_the_book_has_and_no_statement_is_missing_after_three_days(
    agreement: CustodyAgreement, operator: User, parent: User, monkeypatch: Any
) -> None:
    contract = make_contract(agreement, parent, operator)
    release_one_lesson(contract, operator)
    instructing.booked(make_instruction(agreement), on=MONDAY, bank_reference="YH9")
    take_in(agreement, opening_fen=100_000)
    monday = None
    for day, missing in ((MONDAY + 2 * _DAY, 0), (MONDAY + 3 * _DAY, 1)):
        monkeypatch.setattr("qingdan.places.calendar.clock", lambda day=day: day)
        [monday] = balancing.balance(agreement, since=MONDAY, until=MONDAY)
        assert monday.missing_count == missing
    assert monday is not None
    assert (monday.bank_fen, monday.book_fen, monday.gap_fen) == (100_000, 90_000, 10_000)


def test_a_statement_of_a_week_gives_every_day_its_balance(agreement: CustodyAgreement, monkeypatch: Any) -> None:
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: MONDAY + 7 * _DAY)
    lines = [make_line("", 100), make_line("", 50, bank_reference="YH2", day=MONDAY + 2 * _DAY)]
    take_in(agreement, *lines, until_on=MONDAY + 4 * _DAY)
    found = balancing.balance(agreement, since=MONDAY)
    assert [day.bank_fen for day in found] == [100, 100, 150, 150, 150, None, None]


@pytest.mark.parametrize("write", [camt053.write, csvbank.write_statements])
def test_a_file_is_taken_in_twice_harmlessly(
    agreement: CustodyAgreement, district: District, operator: User, parent: User, write: Any
) -> None:
    order = make_order(agreement, parent, operator)
    data = write([make_statement(agreement, make_line(order.reference, 100_000))])
    assert "收下 1 份对账单" in upload(district.bureau, data).content.decode()
    assert "以前收过" in upload(district.bureau, data).content.decode()
    order.refresh_from_db()
    assert order.state == "paid"
    assert upload(operator, data).status_code == 404


@pytest.mark.parametrize("data", [b"", b"<xml", b"hello", b"\xff\xfe\x00", "账号,流水号\n1,2\n".encode()])
def test_a_file_that_is_no_statement_is_refused_in_words(agreement: CustodyAgreement, district: District, data: bytes) -> None:
    answer = upload(district.bureau, data)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not BankStatement.objects.exists()


def test_of_a_file_with_one_bad_statement_nothing_is_kept(
    agreement: CustodyAgreement, district: District, operator: User, parent: User
) -> None:
    good = make_statement(agreement, make_line("", 100))
    foreign = make_statement(agreement, account="6228999999999999")
    answer = upload(district.bureau, camt053.write([good, foreign]))
    assert answer.status_code == 422
    assert "什么都没有记" in answer.content.decode()
    assert not BankStatement.objects.exists()


def test_a_cut_file_is_refused(agreement: CustodyAgreement, district: District) -> None:
    data = camt053.write([make_statement(agreement, make_line("", 100))])
    assert upload(district.bureau, data[: len(data) // 2]).status_code == 422


def test_an_agreement_of_another_region_is_not_reached_by_an_upload(district: District, agreement: CustodyAgreement) -> None:
    elsewhere = Organisation.objects.create(
        name="别区教育局", kind=OrganisationKind.BUREAU, layer_code="demo-district", region_code="880101"
    )
    other = make_user("elsewhere", Role.BUREAU, elsewhere)
    answer = upload(other, camt053.write([make_statement(agreement)]))
    assert answer.status_code == 422
    assert "不是登记的监管账号" in answer.content.decode()
    assert not BankStatement.objects.exists()


def test_files_in_a_folder_are_a_bank_too(
    institution: Any, district: District, settings: Any, tmp_path: Any, operator: User, parent: User
) -> None:
    settings.BANK_FOLDER = tmp_path
    agreement = make_agreement(institution.organisation, district.bureau, channel="file", bank_name="文件/银行")
    order = make_order(agreement, parent, operator)
    assert reconciling.fetch(agreement).taken == ()
    folder = tmp_path / "文件银行"
    (folder / "in" / "1.xml").write_bytes(camt053.write([make_statement(agreement, make_line(order.reference, 100_000))]))
    assert reconciling.fetch(agreement).new_count == 1
    make_instruction(agreement, fen=100)
    dispatching.dispatch()
    assert len(list((folder / "out").glob("*.xml"))) == 1
    order.refresh_from_db()
    assert order.state == "paid"


def test_the_sheets_can_be_downloaded(agreement: CustodyAgreement, district: District) -> None:
    import openpyxl

    take_in(agreement, make_line("", 100))
    balancing.balance(agreement, since=MONDAY, until=MONDAY)
    make_instruction(agreement)
    officer = signed_in(district.bureau)
    for name in ("agreements_export", "days_export"):
        book = openpyxl.load_workbook(io.BytesIO(officer.get(reverse(f"escrow:{name}")).content))
        assert agreement.institution.name in [cell.value for row in book.active.iter_rows() for cell in row]
    table = officer.get(reverse("escrow:instructions_export"))
    assert csvbank.read_instructions(table.content)[0].amount_fen == 10_000
    message = officer.get(reverse("escrow:instructions_export"), {"format": "xml"})
    assert b"pain.001.001.09" in message.content


def test_a_down_bank_raises_nothing_to_the_caller(agreement: CustodyAgreement, monkeypatch: Any) -> None:
    class Down:
        def statements(self, account: str, *, since: object) -> Any:
            raise BankDown("银行没有答复")

    monkeypatch.setattr(reconciling, "bank_of", lambda agreement: Down())
    assert reconciling.fetch(agreement).problems == ("银行没有答复",)


def test_money_under_an_ended_agreement_is_watched_until_it_has_gone(
    agreement: CustodyAgreement, operator: User, parent: User, monkeypatch: Any, district: District
) -> None:
    make_contract(agreement, parent, operator)
    empty = make_agreement(make_institution(district.region, "别家").organisation, district.bureau)
    CustodyAgreement.objects.update(ends_on=MONDAY - 10 * _DAY)
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: MONDAY + 30 * _DAY)
    assert balancing.alive() == [agreement]
    assert empty not in balancing.alive()
    agreement.refresh_from_db()
    assert [day.book_fen for day in balancing.balance(agreement, since=MONDAY + 29 * _DAY)] == [100_000]


def test_what_the_book_cannot_take_stays_open_with_the_reason(agreement: CustodyAgreement) -> None:
    instruction = make_instruction(agreement)
    take_in(agreement, make_line(instruction.reference, -10_000), opening_fen=10_000)
    line = BankLine.objects.get()
    assert line.match == "unknown"
    assert "余额不足" in line.note
    instruction.refresh_from_db()
    assert instruction.state == "prepared"
