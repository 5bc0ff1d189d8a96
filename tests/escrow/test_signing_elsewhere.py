"""Contracts where another layer of the law holds: Shanghai's clauses, and a layer of a user's own with caps of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.escrow.actions.signing import offer, sign
from qingdan.escrow.models import Contract
from qingdan.escrow.trial import opinion_of
from qingdan.institutions.models import Course
from qingdan.judging import law
from qingdan.judging.trying import Refused
from qingdan.places import calendar
from qingdan.policy.packs import default_fingerprint
from tests.district import make_region, make_user
from tests.escrow.making import make_agreement
from tests.escrow.offering import make_draft, make_filing, make_price
from tests.institutions.making import make_course, make_institution, make_permit, make_premises

INVENTED = Path(__file__).parents[1] / "packs" / "invented"


@dataclass
class Elsewhere:
    """An institution in a region on another layer, with all that a contract wants."""

    course: Course
    clerk: User
    parent: User

    def draft(self, **values: Any) -> Contract:
        """A draft over two months unless told otherwise."""
        return make_draft(self.course, self.parent, self.clerk, **values)


def make_elsewhere(layer_code: str, code: str, mode: str = "custody") -> Elsewhere:
    region = make_region(code=code, layer_code=layer_code)
    office = Organisation.objects.create(name="某局", kind=OrganisationKind.BUREAU, layer_code=layer_code, region_code=code)
    bureau = make_user("elsewhere-bureau", Role.BUREAU, office)
    institution = make_institution(region)
    course = make_course(institution, make_permit(institution, make_premises(institution), bureau))
    clerk = make_user("elsewhere-clerk", Role.INSTITUTION, institution.organisation)
    make_agreement(institution.organisation, bureau, mode=mode)
    make_price(region, bureau, price_fen=100_000)
    make_filing(course, clerk, standard_fen=100_000)
    return Elsewhere(course, clerk, make_user("elsewhere-parent", Role.PARENT))


@pytest.fixture
def shanghai(db: None) -> Elsewhere:
    """An institution in Shanghai."""
    return make_elsewhere("cn-shanghai", "990201")


def rules_against(contract: Contract, by: User) -> set[str]:
    with pytest.raises(Refused) as refused:
        offer(contract=contract, by=by)
    contract.refresh_from_db()
    assert contract.state == "draft"
    return {each.rule_id for each in refused.value.objections}


def test_a_training_loan_is_refused_where_the_clause_holds(shanghai: Elsewhere) -> None:
    assert rules_against(shanghai.draft(is_paid_by_loan=True), shanghai.clerk) == {"prepaid.no-loans"}


def test_unfair_terms_are_refused_where_the_clause_holds(shanghai: Elsewhere) -> None:
    contract = shanghai.draft(extra_terms="报名后概不退费")
    with pytest.raises(Refused) as refused:
        offer(contract=contract, by=shanghai.clerk)
    (objection,) = refused.value.objections
    assert objection.rule_id == "prepaid.unfair-terms"
    assert "报名后概不退费" in objection.sentence
    assert [each["clause"] for each in contract.unfair_terms[0]["cites"]] == ["s0.contracts.unfair-terms", "s2.fee.refund-rules"]


@pytest.mark.parametrize("mode", ["custody", "reserve", "transfer"])
def test_shanghai_takes_each_of_three_ways_of_supervision(mode: str, db: None) -> None:
    there = make_elsewhere("cn-shanghai", "990201", mode)
    contract = sign(contract=offer(contract=there.draft(), by=there.clerk), by=there.parent)
    assert contract.agreement is not None
    assert contract.agreement.get_mode_display() in contract.signed_text


def test_what_the_law_cannot_decide_is_a_note_and_no_refusal(db: None) -> None:
    there = make_elsewhere("demo-district", "990101", "transfer")
    contract = there.draft()
    assert {each.rule_id for each in opinion_of(contract).notes} == {"prepaid.custody-district"}
    assert offer(contract=contract, by=there.clerk).state == "offered"


@pytest.fixture
def dongwan(db: None) -> Iterator[Elsewhere]:
    """An institution in a district of the invented pack; the installation forgets that pack afterwards."""
    before = os.environ.get("QINGDAN_POLICIES")
    os.environ["QINGDAN_POLICIES"] = str(INVENTED)
    _forget()
    yield make_elsewhere("inv-dongwan", "990401")
    if before is None:
        del os.environ["QINGDAN_POLICIES"]
    else:
        os.environ["QINGDAN_POLICIES"] = before
    _forget()


def _forget() -> None:
    default_fingerprint.cache_clear()
    calendar._calendars.cache_clear()
    law._law.cache_clear()


@pytest.mark.parametrize(
    ("lessons", "amount_fen", "is_refused"), [(12, 100_000, False), (13, 100_000, True), (12, 100_001, True)], ids=["at", "lesson", "fen"]
)
def test_a_layer_caps_lessons_and_amount_without_a_line_of_code(
    lessons: int, amount_fen: int, is_refused: bool, dongwan: Elsewhere
) -> None:
    contract = dongwan.draft(lessons=lessons, amount_fen=amount_fen)
    if is_refused:
        assert rules_against(contract, dongwan.clerk) == {"invented.prepaid-caps"}
    else:
        assert offer(contract=contract, by=dongwan.clerk).state == "offered"
