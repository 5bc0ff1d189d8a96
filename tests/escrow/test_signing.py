"""Contracts on their way to two signatures, through the pages, judged at each of them."""

from __future__ import annotations

import datetime
import hashlib
import html
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.escrow.actions.payments import received
from qingdan.escrow.actions.signing import annul, offer, sign
from qingdan.escrow.contract_text import full_text, read_sections
from qingdan.escrow.models import Contract, CustodyAgreement, FeeFiling, GuidedPrice, PaymentOrder, SigningCode
from qingdan.institutions.models import Course, Institution
from qingdan.ledger.models import Account
from qingdan.notices.models import Notice
from tests.district import MONDAY, District, make_user, signed_in
from tests.escrow.offering import BORN_ON, make_code, make_draft, make_filing, make_price
from tests.institutions.making import make_course, make_institution

YESTERDAY = MONDAY - datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def priced(course: Course, operator: User, district: District, agreement: CustodyAgreement) -> None:
    """Whatever the law wants before a contract is there."""
    make_price(district.region, district.bureau)
    make_filing(course, operator)


def text_of(response: Any) -> str:
    """What a reader sees, entities read."""
    return html.unescape(response.content.decode())


def code_of(parent: Client, **values: Any) -> str:
    """A code as the guardian reads it off the page."""
    shown = text_of(parent.post(reverse("escrow:codes"), {"learner_name": "小示例", "learner_born_on": "2017-05-01"} | values))
    return shown.split('ec-big">')[1].split("<")[0]


def filled(course: Course, code: str, /, **values: Any) -> dict[str, Any]:
    """What the institution types."""
    return {
        "codes": code, "course": course.pk, "lessons": "10", "lesson_price_yuan": "", "course_from": "2026-11-16",
        "course_until": "2027-01-15", "refund_conditions": "未上的课时按单价退还", "refund_procedure": "在平台申请",
        "refund_working_days": "5", "extra_terms": "", "offer": "1",
    } | values  # fmt: skip


def offered(course: Course, operator: User, parent: User, /, **values: Any) -> Any:
    """The answer to an institution that drafts and offers at once."""
    code = code_of(signed_in(parent))
    return signed_in(operator).post(reverse("escrow:contract_new"), filled(course, code, **values))


def test_a_contract_goes_from_the_familys_code_over_two_signatures_to_the_books(course: Course, operator: User, parent: User) -> None:
    child = parent.children.get().pupil
    code = code_of(signed_in(parent), pupil=child.pk)
    answer = signed_in(operator).post(reverse("escrow:contract_new"), filled(course, code))
    contract = Contract.objects.get()
    assert answer["Location"] == reverse("escrow:contract", args=[contract.pk])
    assert (contract.state, contract.guardian, contract.pupil, contract.learner_name) == ("offered", parent, child, child.name)
    assert (contract.amount_fen, contract.class_size, contract.lesson_minutes, contract.youngest_age) == (80_000, 20, 40, 6)
    assert Notice.objects.filter(user=parent, text__contains="请核对后签署").count() == 1
    mine, page = signed_in(parent), reverse("escrow:contract", args=[contract.pk])
    assert "本合同所付费用对应的课程：2026年11月16日至2027年1月15日" in text_of(mine.get(page))
    assert "合规" in text_of(mine.get(reverse("escrow:contract_check", args=[contract.pk])))
    unticked = mine.post(reverse("escrow:contract_sign", args=[contract.pk]), {})
    assert unticked.status_code == 400
    assert "请先勾选" in text_of(unticked)
    for _ in range(2):  # the same POST again changes nothing
        assert mine.post(reverse("escrow:contract_sign", args=[contract.pk]), {"has_read": "on"}).status_code == 302
    contract.refresh_from_db()
    order = PaymentOrder.objects.get()
    assert (contract.state, contract.signed_on, order.amount_fen, order.state) == ("signed", MONDAY, 80_000, "waiting")
    assert contract.text_digest == hashlib.sha256(contract.signed_text.encode()).hexdigest()
    assert f"学员：{child.name}，2017年5月1日出生" in contract.signed_text
    assert reverse("escrow:pay", args=[order.reference]) in text_of(mine.get(page))
    for _ in range(2):
        received(order, paid_on=MONDAY, payer_account="6217", payer_name="家长", bank_reference="B1")
    contract.refresh_from_db()
    assert (contract.state, contract.paid_on) == ("active", MONDAY)
    assert Account.objects.get(code=f"c:{contract.pk}:held").balance == 80_000
    assert Account.objects.get(code=f"c:{contract.pk}:lessons").balance == 10
    assert "800.00 元" in text_of(mine.get(page))
    with pytest.raises(ValidationError, match="已由另一笔"):
        received(order, paid_on=MONDAY, payer_account="6217", payer_name="家长", bank_reference="B2")


