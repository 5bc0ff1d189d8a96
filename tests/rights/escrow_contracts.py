"""Who may do what with contracts, codes, guided prices and fees."""

from __future__ import annotations

import datetime
from typing import Any

from qingdan.escrow.models import FeeFiling, GuidedPrice, SigningCode
from qingdan.institutions.models import Institution
from tests.district import MONDAY
from tests.escrow.making import make_agreement, make_contract
from tests.escrow.offering import make_code
from tests.institutions.making import credit_code, make_course, make_permit, make_premises
from tests.rights.table import ROLES, Row, World

_PARENTS = {"parent": 200, "second_parent": 200}
_CLERK, _BUREAU = {"institution": 200}, {"bureau": 200}
_EVERYBODY = {role: 200 for role in ROLES if role != "nobody"}


def prepare(world: World) -> None:
    """The institution with contracts in each state for the first school's parent."""
    owner = world.institution.organisation
    assert owner is not None
    owner.region_code = world.district.region.code
    owner.save()
    institution = Institution.objects.create(
        organisation=owner, region=world.district.region, credit_code=credit_code(78_001), legal_person="王示例", registration="non_profit",
        category="non_academic", field="culture", audience="compulsory", department="culture", registered_on="2025-09-01",
    )  # fmt: skip
    course = make_course(institution, make_permit(institution, make_premises(institution), world.district.bureau))
    parent = world.user("parent")
    assert parent is not None
    agreement = make_agreement(owner, world.district.bureau)
    for state in ("draft", "offered", "signed"):
        world.records[state] = make_contract(agreement, parent, world.institution, course=course, state=state).pk
    world.records["code"] = make_code(parent).pk
    given: dict[str, Any] = {"class_size_from": 1, "class_size_until": 30, "minutes_from": 1, "minutes_until": 60, "price_fen": 1}
    given |= {"region": world.district.region, "document": "通知", "entered_by": world.district.bureau}
    starts = MONDAY + datetime.timedelta(days=30)
    world.records["price"] = GuidedPrice.objects.create(category="academic", starts_on=starts, **given).pk
    world.records["fee"] = FeeFiling.objects.create(
        institution=owner, course_number=course.pk, item="课", category="non_academic", class_size=20, lesson_minutes=40, standard_fen=1,
        filed_on=MONDAY, filed_by=world.institution,
    ).pk  # fmt: skip
    world.records["owner"] = owner.pk
    assert SigningCode.objects.exists()


def _of(name: str) -> Any:
    return lambda world: (world.records[name],)


_ENDING: Any = lambda world: {"reason": "不签了"}  # noqa: E731

ROWS = {
    "escrow:contracts": Row(_CLERK | _BUREAU | _PARENTS),
    "escrow:contracts_export": Row(_CLERK | _BUREAU | _PARENTS),
    "escrow:contract_new": Row(_CLERK),
    "escrow:contract_aid": Row(_CLERK, "post"),
    "escrow:contract": Row(_CLERK | _BUREAU | {"parent": 200}, args=_of("signed")),
    "escrow:contract_check": Row(_CLERK | {"parent": 200}, args=_of("offered")),
    "escrow:contract_edit": Row(_CLERK, args=_of("draft")),
    "escrow:contract_delete": Row({"institution": 302}, "post", args=_of("draft")),
    "escrow:contract_offer": Row({"institution": 400}, "post", args=_of("draft")),
    "escrow:contract_take_back": Row({"institution": 302}, "post", args=_of("offered")),
    "escrow:contract_sign": Row({"parent": 400}, "post", args=_of("offered")),
    "escrow:contract_end": Row({"institution": 302, "parent": 302}, "post", args=_of("offered"), data=_ENDING),
    "escrow:contract_download": Row(_CLERK | {"parent": 200}, args=_of("signed")),
    "escrow:codes": Row(_PARENTS),
    "escrow:code_revoke": Row({"parent": 302}, "post", args=_of("code")),
    "escrow:prices": Row(_CLERK | _BUREAU),
    "escrow:price_new": Row(_BUREAU),
    "escrow:prices_export": Row(_BUREAU),
    "escrow:prices_import": Row(_BUREAU),
    "escrow:price_end": Row(_BUREAU, args=_of("price")),
    "escrow:price_delete": Row({"bureau": 302}, "post", args=_of("price")),
    "escrow:fees": Row(_CLERK | _BUREAU),
    "escrow:fee_new": Row(_CLERK),
    "escrow:fee_aid": Row(_CLERK, "post"),
    "escrow:fee_publish": Row({"institution": 302}, "post", args=_of("fee")),
    "escrow:fee_withdraw": Row({"institution": 302}, "post", args=_of("fee")),
    "escrow:public_fees": Row(_EVERYBODY, args=_of("owner"), nobody=200),
    "escrow:public_prices": Row(_EVERYBODY, nobody=200),
}
