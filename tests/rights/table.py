"""The shape of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qingdan.accounts.enums import OrganisationKind, Role
from qingdan.accounts.models import Organisation, User
from tests.district import District, make_district, make_user

NOBODY = "nobody"
#: The cast. ``leader`` to ``parent`` belong to the first school, in which the records of the table lie; ``teacher`` is class teacher
#: of 三（2）班 too. The ``second_…`` are strangers from the other school, ``institution`` from a training institution.
ROLES = (
    NOBODY, "bureau", "leader", "grade_head", "teacher", "other_teacher", "parent",
    "institution", "second_leader", "second_teacher", "second_parent",
)  # fmt: skip
LOGIN = 302  # sent to the login page


@dataclass
class World:
    """The district, an institution, and whatever records a module adds under names of its own."""

    district: District
    institution: User
    records: dict[str, Any] = field(default_factory=dict)

    def user(self, role: str) -> User | None:
        """Who plays a role; None for somebody not signed in."""
        if role == NOBODY:
            return None
        if role in ("bureau", "institution"):
            return self.district.bureau if role == "bureau" else self.institution
        school = self.district.second if role.startswith("second_") else self.district.first
        return User.objects.get(pk=getattr(school, role.removeprefix("second_")).pk)


def make_world() -> World:
    """Everybody."""
    district = make_district()
    owner = Organisation.objects.create(name="某培训机构", kind=OrganisationKind.INSTITUTION, layer_code="demo-district")
    return World(district, make_user("institution", Role.INSTITUTION, owner))


@dataclass(frozen=True)
class Row:
    """What one URL name answers to each role."""

    #: Role -> status for those who may; everybody else signed in gets ``others``.
    allowed: Mapping[str, int]
    method: str = "get"
    #: Arguments of the address, from the world.
    args: Callable[[World], tuple[Any, ...]] = lambda world: ()
    data: Callable[[World], dict[str, Any]] = lambda world: {}
    others: int = 404
    nobody: int = LOGIN

    def expected(self, role: str) -> int:
        """The status for a role."""
        return self.nobody if role == NOBODY else self.allowed.get(role, self.others)


def everyone(status: int) -> dict[str, int]:
    """All who are signed in."""
    return dict.fromkeys((role for role in ROLES if role != NOBODY), status)
