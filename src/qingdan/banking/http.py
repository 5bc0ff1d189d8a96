"""A bank that is spoken to over HTTP with ISO 20022 bodies; payment orders in JSON.

    POST /payments                  pain.001 -> pain.002
    GET  /payments/<reference>      -> pain.002 about one reference
    GET  /statements/<account>?since=2026-11-16   -> camt.053, or 204 when there is none
    POST /orders                    {number, amount_fen, account, payer_name, remittance, return_address} -> the order as it stands
    GET  /orders/<number>           -> {number, status, amount_fen, pay_address, bank_reference, paid_on, payer_name, payer_account}

Nothing is tried twice here: whoever calls knows what may be repeated and when.
"""

from __future__ import annotations

import datetime
import http.client
import json
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from qingdan.banking import camt053, pain001, pain002
from qingdan.banking.adapter import BankDown, BankRefused
from qingdan.banking.iso20022 import SIZE_MAX, day_of
from qingdan.banking.messages import (
    Answer,
    AnswerFault,
    Instruction,
    Order,
    OrderStatus,
    Receipt,
    Statement,
    StatementFault,
    in_order,
    plain,
    together,
)
from qingdan.banking.money import shortened

_XML, _JSON = "application/xml; charset=utf-8", "application/json"
_LOCAL = {"localhost", "127.0.0.1", "::1"}
#: Refusals that pass: too slow, too many.
_PASSING = {http.client.REQUEST_TIMEOUT, http.client.TOO_EARLY, http.client.TOO_MANY_REQUESTS}
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Reply:
    """What the bank sent back, whole."""

    status: int
    body: bytes


