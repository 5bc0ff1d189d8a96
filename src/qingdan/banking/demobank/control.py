"""What the demo bank can be told by those who demonstrate or test: the clock, accounts, movements, and how to misbehave."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping

from qingdan.banking.demobank.orders import Orders
from qingdan.banking.demobank.vault import Vault
from qingdan.banking.iso20022 import day_of
from qingdan.banking.messages import ACCOUNT, Line

_DAYS_MAX = 4000


class Control:
    """Carries out ``{"do": …}``; everything wrong with an order is a ValueError or a Refusal with a Chinese sentence."""

    def __init__(self, vault: Vault, orders: Orders) -> None:
        """Of one bank."""
        self._vault = vault
        self._acts: dict[str, Callable[[Mapping[str, object]], object]] = {
            "open": self._open,
            "day": self._day,
            "advance": self._advance,
            "present": lambda _: vault.live_in_the_present(),
            "deposit": self._deposit,
            "pay": lambda order: orders.pay(_text(order, "number")),
            "give_back": lambda order: vault.give_back(_text(order, "reference")),
            "release": lambda _: vault.release_held(),
            "fault": self._fault,
            "down": lambda _: vault.faults.plan("down", 1, {}),
            "up": lambda _: vault.faults.forget("down"),
            "reset": lambda _: vault.faults.forget(),
        }

    def obey(self, order: object) -> dict[str, object]:
        """Do it, and say how things stand."""
        if not isinstance(order, dict) or order.get("do") not in self._acts:
            raise ValueError(f"要写 do，可写：{'、'.join(self._acts)}")
        self._acts[str(order["do"])](order)
        return self.state()

    def state(self) -> dict[str, object]:
        """The bank's day, its accounts, and the misbehaviour to come."""
        return {"day": self._vault.day.isoformat(), "accounts": self._vault.accounts(), "faults": self._vault.faults.planned()}

    def _open(self, order: Mapping[str, object]) -> None:
        account, balance_fen = _text(order, "account"), _whole(order, "balance_fen", 0)
        if not ACCOUNT.fullmatch(account):
            raise ValueError(f"账号“{account}”不对")
        if balance_fen < 0:
            raise ValueError("开户余额不能是负数")
        last_statement = _whole(order, "last_statement", 0)
        if last_statement < 0:
            raise ValueError("上一份对账单的序号不能是负数")
        self._vault.open_account(account, _text(order, "name"), balance_fen, last_statement)

    def _day(self, order: Mapping[str, object]) -> None:
        self._move_to(day_of(_text(order, "day")))

    def _advance(self, order: Mapping[str, object]) -> None:
        self._move_to(self._vault.day + datetime.timedelta(days=min(_whole(order, "days", 1), _DAYS_MAX + 1)))

    def _move_to(self, day: datetime.date) -> None:
        if (day - self._vault.day).days > _DAYS_MAX:
            raise ValueError(f"一次最多前进 {_DAYS_MAX} 天")
        self._vault.move_to(day)

    def _deposit(self, order: Mapping[str, object]) -> None:
        amount_fen = _whole(order, "amount_fen", 0)
        if amount_fen <= 0:
            raise ValueError("存入金额应大于零")
        day = self._vault.day
        reference = str(order.get("reference") or "") or None
        name, other = str(order.get("name", "")), str(order.get("from_account", ""))
        line = Line("", reference, amount_fen, day, day, name, other, str(order.get("remittance", "")))
        self._vault.deposit(_text(order, "account"), line)

    def _fault(self, order: Mapping[str, object]) -> None:
        detail = {key: value for key, value in order.items() if key in {"reason", "days", "seconds"}}
        for key in ("days", "seconds"):
            if key in detail:
                _whole(detail, key, 0)
        self._vault.faults.plan(_text(order, "kind"), _whole(order, "times", 1), detail)


def _text(order: Mapping[str, object], key: str) -> str:
    value = order.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"缺少 {key}")
    return value


def _whole(order: Mapping[str, object], key: str, default: int) -> int:
    value = order.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{key} 应是整数")
    return value
