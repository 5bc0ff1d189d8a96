"""What the database refuses of the registry, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from qingdan.institutions.models import (
    CapitalChange,
    Evaluation,
    Institution,
    Listing,
    Owner,
    Pledge,
    Premises,
    RegisterImport,
    RegisterRow,
)
from qingdan.storage.refusals import constraint_of, message_of
from tests.district import MONDAY, TUESDAY, District
from tests.institutions.making import make_premises

Make = Callable[[Institution, District], models.Model]


def _changed(institution: Institution, **values: Any) -> Institution:
    for name, value in values.items():
        setattr(institution, name, value)
    return institution


def _premises(institution: Institution, **values: Any) -> Premises:
    return Premises(institution=institution, **({"name": "甲", "address": "路", "area_m2": 10, "opened_on": TUESDAY} | values))


def _same_name(institution: Institution, district: District) -> Premises:
    make_premises(institution, "甲")
    return _premises(institution)


def _same_deal(institution: Institution, district: District) -> CapitalChange:
    given = {"institution": institution, "happened_on": MONDAY, "deal": "listing", "investor": "甲", "recorded_by": district.bureau}
    CapitalChange.objects.create(**given)
    return CapitalChange(**given)


def _listing(institution: Institution, district: District, **values: Any) -> Listing:
    return Listing(institution=institution, decided_by=district.bureau, **({"colour": "white", "since": MONDAY, "reason": "优"} | values))


def _second_list(institution: Institution, district: District) -> Listing:
    _listing(institution, district).save()
    return _listing(institution, district, colour="black", since=TUESDAY)


def _same_evaluation(institution: Institution, district: District) -> Evaluation:
    given = {"institution": institution, "evaluator": "甲", "evaluated_on": MONDAY, "grade": "良", "recorded_by": district.bureau}
    Evaluation.objects.create(**given)
    return Evaluation(**given)


def _register(district: District, **values: Any) -> RegisterImport:
    return RegisterImport(region=district.region, file_name="a.xlsx", uploaded_by=district.bureau, **values)


def _row(institution: Institution, district: District) -> RegisterRow:
    register = _register(district)
    register.save()
    return RegisterRow(register=register, row=1, act="refuse", values={"name": "甲"})


CASES: dict[str, Make] = {
    "institution_credit_code_has_its_form": lambda i, d: _changed(i, credit_code="123"),
    "institution_field_fits_category": lambda i, d: _changed(i, field="academic"),
    "institution_state_is_explained": lambda i, d: _changed(i, state="closed"),
    "premises_name_once": _same_name,
    "premises_open_before_they_close": lambda i, d: _premises(i, closed_on=MONDAY),
    "premises_have_an_area": lambda i, d: _premises(i, area_m2=0),
    "owner_share_is_a_percentage": lambda i, d: Owner(institution=i, name="甲", share_percent=101, since=MONDAY),
    "capital_change_once": _same_deal,
    "capital_use_within_amount": lambda i, d: CapitalChange(
        institution=i, happened_on=MONDAY, deal="listing", investor="甲", amount_fen=1, used_for_training_fen=2, recorded_by=d.bureau
    ),
    "listing_has_a_reason": lambda i, d: _listing(i, d, reason=""),
    "listing_ends_with_a_reason": lambda i, d: _listing(i, d, until=TUESDAY),
    "listing_one_at_a_time": _second_list,
    "evaluation_once_a_day": _same_evaluation,
    "pledge_has_text": lambda i, d: Pledge(institution=i, text="", pledged_on=MONDAY, pledged_by=d.bureau),
    "register_import_status_fits_its_times": lambda i, d: _register(d, status="previewed", applied_at=timezone.now()),
    "register_row_refused_has_a_reason": _row,
}


@pytest.mark.parametrize("name", CASES)
def test_the_database_refuses_and_the_form_says_why(name: str, institution: Institution, district: District) -> None:
    record = CASES[name](institution, district)
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        record.save()
    assert constraint_of(refused.value) == name
    message = message_of(name, type(record))
    assert message
    with pytest.raises(ValidationError) as said:
        record.validate_constraints()
    assert message in said.value.messages