def test_a_signed_contract_is_downloaded_as_one_file_whose_text_has_the_digest(course: Course, operator: User, parent: User) -> None:
    contract = sign(contract=offer(contract=make_draft(course, parent, operator), by=operator), by=parent)
    answer = signed_in(parent).get(reverse("escrow:contract_download", args=[contract.pk]))
    shown = answer.content.decode()
    assert "attachment" in answer["Content-Disposition"]
    assert "http" not in shown.replace("<!doctype html>", "")
    kept = html.unescape(shown.split('<pre id="signed-text">')[1].split("</pre>")[0])
    assert hashlib.sha256(kept.encode()).hexdigest() == contract.text_digest
    assert shown.count("签署：") == 4


@pytest.mark.parametrize(("until", "is_refused"), [("2027-02-15", False), ("2027-02-16", True)])
def test_exactly_three_months_pass_and_a_day_more_does_not(
    until: str, is_refused: bool, course: Course, operator: User, parent: User
) -> None:
    Course.objects.update(ends_on=datetime.date(2027, 6, 30))
    answer = offered(course, operator, parent, course_until=until)
    assert answer.status_code == (400 if is_refused else 302)
    assert Contract.objects.get().state == ("draft" if is_refused else "offered")
    if is_refused:
        told = text_of(answer)
        assert "一次收取了 4 个月的培训费" in told
        assert "一次收费的时间跨度上限：<b>3 个月</b>（示范区" in told
        assert reverse("library:clause", args=["s4.prepaid.three-months"]) in told
        assert not Notice.objects.filter(user=parent).exists()


@pytest.mark.parametrize(("begins", "is_refused"), [("2026-12-16", False), ("2026-12-17", True)])
def test_no_earlier_than_the_permitted_time_before_the_course(
    begins: str, is_refused: bool, course: Course, operator: User, parent: User
) -> None:
    answer = offered(course, operator, parent, course_from=begins)
    assert answer.status_code == (400 if is_refused else 302)
    assert ("提前 31 天，超过至多提前的 30 天" in text_of(answer)) == is_refused


@pytest.mark.parametrize(
    ("break_it", "sentence", "clause"),
    [
        (lambda: CustodyAgreement.objects.update(ends_on=YESTERDAY), "没有足额进入监管账户", "s4.prepaid.custody"),
        (lambda: FeeFiling.objects.all().delete(), "的收费标准没有备案", "s2.fee.filing"),
        (lambda: FeeFiling.objects.update(published_on=None), "的收费标准没有公示", "s2.fee.published"),
        (lambda: FeeFiling.objects.update(standard_fen=7_999), "实收 80.00 元，高于收费标准 79.99 元", "s2.fee.no-over-standard"),
        (lambda: GuidedPrice.objects.update(price_fen=7_999), "高于政府指导价 79.99 元", "s2.penalty.violation-guided-price"),
        (
            lambda: Institution.objects.get().permits.update(ends_on=YESTERDAY),
            "没有把办学许可证和营业执照",
            "s2.institution.no-unlicensed",
        ),
        (lambda: Course.objects.update(field="sports"), "不得超范围培训", "s2.institution.no-out-of-scope"),
        (lambda: Course.objects.update(state="submitted"), "没有都备案", "s2.supervision.filed-content"),
        (lambda: Contract.objects.update(learner_born_on="2020-11-17"), "招收了 5 岁 的学员", "s2.supervision.filed-target"),
    ],
    ids=["custody", "unfiled", "unpublished", "above fee", "above guided", "no permit", "beyond permit", "course unfiled", "under age"],
)
def test_what_the_law_refuses_is_told_with_its_clause_and_nothing_is_saved(
    break_it: Any, sentence: str, clause: str, course: Course, operator: User, parent: User
) -> None:
    contract = make_draft(course, parent, operator)
    break_it()
    answer = signed_in(operator).post(reverse("escrow:contract_offer", args=[contract.pk]))
    assert answer.status_code == 400
    assert sentence in text_of(answer)
    assert reverse("library:clause", args=[clause]) in text_of(answer)
    contract.refresh_from_db()
    assert (contract.state, contract.offered_at) == ("draft", None)


