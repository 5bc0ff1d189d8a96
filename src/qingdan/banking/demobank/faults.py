"""What the demo bank was told to do wrong, and how wrong statements are made of right ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from qingdan.banking.demobank.tables import Tables
from qingdan.banking.messages import Statement

#: Kind -> what the next answers, instructions or requests will be like.
KINDS = {
    "refuse": "拒绝后面几笔指令（可给 reason）",
    "delay": "后面几笔指令先不入账（days 个日历日之后入账；不给 days 就等到 release）",
    "error": "后面几次请求答 500，什么也不做",
    "error_after": "后面几次付款请求照办，却答 500",
    "hang_after": "后面几次付款请求照办，却不答复（seconds 秒后断开）",
    "repeat_line": "对账单里一笔出现两次",
    "repeat_statement": "一份对账单出现两次",
    "reorder": "对账单和其中各笔的次序颠倒",
    "wrong_sum": "对账单期末余额差一分",
    "cut": "后面几次 XML 答复从中间截断，长度说得像是完整的",
    "drop": "后面几次 XML 答复发到一半断开",
    "down": "停机：不答复任何请求，直到 up",
}


class Faults:
    """The orders to misbehave, kept on the disk: a killed bank goes on misbehaving."""

    def __init__(self, tables: Tables) -> None:
        """Use the bank's tables."""
        self._tables = tables

    def plan(self, kind: str, times: int, detail: dict[str, object]) -> None:
        """Misbehave so the next ``times`` times; raise ValueError for an unknown kind."""
        if kind not in KINDS:
            raise ValueError(f"没有“{kind}”这一种故障；可写：{'、'.join(KINDS)}")
        if not 1 <= times <= 1_000_000:
            raise ValueError("次数应在 1 至 1000000 之间")
        self._tables.run("INSERT INTO faults (kind, times, detail) VALUES (?, ?, ?)", kind, times, json.dumps(detail))

    def take(self, kind: str) -> dict[str, object] | None:
        """Whether to misbehave so now, with the details; it counts as done."""
        with self._tables.transaction():
            row = self._tables.one("SELECT number, detail FROM faults WHERE kind = ? AND times > 0 ORDER BY number", kind)
            if row is None:
                return None
            self._tables.run("UPDATE faults SET times = times - 1 WHERE number = ?", row["number"])
            detail: dict[str, object] = json.loads(row["detail"])
            return detail

    def is_planned(self, kind: str) -> bool:
        """Whether there is an order to misbehave so; it stays."""
        return self._tables.one("SELECT 1 FROM faults WHERE kind = ? AND times > 0", kind) is not None

    def forget(self, kind: str | None = None) -> None:
        """Behave again, in one way or in all."""
        self._tables.run("DELETE FROM faults WHERE ?1 IS NULL OR kind = ?1", kind)

    def planned(self) -> dict[str, int]:
        """Kind -> how many times it is still to come."""
        rows = self._tables.all("SELECT kind, sum(times) AS times FROM faults WHERE times > 0 GROUP BY kind ORDER BY kind")
        return {row["kind"]: row["times"] for row in rows}

    def spoil(self, statements: Sequence[Statement]) -> list[Statement]:
        """What is delivered instead of these statements; an order that finds nothing to spoil waits."""
        spoiled = list(statements)
        filled = next((place for place in reversed(range(len(spoiled))) if spoiled[place].lines), None)
        if filled is not None and self.take("repeat_line") is not None:
            one = spoiled[filled]
            spoiled[filled] = replace(one, lines=(*one.lines, one.lines[0]))
        if spoiled and self.take("wrong_sum") is not None:
            spoiled[-1] = replace(spoiled[-1], closing_fen=spoiled[-1].closing_fen + 1)
        if spoiled and self.take("repeat_statement") is not None:
            spoiled.append(spoiled[-1])
        if spoiled and self.take("reorder") is not None:
            spoiled = [replace(one, lines=one.lines[::-1]) for one in reversed(spoiled)]
        return spoiled