class HttpBank:
    """See the module. ``token`` goes into the Authorization header; ``timeout_seconds`` is the most that one request may take."""

    def __init__(
        self,
        address: str,
        *,
        token: str,
        timeout_seconds: float = 15,
        now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        """Raise ValueError for an address that is none, or that would carry money over the open net without encryption."""
        parts = urllib.parse.urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"银行地址“{address}”不对，应以 https:// 开头")
        if parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise ValueError(f"银行地址“{address}”没有加密；只有本机的演示银行可以用 http://")
        self._parts, self._token, self._timeout_seconds, self._now = parts, token, timeout_seconds, now

    def submit(self, instructions: Sequence[Instruction]) -> list[Answer]:
        """One pain.001 with all of them; a report that cannot be read leaves it open what happened, so it is BankDown."""
        if not instructions:
            return []
        message = pain001.write(instructions, created_at=self._now())
        with self._connected() as connection:
            body = self._exchange(connection, "POST", "/payments", message, _XML)
        return _report(body).about([one.reference for one in instructions])

    def ask(self, references: Sequence[str]) -> list[Answer]:
        """One question after the other on one connection."""
        answers: list[Answer] = []
        with self._connected() as connection:
            for reference in references:
                body = self._exchange(connection, "GET", f"/payments/{urllib.parse.quote(reference, safe='')}")
                answers += _report(body).about([reference])
        return answers

    def statements(self, account: str, *, since: datetime.date) -> list[Statement]:
        """All that end on ``since`` or later."""
        path = f"/statements/{urllib.parse.quote(account, safe='')}?since={since.isoformat()}"
        with self._connected() as connection:
            body = self._exchange(connection, "GET", path)
        faults: list[StatementFault] = []
        try:
            found = camt053.read(body) if body else []
        except StatementFault as fault:
            faults, found = [fault, *fault.others], list(fault.sound)
        faults += [one.fault(f"要的是账户 {account} 的对账单") for one in found if one.account != account]
        try:
            statements = in_order(one for one in found if one.account == account)
        except StatementFault as fault:
            faults, statements = [*faults, fault, *fault.others], list(fault.sound)
        if faults:
            raise together(faults, statements)
        return statements

    def collect(self, order: Order) -> Receipt:
        """The same order again is the order that stands; other content under its number is BankRefused."""
        asked = {
            "number": order.number,
            "amount_fen": order.amount_fen,
            "account": order.account,
            "payer_name": order.payer_name,
            "remittance": order.remittance,
            "return_address": order.return_address,
        }
        with self._connected() as connection:
            return _receipt(self._exchange(connection, "POST", "/orders", json.dumps(asked).encode(), _JSON), order.number)

    def collected(self, number: str) -> Receipt:
        """As the bank sees it now."""
        with self._connected() as connection:
            return _receipt(self._exchange(connection, "GET", f"/orders/{urllib.parse.quote(number, safe='')}"), number)

    @contextmanager
    def _connected(self) -> Iterator[http.client.HTTPConnection]:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(str(self._parts.hostname), self._parts.port, timeout=self._timeout_seconds)
        try:
            yield connection
        except (TimeoutError, OSError, http.client.HTTPException) as error:
            slow = isinstance(error, TimeoutError)
            what = f"在 {self._timeout_seconds:g} 秒内没有答复" if slow else "连不上，或答复到一半断了"
            raise BankDown(f"银行{what}；这次的结果不明，稍后再查询") from error
        finally:
            connection.close()

    def _exchange(self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        """The body of a good reply; raise BankDown or BankRefused for any other."""
        until = time.monotonic() + self._timeout_seconds
        headers = {"Authorization": f"Bearer {self._token}", "Accept": f"{_XML}, {_JSON}"} | ({"Content-Type": kind} if kind else {})
        connection.request(method, self._parts.path.rstrip("/") + path, body, headers)
        reply = _whole(connection.getresponse(), until)
        if reply.status in {http.client.OK, http.client.CREATED, http.client.ACCEPTED, http.client.NO_CONTENT}:
            return reply.body
        if 400 <= reply.status < 500 and reply.status not in _PASSING:
            raise BankRefused(f"银行拒绝了请求（{reply.status}）：{_said(reply.body)}")
        raise BankDown(f"银行答复 {reply.status}，没有办成；这次的结果不明，稍后再查询")


def _whole(response: http.client.HTTPResponse, until: float) -> Reply:
    """The reply; raise TimeoutError when it drips in too slowly, HTTPException when it is cut off or endless."""
    body = b""
    while chunk := response.read1(_CHUNK):
        body += chunk
        if len(body) > SIZE_MAX:
            raise http.client.HTTPException("the reply is larger than any message")
        if time.monotonic() > until:
            raise TimeoutError
    if response.length:  # what the head promised and the body did not bring
        raise http.client.IncompleteRead(body, response.length)
    response.close()  # so that the connection can be used for the next question
    return Reply(response.status, body)


def _report(body: bytes) -> pain002.Report:
    try:
        return pain002.read_report(body)
    except AnswerFault as fault:
        raise BankDown(f"银行的回单读不出来（{fault}）；这次的结果不明，稍后再查询") from fault


def _receipt(body: bytes, number: str) -> Receipt:
    """The receipt in a JSON body; raise BankDown when it is none, or about another order."""
    try:
        told = json.loads(body)
        found = Receipt(
            number=str(told["number"]),
            status=OrderStatus(told["status"]),
            amount_fen=int(told["amount_fen"]),
            pay_address=str(told["pay_address"]),
            bank_reference=told.get("bank_reference") or None,
            paid_on=day_of(told["paid_on"]) if told.get("paid_on") else None,
            payer_name=plain(str(told.get("payer_name", ""))),
            payer_account=str(told.get("payer_account", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BankDown("银行的答复读不出来；这次的结果不明，稍后再查询") from error
    if urllib.parse.urlsplit(found.pay_address).scheme not in {"http", "https"}:
        raise BankDown(f"银行给的付款页面地址“{shortened(found.pay_address)}”不对；稍后再查询")
    if found.number != number:
        raise BankDown(f"问的是付款单 {number}，银行却答了 {shortened(found.number)}；稍后再查询")
    if found.status is OrderStatus.PAID and (found.bank_reference is None or found.paid_on is None):
        raise BankDown(f"银行说付款单 {number} 已付，却没有流水号或日期；稍后再查询")
    return found


def _said(body: bytes) -> str:
    """The reason in a refusal: JSON with ``reason``, or the beginning of the text."""
    text = body.decode("utf-8", "replace")
    with suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(text)["reason"])
    return shortened(text, 200) or "没有说明原因"