def test_six_on_the_day_of_signing_is_old_enough(course: Course, operator: User, parent: User) -> None:
    contract = make_draft(course, parent, operator)
    Contract.objects.update(learner_born_on="2020-11-16")
    assert offer(contract=contract, by=operator).state == "offered"


def test_the_guided_price_is_that_of_category_class_size_and_lesson_length(
    course: Course, operator: User, parent: User, district: District
) -> None:
    GuidedPrice.objects.all().delete()
    make_price(district.region, district.bureau, class_size_until=19, price_fen=1)
    make_price(district.region, district.bureau, class_size_from=21, price_fen=1)
    make_price(district.region, district.bureau, class_size_from=20, class_size_until=20, minutes_until=39, price_fen=1)
    make_price(district.region, district.bureau, class_size_from=20, class_size_until=20, minutes_from=41, price_fen=1)
    make_price(district.region, district.bureau, category="academic", price_fen=1)
    assert offer(contract=make_draft(course, parent, operator), by=operator).state == "offered"
    make_price(
        district.region, district.bureau, class_size_from=20, class_size_until=20, minutes_from=40, minutes_until=40, price_fen=7_999
    )
    other = make_draft(course, make_user("other", Role.PARENT), operator)
    assert "高于政府指导价" in text_of(signed_in(operator).post(reverse("escrow:contract_offer", args=[other.pk])))


def test_what_has_changed_since_the_offer_refuses_the_guardians_signature_too(course: Course, operator: User, parent: User) -> None:
    contract = offer(contract=make_draft(course, parent, operator), by=operator)
    GuidedPrice.objects.update(price_fen=5_000)
    answer = signed_in(parent).post(reverse("escrow:contract_sign", args=[contract.pk]), {"has_read": "on"})
    assert answer.status_code == 400
    assert "高于政府指导价 50.00 元" in text_of(answer)
    contract.refresh_from_db()
    assert (contract.state, contract.signed_at, contract.signed_text) == ("offered", None, "")
    assert not PaymentOrder.objects.exists()


def test_nobody_signs_with_an_institution_that_has_been_closed(course: Course, operator: User, parent: User) -> None:
    contract = make_draft(course, parent, operator)
    Institution.objects.update(state="closed", state_reason="终止办学")
    signed_in(operator).post(reverse("escrow:contract_offer", args=[contract.pk]))
    contract.refresh_from_db()
    assert contract.state == "draft"


def test_unfair_terms_are_shown_to_both_sides_with_their_clauses(course: Course, operator: User, parent: User) -> None:
    offered(course, operator, parent, extra_terms="请自备画笔。一经报名，概 不退费。本活动最终解释权归本机构。")
    contract = Contract.objects.get()
    assert [(each["word"], each["sentence"]) for each in contract.unfair_terms] == [
        ("概不退费", "一经报名，概 不退费"),
        ("最终解释权", "本活动最终解释权归本机构"),
    ]
    for user in (operator, parent):
        shown = text_of(signed_in(user).get(reverse("escrow:contract", args=[contract.pk])))
        assert "“一经报名，概 不退费”" in shown
        assert reverse("library:clause", args=["s2.fee.refund-rules"]) in shown
    aid = signed_in(operator).post(reverse("escrow:contract_aid"), {"extra_terms": "逾期视为放弃", "course": course.pk, "lessons": "3"})
    assert "逾期视为放弃" in text_of(aid)
    assert "240.00 元" in text_of(aid)


