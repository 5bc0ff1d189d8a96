"""Payment orders of the demo bank: a family is asked for money, pays it on a page, and the customer gets a receipt."""

from __future__ import annotations

import datetime
import hashlib
import json
import secrets
import sqlite3
from collections.abc import Callable

from qingdan.banking.demobank.tables import Tables
from qingdan.banking.demobank.vault import Refusal, Vault, content_of
from qingdan.banking.messages import Line, Order, OrderStatus, Receipt


class Orders:
    """The orders of one bank. ``address_of`` makes the address of an order's page of its number and its secret."""

    def __init__(self, vault: Vault, tables: Tables, address_of: Callable[[str, str], str]) -> None:
        """In the tables of the vault."""
        self._vault, self._tables, self._address_of = vault, tables, address_of

    def take(self, order: Order) -> Receipt:
        """Take an order; one that is known stands. Raise Refusal when its number means another, or there is no such account."""
        with self._tables.transaction():
            content = content_of(order)
            row = self._tables.one("SELECT content FROM orders WHERE number = ?", order.number)
            if row is not None and row["content"] != content:
                raise Refusal(f"付款单号 {order.number} 已用于另一张内容不同的付款单")
            if row is None:
                if self._vault.account(order.account) is None:
                    raise Refusal(f"没有收款账户 {order.account}")
                # A fictional account for each payer, always the same one, so that refunds go back to where the money came from.
                digits = int(hashlib.sha256(order.payer_name.encode()).hexdigest(), 16) % 10**15
                self._tables.run(
                    "INSERT INTO orders VALUES (?, ?, ?, 'open', NULL, NULL, ?)",
                    *(order.number, content, secrets.token_urlsafe(24), f"6200{digits:015}"),
                )
            return self.receipt(order.number)

    def receipt(self, number: str) -> Receipt:
        """Where an order stands; raise Refusal when there is none."""
        row, order = self._found(number)
        is_paid = row["status"] == OrderStatus.PAID
        return Receipt(
            number=number,
            status=OrderStatus(row["status"]),
            amount_fen=order.amount_fen,
            pay_address=self._address_of(number, row["secret"]),
            bank_reference=row["bank_reference"],
            paid_on=datetime.date.fromisoformat(row["paid_on"]) if is_paid else None,
            payer_name=order.payer_name if is_paid else "",
            payer_account=row["payer_account"] if is_paid else "",
        )

    def shown(self, number: str, secret: str) -> tuple[Order, str, bool]:
        """The order, the name of the account and whether it is paid, for who has the secret; raise Refusal for anybody else."""
        row, order = self._found(number)
        if not secrets.compare_digest(row["secret"].encode(), secret.encode()):
            raise Refusal(f"没有付款单 {number}")
        account = self._vault.account(order.account)
        assert account is not None
        return order, account["name"], row["status"] == OrderStatus.PAID

    def pay(self, number: str) -> Order:
        """The family pays: once, however often she presses."""
        with self._tables.transaction():
            row, order = self._found(number)
            if row["status"] == OrderStatus.OPEN:
                day, reference = self._vault.day, self._vault.new_reference()
                line = Line(reference, number, order.amount_fen, day, day, order.payer_name, row["payer_account"], order.remittance)
                self._vault.enter(order.account, line)
                self._tables.run(
                    "UPDATE orders SET status = 'paid', bank_reference = ?, paid_on = ? WHERE number = ?",
                    *(reference, day.isoformat(), number),
                )
            return order

    def _found(self, number: str) -> tuple[sqlite3.Row, Order]:
        row = self._tables.one("SELECT * FROM orders WHERE number = ?", number)
        if row is None:
            raise Refusal(f"没有付款单 {number}")
        return row, Order(**json.loads(row["content"]))
