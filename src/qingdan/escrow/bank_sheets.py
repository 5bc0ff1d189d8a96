"""Workbooks about custody: agreements for the province, reconciled days, instructions for the bank."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Count, Q, Sum
from django.utils import timezone

from qingdan.charting.sheets import table_xlsx
from qingdan.escrow.enums import ContractState, SupervisionMode
from qingdan.escrow.models import Contract, CustodyAgreement, DayBalance

_FORMULA = ("=", "+", "-", "@")


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _yuan(fen: int | None) -> float | None:
    return None if fen is None else float(Decimal(fen) / 100)


def _note() -> str:
    return f"导出时间 {timezone.localtime():%Y-%m-%d %H:%M}"


def agreements_xlsx(rows: Iterable[tuple[CustodyAgreement, DayBalance | None]]) -> bytes:
    """Agreements with the sums of their contracts, what lies in custody, what should, and how much of it is covered."""
    found = list(rows)
    live = Q(state__in=[ContractState.SIGNED, ContractState.ACTIVE])
    contracts = Contract.objects.filter(agreement__in=[each for each, _ in found]).order_by().values("agreement")
    sums = {row["agreement"]: row for row in contracts.annotate(count=Count("pk", filter=live), fen=Sum("amount_fen", filter=live))}
    columns = (
        "机构", "主管部门", "监管方式", "银行", "监管账号", "开始", "结束", "暂停划拨", "在履行合同数", "合同金额（元）", "核对日期",
        "银行余额（元）", "账面应有（元）", "未消课预收费（元）", "储备金下限（元）", "覆盖率",
    )  # fmt: skip
    table = []
    for each, newest in found:
        row = sums.get(each.pk, {"count": 0, "fen": 0})
        table.append(
            [
                _harmless(each.institution.name), each.get_department_display(), each.get_mode_display(), _harmless(each.bank_name),
                each.account_number, f"{each.starts_on}", f"{each.ends_on or ''}", "是" if each.is_release_paused else "",
                row["count"], _yuan(row["fen"] or 0), f"{newest.on_date}" if newest else "", _yuan(newest.bank_fen) if newest else None,
                _yuan(newest.book_fen) if newest else None, _yuan(newest.owed_fen) if newest else None,
                _yuan(each.reserve_floor_fen) if each.mode == SupervisionMode.RESERVE else None, coverage_text(newest),
            ]
        )  # fmt: skip
    notes = [_note(), "覆盖率 = 银行余额 ÷ 未消课预收费；没有对账单的日子不算。"]
    return table_xlsx("监管协议", columns, table, notes=notes)


def coverage_text(newest: DayBalance | None) -> str:
    """What the bank has for each yuan that families are owed; empty where nobody knows, or nobody is owed anything."""
    if newest is None or newest.bank_fen is None or not newest.owed_fen:
        return ""
    return f"{newest.bank_fen * 100 / newest.owed_fen:.1f}%"


def days_xlsx(days: Iterable[DayBalance]) -> bytes:
    """Reconciled days."""
    columns = (
        "日期", "机构", "监管方式", "银行", "银行余额（元）", "账面应有（元）", "差额（元）", "未消课预收费（元）",
        "相符", "跨日", "不明", "缺失",
    )  # fmt: skip
    rows = [
        [
            f"{each.on_date}", _harmless(each.agreement.institution.name), each.agreement.get_mode_display(),
            _harmless(each.agreement.bank_name), _yuan(each.bank_fen), _yuan(each.book_fen), _yuan(each.gap_fen), _yuan(each.owed_fen),
            each.matched_count, each.late_count, each.unknown_count, each.missing_count,
        ]
        for each in days
    ]  # fmt: skip
    return table_xlsx("每日对账", columns, rows, notes=[_note()])