def test_what_an_institution_writes_never_passes_for_a_signature(course: Course, operator: User, parent: User) -> None:
    forged = "签署\n乙方签署：parent，2026年11月16日 08:00:00"
    contract = make_draft(course, parent, operator, extra_terms=forged, refund_conditions=f"照退\n{forged}")
    head, parts = read_sections(full_text(contract, None))
    assert [each.title for each in parts] == ["一、双方", "二、培训内容", "三、费用", "四、退费", "五、补充约定", "签署"]
    assert parts[-1].lines == ("甲方：尚未签署", "乙方：尚未签署")
    assert head[1] == f"合同编号：{contract.number}"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"codes": "ABCD-2345"}, "签约码“ABCD-2345”不对、已过期、已停用或已给了别的机构"),
        ({"codes": ""}, "请填写家长的签约码"),
        ({"course": "999"}, "选择一个有效的选项"),
        ({"lessons": "21"}, "课程备案共 20 课时，不能多于它"),
        ({"lessons": "0"}, "大于零"),
        ({"course_until": "2026-11-15"}, "课程止不能早于课程起"),
        ({"lesson_price_yuan": "八十"}, "请写金额，如 80 或 79.50"),
        ({"lesson_price_yuan": "0"}, "金额要大于零"),
        ({"course_from": "下周"}, "日期请写成"),
        ({"extra_terms": "约" * 2001}, "补充约定最多 2000 字"),
        ({"codes": "\n".join(f"CODE{number:04}" for number in range(31))}, "一次最多 30 个签约码"),
    ],
)
def test_bad_input_is_refused_with_what_to_do_and_nothing_is_kept(
    values: dict[str, str], words: str, course: Course, operator: User, parent: User
) -> None:
    answer = offered(course, operator, parent, **values)
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert not Contract.objects.exists()


def test_one_draft_for_several_families_is_all_or_none(course: Course, operator: User, parent: User, district: District) -> None:
    other = district.second.parent
    codes = [code_of(signed_in(each)) for each in (parent, other)]
    wrong = signed_in(operator).post(reverse("escrow:contract_new"), filled(course, "\n".join([*codes, "WRONGONE"])))
    assert wrong.status_code == 400
    assert not Contract.objects.exists()
    answer = signed_in(operator).post(reverse("escrow:contract_new"), filled(course, "，".join(codes)))
    assert answer["Location"] == reverse("escrow:contracts")
    assert {each.guardian for each in Contract.objects.filter(state="offered")} == {parent, other}
    assert len({each.number for each in Contract.objects.all()}) == 2


def test_a_code_is_one_institutions_for_a_week_and_the_familys_to_take_back(
    course: Course, operator: User, parent: User, district: District
) -> None:
    family, mine = signed_in(parent), signed_in(operator)
    code = code_of(family)
    assert SigningCode.objects.get().sha256 == hashlib.sha256(code.replace("-", "").encode()).hexdigest()
    assert code not in text_of(family.get(reverse("escrow:codes")))
    assert mine.post(reverse("escrow:contract_new"), filled(course, code.lower())).status_code == 302
    rival = make_institution(district.region, "另一家")
    theirs = make_course(rival, None, "素描")
    rival_clerk = make_user("rival", Role.INSTITUTION, rival.organisation)
    assert signed_in(rival_clerk).post(reverse("escrow:contract_new"), filled(theirs, code)).status_code == 400
    held = SigningCode.objects.get()
    assert held.institution == operator.employer
    family.post(reverse("escrow:code_revoke", args=[held.pk]))
    assert mine.post(reverse("escrow:contract_new"), filled(course, code)).status_code == 400
    SigningCode.objects.update(revoked_at=None, expires_at=timezone.now() - datetime.timedelta(seconds=1))
    assert mine.post(reverse("escrow:contract_new"), filled(course, code)).status_code == 400
    assert Contract.objects.count() == 1


def test_a_code_wants_a_child_that_is_born(parent: User) -> None:
    family = signed_in(parent)
    for values, words in (({"learner_name": " "}, "请写孩子的姓名"), ({"learner_born_on": "2026-11-17"}, "出生日期不能晚于今天")):
        answer = family.post(reverse("escrow:codes"), {"learner_name": "小示例", "learner_born_on": "2017-05-01"} | values)
        assert answer.status_code == 400
        assert words in text_of(answer)
    assert not SigningCode.objects.exists()


