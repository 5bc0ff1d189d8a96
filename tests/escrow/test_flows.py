"""Large flows: marked by the layer's figure or by the account's own past, told to the officers once, circulated with what was found."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.escrow.actions import flows
from qingdan.escrow.models import CustodyAgreement, RiskStep
from qingdan.judging.law import current_law
from qingdan.notices.models import Notice
from tests.district import District, make_user, signed_in
from tests.escrow.risking import days_ago, make_bank_line

#: What the demonstration district calls large.
LARGE_FEN = 5_000_000


def department(district: District, name: str) -> User:
    office = Organisation.objects.create(
        name=f"{name}局", kind=OrganisationKind.BUREAU, layer_code=district.region.layer_code, region_code=district.region.code,
        department=name,
    )  # fmt: skip
    return make_user(name, Role.DEPARTMENT, office)


def test_the_layers_figure_decides_to_the_fen_in_both_directions(agreement: CustodyAgreement) -> None:
    below, out, into = (make_bank_line(agreement, fen) for fen in (LARGE_FEN - 1, -LARGE_FEN, LARGE_FEN))
    assert {line.pk for line in flows.mark_large()} == {out.pk, into.pk}
    below.refresh_from_db()
    assert not below.is_large
    assert flows.mark_large() == [], "a second run finds none"


def test_a_payment_far_beyond_the_accounts_own_past_is_marked(agreement: CustodyAgreement) -> None:
    for number in range(10):
        make_bank_line(agreement, -300_000, on=days_ago(40 - number))
    usual = make_bank_line(agreement, -1_500_000, on=days_ago(3))
    assert flows.mark_large() == [], "five times the average is not beyond it"
    unusual = make_bank_line(agreement, -2_500_000, on=days_ago(2))
    assert [line.pk for line in flows.mark_large()] == [unusual.pk]
    usual.refresh_from_db()
    assert not usual.is_large


def test_a_layer_without_a_figure_calls_no_sum_large(agreement: CustodyAgreement) -> None:
    Organisation.objects.filter(pk=agreement.institution_id).update(layer_code="cn")
    make_bank_line(agreement, -LARGE_FEN * 10)
    assert flows.mark_large() == []


def test_the_officers_of_the_region_and_department_are_told_once(agreement: CustodyAgreement, district: District, operator: User) -> None:
    culture, sports = department(district, "culture"), department(district, "sports")
    line = make_bank_line(agreement, -LARGE_FEN)
    flows.mark_large()
    assert (flows.warn(), flows.warn()) == (1, 0)
    line.refresh_from_db()
    assert line.warned_at is not None
    told = Notice.objects.filter(occasion=f"flow:{line.pk}")
    assert {notice.user for notice in told} == {district.bureau, culture}
    assert "流出 50,000.00 元" in told[0].text
    assert not {sports, operator} & {notice.user for notice in Notice.objects.all()}


def test_the_law_holds_once_a_flow_is_warned_of_and_circulated(agreement: CustodyAgreement, district: District) -> None:
    Organisation.objects.filter(pk=agreement.institution_id).update(layer_code="cn-shanghai")
    line = make_bank_line(agreement, -LARGE_FEN)
    flows.mark_large()

    def breaches() -> list[str]:
        return [each.rule.id for judged in current_law().judge_touched("account_flow", row_id=line.pk) for each in judged.breaches]

    assert breaches() == ["prepaid.large-flow-warning"]
    flows.warn()
    assert breaches() == ["prepaid.large-flow-warning"]
    flows.circulate(line, reason="已查明，是装修款", by=district.bureau)
    assert breaches() == []


def test_circulating_wants_a_reason_and_happens_once(agreement: CustodyAgreement, district: District) -> None:
    culture = department(district, "culture")
    line = make_bank_line(agreement, -LARGE_FEN)
    with pytest.raises(ValidationError, match="不是大额"):
        flows.circulate(line, reason="查过", by=district.bureau)
    flows.mark_large()
    with pytest.raises(ValidationError, match="请写明核实的情况"):
        flows.circulate(line, reason=" ", by=district.bureau)
    for _ in range(2):
        flows.circulate(line, reason="付给关联公司", by=district.bureau)
    step = RiskStep.objects.get()
    assert (step.kind, step.institution_id) == ("circulated", agreement.institution_id)
    assert step.text == "11月15日（周日）大额流出 50,000.00 元：付给关联公司"
    assert Notice.objects.filter(user=culture, occasion=f"flow-told:{line.pk}").count() == 1


def test_the_page_lists_what_waits_and_circulates_it(agreement: CustodyAgreement, district: District, operator: User) -> None:
    line = make_bank_line(agreement, -LARGE_FEN, match="unknown", counterparty_name="某某商贸")
    flows.mark_large()
    client, page = signed_in(district.bureau), reverse("escrow:flows")
    shown = client.get(page).content.decode()
    assert "流出 50,000.00 元" in shown
    assert "账上没有这笔" in shown
    assert "某某商贸" in shown
    empty = client.post(reverse("escrow:flow_circulate", args=[line.pk]), {"reason": ""})
    assert empty.status_code == 422
    assert "请写明核实的情况" in empty.content.decode()
    line.refresh_from_db()
    assert line.circulated_at is None
    assert client.post(reverse("escrow:flow_circulate", args=[line.pk]), {"reason": "已核实"}).status_code == 302
    assert "没有待通报的大额流动" in client.get(page).content.decode()
    assert "已通报" in client.get(page, {"state": "told"}).content.decode()
    assert signed_in(department(district, "sports")).get(page, {"state": "all"}).content.decode().count("某某商贸") == 0
    assert signed_in(operator).get(page).status_code == 404
