"""Who may open what of the calendar."""

from __future__ import annotations

from tests.rights.table import Row, everyone

_DAYS = {"days": "2026-11-17", "kind": "holiday"}

ROWS: dict[str, Row] = {
    "places:calendar": Row(everyone(200)),
    "places:edit": Row({"bureau": 200}),
    "places:start": Row({"bureau": 302}, method="post"),
    "places:undo": Row({"bureau": 302}, method="post"),
    "places:save_year": Row({"bureau": 400}, method="post", args=lambda world: (2026,)),
    "places:add_days": Row({"bureau": 302}, method="post", args=lambda world: (2026,), data=lambda world: dict(_DAYS)),
    "places:fill_days": Row({"bureau": 400}, method="post", args=lambda world: (2026,)),
    "places:remove_days": Row({"bureau": 302}, method="post", args=lambda world: (2026,)),
}