def test_the_same_child_does_not_buy_the_same_days_of_a_course_twice(course: Course, operator: User, parent: User) -> None:
    code = make_code(parent)
    offer(contract=make_draft(course, parent, operator, code=code), by=operator)
    again = make_draft(course, parent, operator, code=code)
    answer = signed_in(operator).post(reverse("escrow:contract_offer", args=[again.pk]), follow=True)
    assert "同期已有这门课程的合同" in text_of(answer)
    again.refresh_from_db()
    assert again.state == "draft"


def test_an_offer_is_taken_back_changed_and_offered_anew(course: Course, operator: User, parent: User) -> None:
    contract = offer(contract=make_draft(course, parent, operator), by=operator)
    mine, family = signed_in(operator), signed_in(parent)
    edit = reverse("escrow:contract_edit", args=[contract.pk])
    assert mine.get(edit).status_code == 302
    assert mine.post(reverse("escrow:contract_take_back", args=[contract.pk])).status_code == 302
    assert family.get(reverse("escrow:contract", args=[contract.pk])).status_code == 404
    assert "79.50" not in text_of(mine.get(edit))
    assert mine.post(edit, filled(course, "", lesson_price_yuan="79.50")).status_code == 302
    contract.refresh_from_db()
    assert (contract.state, contract.amount_fen, contract.learner_born_on) == ("offered", 79_500, BORN_ON)
    assert Notice.objects.filter(user=parent).count() == 2


def test_either_side_ends_an_offer_with_a_reason_and_an_unpaid_contract_too(course: Course, operator: User, parent: User) -> None:
    contract = offer(contract=make_draft(course, parent, operator), by=operator)
    family, end = signed_in(parent), reverse("escrow:contract_end", args=[contract.pk])
    assert family.post(end, {"reason": " "}).status_code == 400
    family.post(end, {"reason": "时间不合适"})
    contract.refresh_from_db()
    assert (contract.state, contract.end_reason) == ("cancelled", "时间不合适")
    assert Notice.objects.filter(user=operator, text__contains="时间不合适").exists()
    refused = family.post(reverse("escrow:contract_sign", args=[contract.pk]), {"has_read": "on"}, follow=True)
    assert "不能签；机构可能已收回修改" in text_of(refused)
    second = sign(contract=offer(contract=make_draft(course, parent, operator), by=operator), by=parent)
    signed_in(operator).post(reverse("escrow:contract_end", args=[second.pk]), {"reason": "开不了班"})
    second.refresh_from_db()
    assert (second.state, second.end_reason, second.orders.get().state) == ("refunded", "未缴费解除：开不了班", "cancelled")
    with pytest.raises(ValidationError, match="已取消"):
        received(second.orders.get(), paid_on=MONDAY, payer_account="1", payer_name="家长", bank_reference="B9")
    with pytest.raises(ValidationError, match="不能解除"):
        annul(contract=second, by=operator, reason="再解除")


def test_only_a_draft_is_deleted(course: Course, operator: User, parent: User) -> None:
    contract = offer(contract=make_draft(course, parent, operator), by=operator)
    mine = signed_in(operator)
    mine.post(reverse("escrow:contract_delete", args=[contract.pk]))
    assert Contract.objects.filter(pk=contract.pk).exists()
    draft = make_draft(course, make_user("other", Role.PARENT), operator)
    mine.post(reverse("escrow:contract_delete", args=[draft.pk]))
    assert not Contract.objects.filter(pk=draft.pk).exists()


def test_only_the_guardian_signs(course: Course, operator: User, parent: User, district: District) -> None:
    contract = offer(contract=make_draft(course, parent, operator), by=operator)
    for stranger in (district.second.parent, operator, district.bureau):
        answer = signed_in(stranger).post(reverse("escrow:contract_sign", args=[contract.pk]), {"has_read": "on"})
        assert answer.status_code == 404
    with pytest.raises(ValidationError, match="家长本人"):
        sign(contract=contract, by=district.second.parent)
