"""A bureau brings a school into the system, with the one person who then does the rest."""

from __future__ import annotations

import logging

from django.core.exceptions import ValidationError
from django.db import transaction

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from qingdan.places.models import Region
from qingdan.policy.packs import default_pack
from qingdan.schools.actions.joining import Slip, issue_for_staff, new_account
from qingdan.schools.enums import GRADES_OF_KIND
from qingdan.schools.models import School

log = logging.getLogger(__name__)


def region_of(bureau: Organisation) -> Region:
    """The region of a bureau; raise ValidationError when its calendar has not been begun."""
    region = Region.objects.filter(code=bureau.region_code).first()
    if region is None:
        raise ValidationError("本局还没有建立地区；请先在“校历”页面建立校历，再登记学校")
    return region


def layers_for(region: Region) -> list[tuple[str, str]]:
    """The layers by which a school of the region may be judged: the region's own and those below it, with their names."""
    layers = default_pack().layers.values()
    found = [layer for layer in layers if region.layer_code in layer.chain]
    return [(layer.code, layer.name) for layer in sorted(found, key=lambda layer: len(layer.chain))]


@transaction.atomic
def register_school(
    *, by: User, name: str, kind: str, layer_code: str, locality: str, address: str, leader_username: str, leader_name: str
) -> tuple[School, Slip]:
    """A school with its leader's account and the one-time code for it; raise ValidationError, and nothing is made, on what does not fit."""
    region = region_of(by.employer)
    if layer_code not in dict(layers_for(region)):
        raise ValidationError({"layer_code": "学校适用的层要是本地区的层或其下级"})
    owner = Organisation(
        name=name, kind=OrganisationKind.SCHOOL, layer_code=layer_code, region_code=region.code, is_fictional=region.is_fictional
    )
    owner.full_clean()
    owner.save()
    first, last = GRADES_OF_KIND[kind]
    school = School(organisation=owner, region=region, kind=kind, first_grade=first, last_grade=last, locality=locality, address=address)
    school.full_clean()
    school.save()
    leader = new_account(owner, username=leader_username, display_name=leader_name, role=Role.SCHOOL_LEADER)
    (slip,) = issue_for_staff(school, [leader], by=by)
    log.info("school.registered school=%s by=%s", school.pk, by.pk)
    return school, slip
