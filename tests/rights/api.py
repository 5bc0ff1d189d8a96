"""The API opens by a token, never by a session; its description is public. What tokens may do stands in tests/api."""

from __future__ import annotations

from typing import Any

from tests.rights.table import Row, everyone


def _closed(method: str = "get", *args: Any) -> Row:
    return Row({}, method=method, args=lambda world: args, others=401, nobody=401)


ROWS = {
    "api:home": Row(everyone(200), nobody=200),
    "api:openapi-json": Row(everyone(200), nobody=200),
    "api:missing": Row({}, args=lambda world: ("nothing",), nobody=404),
    "api:classes": _closed(),
    "api:day_total": _closed("get", 1, "2026-11-17"),
    "api:homework": _closed(),
    "api:homework_enter": _closed("post"),
    "api:homework_one": _closed("get", 1),
    "api:homework_change": _closed("patch", 1),
    "api:homework_withdraw": _closed("post", 1),
    "api:disclosures": _closed(),
    "api:disclosure_publish": _closed("post"),
    "api:disclosure_one": _closed("get", 1),
    "api:findings": _closed(),
    "api:finding_one": _closed("get", 1),
    "api:finding_answer": _closed("post", 1),
}
