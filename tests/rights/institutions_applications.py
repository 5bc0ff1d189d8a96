"""Applications and permits: an institution its own, officers those handed in, the public what is on notice."""

from __future__ import annotations

from qingdan.institutions.models import Institution
from tests.institutions.applying import lead_to, make_application
from tests.institutions.making import credit_code, make_permit
from tests.rights.table import Row, World, everyone


def prepare(world: World) -> None:
    """A draft and a submitted application of the institution, and a permit."""
    owner = world.institution.employer
    owner.region_code = world.district.region.code
    owner.save()
    registered = Institution.objects.create(
        organisation=owner, region=world.district.region, credit_code=credit_code(700), legal_person="王示例", registration="non_profit",
        category="non_academic", field="culture", audience="compulsory", department="culture", registered_on="2025-09-01",
    )  # fmt: skip
    world.records["draft"] = make_application(world.institution, "premises", details={})
    world.records["submitted"] = lead_to(
        make_application(world.institution), "submitted", by=world.institution, officer=world.district.bureau
    )
    world.records["permit"] = make_permit(registered, None, world.district.bureau)


def _draft(world: World) -> tuple[int]:
    return (world.records["draft"].pk,)


def _submitted(world: World) -> tuple[int]:
    return (world.records["submitted"].pk,)


def _draft_file(world: World) -> tuple[int, int]:
    return (world.records["draft"].pk, world.records["draft"].files.get().pk)


def _file(world: World) -> tuple[int, int]:
    return (world.records["submitted"].pk, world.records["submitted"].files.get().pk)


def _permit(world: World) -> tuple[int]:
    return (world.records["permit"].pk,)


OWN, BOTH, OFFICER = {"institution": 200}, {"institution": 200, "bureau": 200}, {"bureau": 200}
OWN_ACT, OFFICER_ACT = {"institution": 302}, {"bureau": 302}
OPEN = everyone(200)

ROWS = {
    "institutions:applications": Row(OWN),
    "institutions:application_new": Row(OWN),
    "institutions:application_apply": Row(OWN, args=lambda world: ("new",)),
    "institutions:application": Row(BOTH, args=_submitted),
    "institutions:application_edit": Row(OWN, args=_draft),
    "institutions:application_delete": Row(OWN_ACT, "post", _draft),
    "institutions:application_submit": Row(OWN_ACT, "post", _draft),
    "institutions:application_withdraw": Row(OWN_ACT, "post", _submitted),
    "institutions:application_file_add": Row({"institution": 400}, "post", _draft),
    "institutions:application_file": Row(BOTH, args=_file),
    "institutions:application_file_delete": Row(OWN_ACT, "post", _draft_file),
    "institutions:application_visit": Row(OFFICER, args=_submitted),
    "institutions:application_approve": Row(OFFICER, args=_submitted),
    "institutions:application_act": Row(OFFICER_ACT, "post", lambda world: (*_submitted(world), "accept")),
    "institutions:queue": Row(OFFICER),
    "institutions:deadlines": Row(OFFICER),
    "institutions:applications_public": Row(OPEN, nobody=200),
    "institutions:permits": Row(BOTH),
    "institutions:permit": Row(BOTH, args=_permit),
    "institutions:permit_qr": Row(BOTH, args=_permit),
    "institutions:permit_check": Row(OPEN, args=_permit, nobody=200),
    "institutions:permit_revoke": Row(OFFICER_ACT, "post", _permit, lambda world: {"reason": "超范围"}),
}
