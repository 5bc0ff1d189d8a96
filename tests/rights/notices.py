"""Everybody has notices, and sees the own ones only."""

from __future__ import annotations

from qingdan.notices.models import Notice
from tests.rights.table import Row, World, everyone


def prepare(world: World) -> None:
    """One notice of the teacher."""
    world.records["notice"] = Notice.objects.create(user=world.district.first.teacher, occasion="x", text="x", url="/")


ROWS = {
    "notices:list": Row(everyone(200)),
    "notices:open": Row({"teacher": 302}, method="post", args=lambda world: (world.records["notice"].pk,)),
    "notices:read_all": Row(everyone(302), method="post"),
}
