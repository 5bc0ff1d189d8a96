"""The registry is the bureau's; an institution sees and changes its own page."""

from __future__ import annotations

from qingdan.institutions.models import Institution, Listing, Owner, RegisterImport
from tests.district import MONDAY
from tests.institutions.making import credit_code, make_premises
from tests.rights.table import Row, World


def prepare(world: World) -> None:
    """The cast's institution is registered, with one record of each sort."""
    owner, region = world.institution.employer, world.district.region
    owner.region_code = region.code
    owner.save()
    made = Institution.objects.create(
        organisation=owner, region=region, credit_code=credit_code(77), legal_person="王示例", registration="non_profit",
        category="non_academic", field="culture", audience="compulsory", department="culture", registered_on=MONDAY,
    )  # fmt: skip
    world.records["premises"] = make_premises(made)
    world.records["owner"] = Owner.objects.create(institution=made, name="甲", share_percent=10, since=MONDAY)
    world.records["listing"] = Listing.objects.create(
        institution=made, colour="white", since=MONDAY, reason="优", decided_by=world.district.bureau
    )  # fmt: skip
    world.records["import"] = RegisterImport.objects.create(region=region, file_name="a.xlsx", uploaded_by=world.district.bureau)


def _own(world: World) -> tuple[int]:
    return (world.institution.employer.pk,)


def _bureau(name: str = "", status: int = 200, method: str = "get") -> Row:
    args = (lambda world: ()) if not name else _own if name == "institution" else (lambda world: (world.records[name].pk,))
    return Row({"bureau": status}, method=method, args=args)


ROWS = {
    "institutions:registry": _bureau(),
    "institutions:registry_export": _bureau(),
    "institutions:institution_new": _bureau(),
    "institutions:mine": Row({"institution": 302}),
    "institutions:institution": Row({"bureau": 200, "institution": 200}, args=_own),
    "institutions:institution_edit": Row({"bureau": 200, "institution": 200}, args=_own),
    "institutions:institution_state": _bureau("institution"),
    "institutions:premises_add": _bureau("institution"),
    "institutions:premises_close": _bureau("premises"),
    "institutions:owner_add": _bureau("institution"),
    "institutions:owner_end": _bureau("owner"),
    "institutions:capital_add": _bureau("institution"),
    "institutions:listing_add": _bureau("institution"),
    "institutions:listing_end": _bureau("listing"),
    "institutions:evaluation_add": _bureau("institution"),
    "institutions:pledge_add": Row({"institution": 200}, args=_own),
    "institutions:register_imports": _bureau(),
    "institutions:register_template": _bureau(),
    "institutions:register_import": _bureau("import"),
    "institutions:register_apply": _bureau("import", 302, "post"),
    "institutions:register_codes": _bureau("import", 302, "post"),
    "institutions:institution_codes": _bureau("institution", 302, "post"),
    "institutions:register_undo": _bureau("import", 302, "post"),
    "institutions:register_discard": _bureau("import", 302, "post"),
}
