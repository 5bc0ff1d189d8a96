"""Charts of the registry are for those who oversee institutions; lists are taken along by those who may see them."""

from __future__ import annotations

from tests.institutions.making import make_institution
from tests.rights.table import Row, World, everyone


def prepare(world: World) -> None:
    """There is something to draw."""
    make_institution(world.district.region)


ROWS = {
    "institutions:charts": Row({"bureau": 200}),
    "institutions:chart": Row({"bureau": 200}, args=lambda world: ("by-field",)),
    "institutions:chart_table": Row({"bureau": 200}, args=lambda world: ("by-field",)),
    "institutions:queue_export": Row({"bureau": 200}),
    "institutions:permits_export": Row({"bureau": 200, "institution": 200}),
    "institutions:courses_export": Row({"bureau": 200, "institution": 200}),
    "directory:lists_export": Row(everyone(200), nobody=200),
}
