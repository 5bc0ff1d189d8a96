"""Guided prices of the bureau, fees that institutions file, and what the public sees."""

from __future__ import annotations

import datetime
import html
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.escrow.models import CustodyAgreement, FeeFiling, GuidedPrice
from qingdan.escrow.sheets import PRICE_COLUMNS
from qingdan.institutions.models import Course, Institution
from tests.district import MONDAY, District, make_region, make_user, signed_in
from tests.escrow.offering import make_filing, make_price
from tests.institutions.making import make_course, make_institution

NEW, IMPORT = reverse("escrow:price_new"), reverse("escrow:prices_import")


def text_of(response: Any) -> str:
    """What a reader sees, entities read."""
    return html.unescape(response.content.decode())


def filled(district: District, /, **values: Any) -> dict[str, Any]:
    """A guided price as it is typed."""
    return {
        "region": district.region.pk, "category": "academic", "class_size_from": "1", "class_size_until": "10", "minutes_from": "30",
        "minutes_until": "45", "price_yuan": "60", "document": "示例通知", "starts_on": "2026-11-16",
    } | values  # fmt: skip


def test_a_new_price_ends_the_one_of_the_same_bands(district: District) -> None:
    bureau = signed_in(district.bureau)
    assert bureau.post(NEW, filled(district)).status_code == 302
    answer = bureau.post(NEW, filled(district, price_yuan="65.50", starts_on="2026-12-01"), follow=True)
    assert "原来的 60.00 元 到 2026-11-30 为止" in text_of(answer)
    first, second = GuidedPrice.objects.order_by("starts_on")
    assert (first.ends_on, second.price_fen, second.entered_by) == (datetime.date(2026, 11, 30), 6_550, district.bureau)
    shown = text_of(bureau.get(reverse("escrow:prices")))
    assert "待施行" in shown
    assert text_of(bureau.get(reverse("escrow:prices"), {"when": "now"})).count("元</b>") == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"class_size_from": "5", "class_size_until": "20"}, "重叠，请先废止原来的"),
        ({"class_size_from": "12", "class_size_until": "11"}, "“至”不能小于“自”"),
        ({"price_yuan": "六十"}, "请写金额"),
        ({"price_yuan": "60.001"}, "最多两位小数"),
        ({"document": ""}, "请填写依据文件"),
        ({"starts_on": ""}, "请填写施行日期"),
        ({"region": "0"}, "选择一个有效的选项"),
    ],
)
def test_a_price_that_is_not_whole_or_overlaps_is_refused(values: dict[str, str], words: str, district: District) -> None:
    bands = {"class_size_from": 1, "class_size_until": 10, "minutes_from": 30, "minutes_until": 45}
    make_price(district.region, district.bureau, category="academic", **bands)
    answer = signed_in(district.bureau).post(NEW, filled(district, **values))
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert GuidedPrice.objects.count() == 1


def test_a_price_in_force_is_ended_and_one_to_come_deleted(district: District) -> None:
    bureau = signed_in(district.bureau)
    price = make_price(district.region, district.bureau)
    coming = make_price(district.region, district.bureau, category="academic", starts_on=datetime.date(2026, 12, 1))
    bureau.post(reverse("escrow:price_delete", args=[price.pk]))
    bureau.post(reverse("escrow:price_delete", args=[coming.pk]))
    assert list(GuidedPrice.objects.all()) == [price]
    end = reverse("escrow:price_end", args=[price.pk])
    for day, words in (("2024-01-01", "不能早于施行日期"), ("2026-01-01", "不能早于昨天"), ("x", "日期请写成")):
        assert words in text_of(bureau.post(end, {"on": day}))
    assert bureau.post(end, {"on": "2026-11-16"}).status_code == 302
    price.refresh_from_db()
    assert price.ends_on == MONDAY


def test_a_bureau_keeps_the_prices_of_its_own_region_only(district: District) -> None:
    other = make_price(make_region("990102", "demo-school"), district.bureau)
    bureau = signed_in(district.bureau)
    assert bureau.get(reverse("escrow:price_end", args=[other.pk])).status_code == 404
    assert bureau.post(reverse("escrow:price_delete", args=[other.pk])).status_code == 404
    assert bureau.post(NEW, filled(district, region=other.region_id)).status_code == 400


