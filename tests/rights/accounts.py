"""The second factor and tokens are for staff."""

from __future__ import annotations

from qingdan.accounts.models import ApiToken
from qingdan.accounts.second_factor import begin
from tests.rights.table import NOBODY, ROLES, Row, World, everyone


def _staff(status: int) -> dict[str, int]:
    return {role: status for role in ROLES if role != NOBODY and not role.endswith("parent")}


def prepare(world: World) -> None:
    """The teacher has a token, and a key that waits."""
    world.records["token"], _ = ApiToken.issue(world.district.first.teacher, name="同步", scopes=["homework:read"], days=5)
    begin(world.district.first.teacher)


ROWS = {
    "accounts:code": Row(everyone(302)),
    "accounts:second_factor": Row(_staff(200)),
    "accounts:second_factor_begin": Row(_staff(302), method="post"),
    "accounts:second_factor_qr": Row({"teacher": 200}),
    "accounts:second_factor_confirm": Row(_staff(400), method="post"),
    "accounts:recovery_codes": Row(_staff(400), method="post"),
    "accounts:second_factor_off": Row(_staff(400), method="post"),
    "accounts:tokens": Row(_staff(200)),
    "accounts:token_revoke": Row({"teacher": 302}, method="post", args=lambda world: (world.records["token"].pk,)),
}
