"""The first pages of officers and institutions, and the books to read."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.escrow.actions.scoring import score_all
from qingdan.escrow.models import Contract, CustodyAgreement
from qingdan.institutions.models import Institution
from qingdan.ledger.models import Book
from tests.district import MONDAY, District, signed_in
from tests.escrow.making import make_agreement, make_contract
from tests.escrow.risking import days_ago, make_day, make_lesson, make_refund
from tests.escrow.test_flows import department
from tests.escrow.test_instructing import give
from tests.institutions.making import make_institution


@pytest.fixture
def contract(agreement: CustodyAgreement, parent: User, operator: User) -> Contract:
    return make_contract(agreement, parent, operator)


def watch_of(user: User) -> str:
    return signed_in(user).get(reverse("escrow:watch")).content.decode()


def test_the_officers_door_sums_what_lies_what_is_owed_and_what_waits(
    agreement: CustodyAgreement, contract: Contract, district: District, parent: User, operator: User
) -> None:
    give(contract, operator)
    second = make_agreement(make_institution(district.region, "储备中心").organisation, district.bureau, mode="reserve")
    make_contract(second, parent, operator, amount_fen=60_000)
    make_day(agreement, bank_fen=80_000, owed_fen=90_000)
    make_day(second, bank_fen=20_000, owed_fen=60_000)
    make_refund(contract, due_on=days_ago(1))
    make_lesson(contract, operator, days_ago(5), state="disputed", objection="没上")
    score_all()
    shown = watch_of(district.bureau)
    for text in ("1,000.00 元", "第三方托管 800.00 元；风险储备金 200.00 元", "1,500.00 元", "66.6%", "无保障 500.00 元", "储备中心"):
        assert text in shown, text
    assert "本月消课划出</dt><dd>100.00 元" in shown
    assert '逾期退费</a> <b class="er-bad">1</b>' in shown
    assert "消课异议</a> <b>1</b>" in shown
    other = watch_of(department(district, "sports"))
    assert "还没有对账单" in other
    assert "储备中心" not in other


def test_an_empty_door_says_what_to_do(district: District) -> None:
    shown = watch_of(district.bureau)
    assert "现在重算" in shown
    assert "没有未消课的预收费" in shown


def test_charts_are_drawn_and_their_numbers_taken_along(agreement: CustodyAgreement, contract: Contract, district: District) -> None:
    make_day(agreement, bank_fen=80_000, owed_fen=100_000)
    score_all()
    client = signed_in(district.bureau)
    for name in ("cover", "levels", "months"):
        for width in ("phone", "desk"):
            drawn = client.get(reverse("escrow:watch_chart", args=[name]), {"width": width})
            assert (drawn.status_code, drawn.content[:4]) == (200, b"<svg"), name
        book: Any = openpyxl.load_workbook(BytesIO(client.get(reverse("escrow:watch_table", args=[name])).content)).active
        assert book.max_row > 1
    sheet: Any = openpyxl.load_workbook(BytesIO(client.get(reverse("escrow:watch_table", args=["cover"])).content)).active
    rows = {row[0]: row for row in sheet.values}
    assert rows["合计"][2:6] == (1000, 800, 200, 80)
    assert client.get(reverse("escrow:watch_chart", args=["nothing"])).status_code == 404
    assert client.get(reverse("escrow:watch_table", args=["nothing"])).status_code == 404


def test_an_institution_sees_what_is_coming_and_how_its_account_agrees(
    agreement: CustodyAgreement, contract: Contract, operator: User, district: District
) -> None:
    give(contract, operator)
    make_day(agreement, bank_fen=80_000, owed_fen=90_000)
    make_refund(contract)
    shown = signed_in(operator).get(reverse("escrow:desk")).content.decode()
    for text in ("900.00 元", "待划拨（示例银行）</dt><dd>100.00 元", "与账面差 -100.00 元", "退费待答复</a> <b>1</b>"):
        assert text in shown, text
    CustodyAgreement.objects.update(is_release_paused=True)
    assert "已暂停" in signed_in(operator).get(reverse("escrow:desk")).content.decode()
    assert "风险" not in shown, "an institution does not learn its score"


def test_books_are_read_by_officers_who_watch_over_the_institution(
    agreement: CustodyAgreement, contract: Contract, operator: User, district: District
) -> None:
    give(contract, operator)
    book = Book.objects.get()
    client = signed_in(district.bureau)
    assert book.title in client.get(reverse("escrow:ledgers")).content.decode()
    shown = client.get(reverse("escrow:ledger", args=[book.pk])).content.decode()
    for text in ("试算平衡：金额", "合同未消课（1 份）", "900.00 元", "家长缴入", "平", "消课"):
        assert text in shown, text
    held = book.accounts.get(code=f"c:{contract.pk}:held")
    assert held.title in client.get(reverse("escrow:ledger_accounts", args=[book.pk]), {"q": contract.number}).content.decode()
    statement = client.get(reverse("escrow:ledger_account", args=[held.pk])).content.decode()
    assert statement.index("1,000.00 元") < statement.index("-100.00 元")
    sports = signed_in(department(district, "sports"))
    assert sports.get(reverse("escrow:ledger", args=[book.pk])).status_code == 404
    assert sports.get(reverse("escrow:ledger_account", args=[held.pk])).status_code == 404


def test_a_book_is_verified_at_a_click_and_a_tampered_one_told(agreement: CustodyAgreement, contract: Contract, district: District) -> None:
    book = Book.objects.get()
    client, verify = signed_in(district.bureau), reverse("escrow:ledger_verify", args=[book.pk])
    assert "复核 1 笔：编号、摘要链、借贷、余额都没有问题" in client.post(verify, headers={"HX-Request": "true"}).content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE ledger_posting SET memo = '改过'")
        cursor.execute("SET LOCAL session_replication_role = origin")
    told = client.post(verify).content.decode()
    assert "第 1 笔：内容被改过" in told


def test_a_book_costs_the_same_for_few_and_many_postings(
    institution: Institution, agreement: CustodyAgreement, contract: Contract, district: District, parent: User, operator: User
) -> None:
    client = signed_in(district.bureau)
    book = Book.objects.get()
    urls = [reverse("escrow:ledger", args=[book.pk]), reverse("escrow:ledger_accounts", args=[book.pk]), reverse("escrow:ledgers")]

    def cost(url: str) -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    few = [cost(url) for url in urls]
    for number in range(4):
        give(make_contract(agreement, parent, operator), operator, 600 + 50 * number)
    assert [cost(url) for url in urls] == few


def test_the_task_runs_whole(institution: Institution, contract: Contract) -> None:
    from qingdan.escrow.tasks_risk import watch

    assert watch() == 1
    assert contract.institution.risk_scores.get().on_date == MONDAY


def test_everybody_sees_on_the_public_page_whether_an_institution_is_in_custody(
    institution: Institution, agreement: CustodyAgreement, district: District
) -> None:
    page = reverse("directory:institution", args=[institution.pk])
    shown = Client().get(page).content.decode()
    assert "第三方托管，示例银行" in shown
    assert agreement.account_number not in shown
    assert reverse("escrow:public_fees", args=[institution.pk]) in shown
    bare = make_institution(district.region, "没有协议")
    assert "没有监管协议，请不要预付学费" in Client().get(reverse("directory:institution", args=[bare.pk])).content.decode()
