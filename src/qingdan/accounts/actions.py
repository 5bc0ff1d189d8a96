"""What touches organisations and users together."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from qingdan.accounts.enums import FIRST_ROLE, OrganisationKind, Role
from qingdan.accounts.models import Organisation, User

#: Known to everyone: only for a demonstration on one's own machine.
DEMO_PASSWORD = "qingdan-demo"  # noqa: S105


@dataclass(frozen=True)
class DemoAccount:
    """One fictional organisation of the demonstration, with the one user who acts for it."""

    username: str
    display_name: str
    organisation: str
    kind: OrganisationKind
    layer_code: str
    role: Role


DEMO_ACCOUNTS = (
    DemoAccount("demo-bureau", "示范科员", "示范区教育局", OrganisationKind.BUREAU, "demo-district", Role.BUREAU),
    DemoAccount("demo-school", "示范教务", "示范区第一小学", OrganisationKind.SCHOOL, "demo-school", Role.SCHOOL_LEADER),
    DemoAccount(
        "demo-institution", "示范机构负责人", "启明学科培训学校（虚构）", OrganisationKind.INSTITUTION, "demo-district", Role.INSTITUTION
    ),
)


@transaction.atomic
def ensure_demo_accounts(*, password: str = DEMO_PASSWORD) -> list[User]:
    """Make (or put back as they were) the demonstration's organisations and users; safe to run again."""
    users = []
    for account in DEMO_ACCOUNTS:
        organisation, _ = Organisation.objects.update_or_create(
            name=account.organisation,
            defaults={"kind": account.kind, "layer_code": account.layer_code, "is_fictional": True},
        )
        user, _ = User.objects.update_or_create(
            username=account.username,
            defaults={"display_name": account.display_name, "organisation": organisation, "role": account.role, "is_active": True},
        )
        # Setting it again would end every open session of the demonstration at each start.
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        users.append(user)
    return users


@transaction.atomic
def add_account(
    *, username: str, display_name: str, password: str, organisation: str, kind: str, layer_code: str, region_code: str = "", role: str = ""
) -> User:
    """Add a user, and the organisation when it is new; raise ValidationError, in Chinese, on anything that does not fit."""
    found = Organisation.objects.filter(name=organisation).first()
    if found is None:
        found = Organisation(name=organisation, kind=kind, layer_code=layer_code, region_code=region_code)
        found.full_clean()
        found.save()
    user = User(username=username, display_name=display_name, organisation=found, role=role or FIRST_ROLE[found.kind])
    user.set_password(password)
    user.full_clean()
    user.save()
    return user