def workbook(*rows: tuple[Any, ...]) -> SimpleUploadedFile:
    """A workbook under the headers of the export."""
    book = openpyxl.Workbook()
    book.active.append(PRICE_COLUMNS)
    for row in rows:
        book.active.append(row)
    out = BytesIO()
    book.save(out)
    return SimpleUploadedFile("指导价.xlsx", out.getvalue())


def test_what_is_exported_is_imported_unchanged_and_faulty_rows_are_told(district: District) -> None:
    bureau = signed_in(district.bureau)
    make_price(district.region, district.bureau, price_fen=7_950)
    exported = bureau.get(reverse("escrow:prices_export"))
    again = bureau.post(IMPORT, {"workbook": SimpleUploadedFile("a.xlsx", exported.content)})
    assert "新增 0 档，原样不动 1 档，没有收 0 行" in text_of(again)
    good = ("学科类", 1, 10, 30, 45, 60.5, "示例通知", datetime.date(2026, 12, 1), None)
    answer = bureau.post(
        IMPORT,
        {
            "workbook": workbook(
                good,
                ("学科", 1, 10, 30, 45, 60, "示例通知", "2026-12-01", None),
                ("学科类", "十", 10, 30, 45, "免费", "示例通知", "不久", None),
                ("学科类", 5, 20, 30, 45, 60, "示例通知", "2026-12-01", None),
                ("学科类", 11, 20, 30, 45, "1,060.50元", "", "2026-12-01", None),
            )
        },
    )
    told = text_of(answer)
    assert "新增 1 档，原样不动 0 档，没有收 4 行" in told
    for words in (
        "第 3 行：类别“学科”不认识",
        "第 4 行：班额自“十”不是 1 以上的整数；施行日期“不久”",
        "第 5 行：同一类别的班额",
        "第 6 行：依据文件：此字段不能为空",
    ):
        assert words in told
    assert GuidedPrice.objects.get(category="academic").price_fen == 6_050


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (SimpleUploadedFile("a.xlsx", b"no workbook"), "不是真正的 .xlsx 文件"),
        (SimpleUploadedFile("a.csv", "甲,乙\n1,2\n".encode()), "没有找到表头"),
        (SimpleUploadedFile("a.csv", (",".join(PRICE_COLUMNS) + "\n").encode()), "没有一行内容"),
        (SimpleUploadedFile("a.xlsx", b""), "文件是空的"),
    ],
)
def test_a_file_that_is_no_price_list_is_refused(file: SimpleUploadedFile, words: str, district: District) -> None:
    answer = signed_in(district.bureau).post(IMPORT, {"workbook": file})
    assert answer.status_code == 400
    assert words in text_of(answer)


def fee(course: Course, yuan: str = "80", /, **values: Any) -> dict[str, Any]:
    """A fee as it is typed."""
    return {"course": course.pk, "standard_yuan": yuan, "is_published": "on"} | values


def test_a_fee_is_filed_published_changed_and_withdrawn(course: Course, operator: User, district: District) -> None:
    make_price(district.region, district.bureau)
    client, new = signed_in(operator), reverse("escrow:fee_new")
    assert "还没有备案收费的课程" in text_of(client.get(reverse("escrow:fees")))
    client.post(new, {"course": course.pk, "standard_yuan": "80"})
    filing = FeeFiling.objects.get()
    assert (filing.standard_fen, filing.guided_price_fen, filing.published_on, filing.class_size) == (8_000, 10_000, None, 20)
    client.post(reverse("escrow:fee_publish", args=[filing.pk]))
    same = client.post(new, fee(course))
    assert "已按这个标准备案" in text_of(same)
    client.post(new, fee(course, "75.5"))
    old, now = FeeFiling.objects.order_by("pk")
    assert (old.withdrawn_on, old.published_on) == (MONDAY, MONDAY)
    assert (now.standard_fen, now.published_on, now.withdrawn_on) == (7_550, MONDAY, None)
    assert "80.00 元" in text_of(client.get(reverse("escrow:fees"), {"when": "past"}))
    client.post(reverse("escrow:fee_withdraw", args=[now.pk]))
    assert "还没有公示收费标准" in text_of(Client().get(reverse("escrow:public_fees", args=[operator.organisation_id])))
    refused = client.post(reverse("escrow:fee_publish", args=[now.pk]), follow=True)
    assert "已停用，不能公示" in text_of(refused)


