"""The demonstration's bank has an account for every agreement: opened there with what its last statement or the book says lies on it."""

from __future__ import annotations

import logging

from django.conf import settings

from qingdan.banking.demobank.running import Desk
from qingdan.escrow import books
from qingdan.escrow.enums import BankChannel, SupervisionMode
from qingdan.escrow.models import BankStatement, CustodyAgreement

log = logging.getLogger(__name__)


def _standing(account: str) -> tuple[int, int]:
    """What lies on an account, and the number of its last statement: 0 without one, and then the book is asked."""
    last = BankStatement.objects.filter(agreement__account_number=account).order_by("sequence_number").last()
    if last is not None:
        return last.closing_fen, last.sequence_number
    own = CustodyAgreement.objects.filter(account_number=account).select_related("institution")
    return sum(books.due_at_bank_fen(one) for one in own), 0


def open_missing() -> int:
    """Open the accounts that the demo bank does not know; the answer is how many. Nothing outside a demonstration.

    Raises OSError when the bank is not there.
    """
    if not (settings.DEMO and settings.BANK_URL):
        return 0
    desk = Desk(settings.BANK_URL, settings.BANK_TOKEN)
    accounts = desk.state()["accounts"]
    assert isinstance(accounts, list)
    known, opened = {one["account"] for one in accounts}, 0
    for agreement in CustodyAgreement.objects.filter(channel=BankChannel.HTTP).select_related("institution").order_by("pk"):
        mode = SupervisionMode(agreement.mode).label
        for account, name in (
            (agreement.account_number, f"{agreement.institution.name} {mode}专户"),
            (agreement.settlement_account, agreement.settlement_name),
        ):
            if account in known:
                continue
            balance_fen, last_statement = _standing(account)
            desk.open_account(account, name, balance_fen=max(0, balance_fen), last_statement=last_statement)
            known.add(account)
            opened += 1
    log.info("escrow.demo_accounts.opened count=%s", opened)
    return opened
