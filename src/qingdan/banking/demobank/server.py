"""The demo bank's doors: HTTP for the customer's program (with a token), and a page for the parent who pays (with the order's secret)."""

from __future__ import annotations

import dataclasses
import datetime
import http
import json
import logging
import re
import secrets
import time
import urllib.parse
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from qingdan.banking import camt053, pain001, pain002
from qingdan.banking.demobank import pages
from qingdan.banking.demobank.control import Control
from qingdan.banking.demobank.orders import Orders
from qingdan.banking.demobank.tables import Tables
from qingdan.banking.demobank.vault import Refusal, Vault
from qingdan.banking.iso20022 import day_of
from qingdan.banking.messages import CHINA, Answer, BankingFault, Order, Receipt

log = logging.getLogger(__name__)
_XML, _JSON, _HTML = "application/xml; charset=utf-8", "application/json; charset=utf-8", "text/html; charset=utf-8"
_BODY_MAX = 20 * 1024 * 1024
_HANG_SECONDS = 30
_LOCAL = {"localhost", "127.0.0.1", "[::1]"}
_ADDRESS = re.compile(r"(?P<origin>https?://(?P<host>[a-z0-9.-]+|\[::1\])(?::[0-9]{1,5})?)(?:/[!-\[\]-~]*)?")


class Unanswered(Exception):
    """The connection is to be closed without a word."""


class NotAllowed(Exception):
    """Wrong token, or a door that is not there."""

    def __init__(self, status: http.HTTPStatus, reason: str) -> None:
        """The status to answer with, and why."""
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Out:
    """What is answered. ``sent`` is how much of the body really goes out; None for all of it."""

    status: http.HTTPStatus
    kind: str = _JSON
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    sent: int | None = None


@dataclass(frozen=True)
class In:
    """What was asked: the parts of the path, the first value of each query field, and the body."""

    method: str
    parts: tuple[str, ...]
    query: dict[str, str]
    body: bytes


class DemoBank(ThreadingHTTPServer):
    """One bank on one port. ``return_origins``: where, besides this machine, the page may lead a parent back to."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        tables: Tables,
        place: tuple[str, int],
        *,
        token: str,
        day: datetime.date | None = None,
        return_origins: frozenset[str] = frozenset(),
    ) -> None:
        """Open the books (``day`` as for Vault) and listen; port 0 takes a free one."""
        super().__init__(place, _Handler)
        self.vault = Vault(tables, day=day)
        self.orders = Orders(self.vault, tables, self.page_of)
        self.control = Control(self.vault, self.orders)
        self.token, self.return_origins = token, return_origins
        #: What the outside calls it; set when a proxy stands before it.
        self.public_address = self.local_address

    @property
    def local_address(self) -> str:
        """Where it listens."""
        host, port = str(self.server_address[0]), int(self.server_address[1])
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def page_of(self, number: str, secret: str) -> str:
        """The address at which a parent pays an order."""
        return f"{self.public_address}/orders/{urllib.parse.quote(number)}/pay?key={urllib.parse.quote(secret)}"

    def answer(self, asked: In, token: str) -> Out:
        """What to answer; raise NotAllowed, Refusal, ValueError, BankingFault or Unanswered."""
        match (asked.method, *asked.parts):
            case ("GET", "style.css"):
                return Out(http.HTTPStatus.OK, "text/css; charset=utf-8", pages.STYLE.encode())
            case ("GET" | "POST", "orders", number, "pay"):
                return self._pay(asked, number)
        if not secrets.compare_digest(token.encode(), f"Bearer {self.token}".encode()):
            raise NotAllowed(http.HTTPStatus.UNAUTHORIZED, "口令不对")
        match (asked.method, *asked.parts):
            case ("POST", "control"):
                return _json(self.control.obey(_loaded(asked.body)))
            case ("GET", "control"):
                return _json(self.control.state())
        self._misbehave()
        match (asked.method, *asked.parts):
            case ("POST", "payments"):
                return self._instruct(asked.body)
            case ("GET", "payments", reference):
                return self._report([self.vault.answer_for(reference)], "ASKED")
            case ("GET", "statements", account):
                return self._statements(account, day_of(asked.query.get("since", "")))
            case ("POST", "orders"):
                return _receipt(self.orders.take(self._order(_loaded(asked.body))))
            case ("GET", "orders", number):
                return _receipt(self.orders.receipt(number))
        raise NotAllowed(http.HTTPStatus.NOT_FOUND, "没有这个地址")

    def _misbehave(self) -> None:
        if self.vault.faults.is_planned("down"):
            raise Unanswered
        if self.vault.faults.take("error") is not None:
            raise RuntimeError("told to fail")

    def _instruct(self, body: bytes) -> Out:
        message = pain001.read_message(body)
        # Taken first: who kills the bank while it hangs finds it mended.
        hang, error = self.vault.faults.take("hang_after"), self.vault.faults.take("error_after")
        answers = self.vault.instruct(message.instructions)
        log.info("demobank.instructed message=%s count=%d", message.message_id, len(answers))
        if hang is not None:
            time.sleep(float(str(hang.get("seconds", _HANG_SECONDS))))
            raise Unanswered
        if error is not None:
            raise RuntimeError("told to fail after booking")
        return self._report(answers, message.message_id)

    def _report(self, answers: list[Answer], message_id: str) -> Out:
        now = datetime.datetime.now(CHINA)
        return self._xml(pain002.write(answers, original_message_id=message_id, created_at=now))

    def _statements(self, account: str, since: datetime.date) -> Out:
        statements = self.vault.statements(account, since)
        if not statements:
            return Out(http.HTTPStatus.NO_CONTENT)
        return self._xml(camt053.write(self.vault.faults.spoil(statements)))

    def _xml(self, body: bytes) -> Out:
        if self.vault.faults.take("cut") is not None:
            return Out(http.HTTPStatus.OK, _XML, body[: len(body) * 3 // 5])
        sent = len(body) // 2 if self.vault.faults.take("drop") is not None else None
        return Out(http.HTTPStatus.OK, _XML, body, sent=sent)

    def _order(self, told: object) -> Order:
        names = {field.name for field in dataclasses.fields(Order)}
        if not isinstance(told, dict) or set(told) != names:
            raise ValueError(f"付款单要有且只有：{'、'.join(sorted(names))}")
        if not isinstance(told["amount_fen"], int) or not all(isinstance(told[name], str) for name in names - {"amount_fen"}):
            raise ValueError("付款单的 amount_fen 应是整数，其他应是文字")
        order = Order(**told)
        if not self._may_return_to(order.return_address):
            raise ValueError("付款后返回的地址不在允许之列")
        return order

    def _may_return_to(self, address: str) -> bool:
        """Only a plain address: it goes into a header and into the page's own rules."""
        found = _ADDRESS.fullmatch(address)
        return found is not None and (found["host"] in _LOCAL or found["origin"] in self.return_origins)

    def _pay(self, asked: In, number: str) -> Out:
        secret = asked.query.get("key", "")
        try:
            order, payee, is_paid = self.orders.shown(number, secret)
            if asked.method == "POST":
                self.orders.pay(number)
                log.info("demobank.paid order=%s", number)
                return Out(http.HTTPStatus.SEE_OTHER, headers=(("Location", pages.returning(order)),))
        except Refusal as refusal:
            return _page(http.HTTPStatus.NOT_FOUND, pages.problem(str(refusal)))
        parts = urllib.parse.urlsplit(order.return_address)
        return _page(http.HTTPStatus.OK, pages.paying(order, payee, is_paid=is_paid), f" {parts.scheme}://{parts.netloc}")