def test_a_fee_above_the_guided_price_is_warned_of_while_typed_and_refused_with_the_clause(
    course: Course, operator: User, district: District
) -> None:
    make_price(district.region, district.bureau, price_fen=7_999)
    client = signed_in(operator)
    assert "高出指导价 0.01 元" in text_of(client.post(reverse("escrow:fee_aid"), fee(course)))
    answer = client.post(reverse("escrow:fee_new"), fee(course))
    assert answer.status_code == 400
    assert "收费为 80.00 元，高于政府指导价 79.99 元" in text_of(answer)
    assert reverse("library:clause", args=["s2.penalty.violation-guided-price"]) in text_of(answer)
    assert not FeeFiling.objects.exists()
    assert client.post(reverse("escrow:fee_new"), fee(course, "79.99")).status_code == 302


@pytest.mark.parametrize(
    ("values", "words"),
    [({"course": "0"}, "选择一个有效的选项"), ({"standard_yuan": ""}, "请填写每课时收费标准"), ({"standard_yuan": "-1"}, "金额要大于零")],
)
def test_a_fee_that_is_not_whole_is_refused(values: dict[str, str], words: str, course: Course, operator: User) -> None:
    answer = signed_in(operator).post(reverse("escrow:fee_new"), fee(course, **values))
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert not FeeFiling.objects.exists()


def test_nobody_files_for_another_institution(course: Course, operator: User, district: District) -> None:
    rival = make_institution(district.region, "另一家")
    clerk = signed_in(make_user("rival", Role.INSTITUTION, rival.organisation))
    assert clerk.post(reverse("escrow:fee_new"), fee(course)).status_code == 400
    filing = make_filing(course, operator)
    for name in ("fee_publish", "fee_withdraw"):
        assert clerk.post(reverse(f"escrow:{name}", args=[filing.pk])).status_code == 404


def test_the_public_sees_fees_beside_guided_prices_and_who_watches_over_the_money(
    course: Course, operator: User, district: District, institution: Institution, agreement: CustodyAgreement
) -> None:
    make_price(district.region, district.bureau, price_fen=7_000)
    make_filing(course, operator)
    make_filing(make_course(institution, institution.permits.get(), "未公示的课"), operator, published_on=None)
    answer = Client().get(reverse("escrow:public_fees", args=[institution.pk]))
    shown = text_of(answer)
    for words in ("80.00 元", "70.00 元", "高于指导价", "第三方托管", "示例银行"):
        assert words in shown
    assert "未公示的课" not in shown
    assert agreement.account_number not in shown
    assert "csrftoken" not in answer.cookies
    assert "70.00 元" in text_of(Client().get(reverse("escrow:public_prices")))
    assert Client().get(reverse("escrow:public_fees", args=[district.bureau.organisation_id])).status_code == 404
    CustodyAgreement.objects.update(ends_on=MONDAY - datetime.timedelta(days=1))
    assert "没有预收费监管协议，请不要预付学费" in text_of(Client().get(reverse("escrow:public_fees", args=[institution.pk])))


def test_lists_of_prices_and_fees_cost_the_same_for_few_and_many(institution: Institution, operator: User, district: District) -> None:
    clients = {
        reverse("escrow:fees"): signed_in(operator),
        reverse("escrow:prices"): signed_in(district.bureau),
        reverse("escrow:public_fees", args=[institution.pk]): Client(),
        reverse("escrow:public_prices"): Client(),
    }

    def add(number: int) -> None:
        make_filing(make_course(institution, institution.permits.get(), f"课{number}"), operator)
        make_price(district.region, district.bureau, class_size_from=number, class_size_until=number)

    def costs() -> list[int]:
        found = []
        for address, client in clients.items():
            client.get(address)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(address).status_code == 200
            found.append(len(queries))
        return found

    add(1)
    few = costs()
    for number in range(2, 12):
        add(number)
    assert costs() == few