class _Handler(BaseHTTPRequestHandler):
    """Reads a request, writes an answer."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "DemoBank", ""
    timeout = 60
    server: DemoBank

    def do_GET(self) -> None:
        """Answer."""
        self._serve(b"")

    def do_POST(self) -> None:
        """Read the body and answer."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _BODY_MAX:
            self.close_connection = True
            return self._write(_problem(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "请求没有长度，或超过 20 MB"))
        return self._serve(self.rfile.read(int(length)))

    def _serve(self, body: bytes) -> None:
        parts = urllib.parse.urlsplit(self.path)
        path = tuple(urllib.parse.unquote(part) for part in parts.path.strip("/").split("/"))
        query = {key: values[0] for key, values in urllib.parse.parse_qs(parts.query).items()}
        try:
            self.server.vault.catch_up()
            out = self.server.answer(In(self.command, path, query, body), self.headers.get("Authorization", ""))
        except Unanswered:
            self.close_connection = True
            return
        except NotAllowed as refusal:
            out = _problem(refusal.status, str(refusal))
        except Refusal as refusal:
            out = _problem(http.HTTPStatus.CONFLICT, str(refusal))
        except (ValueError, BankingFault) as error:
            out = _problem(http.HTTPStatus.BAD_REQUEST, str(error))
        except Exception:
            log.exception("demobank.failed path=%s", parts.path)
            out = _problem(http.HTTPStatus.INTERNAL_SERVER_ERROR, "演示银行出错")
        self._write(out)

    def _write(self, out: Out) -> None:
        self.send_response(out.status)
        if out.status is not http.HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", out.kind)
            self.send_header("Content-Length", str(len(out.body)))
        for name, value in (*out.headers, ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")):
            self.send_header(name, value)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if out.sent is not None:
            self.close_connection = True
        self.wfile.write(out.body[: out.sent])

    def log_message(self, format: str, *args: object) -> None:
        """Without the secrets that stand in addresses."""
        log.debug("demobank.request %s %s", self.command, urllib.parse.urlsplit(self.path).path)


def _loaded(body: bytes) -> object:
    try:
        loaded: object = json.loads(body)
    except ValueError:
        raise ValueError("内容不是 JSON") from None
    return loaded


def _json(told: object, status: http.HTTPStatus = http.HTTPStatus.OK) -> Out:
    return Out(status, _JSON, json.dumps(told, ensure_ascii=False, default=str).encode())


def _receipt(receipt: Receipt) -> Out:
    return _json(dataclasses.asdict(receipt))


def _problem(status: http.HTTPStatus, reason: str) -> Out:
    return _json({"reason": reason}, status)


def _page(status: http.HTTPStatus, text: str, form_action: str = "") -> Out:
    policy = f"default-src 'none'; style-src 'self'; form-action 'self'{form_action}; frame-ancestors 'none'; base-uri 'none'"
    return Out(status, _HTML, text.encode(), (("Content-Security-Policy", policy),))
