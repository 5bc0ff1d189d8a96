"""Jobs that speak with banks. Procrastinate reads a cron line in UTC; China is eight hours ahead, whatever the machine says."""

from __future__ import annotations

import datetime
import logging

from procrastinate.contrib.django import app

from qingdan.escrow import demo_accounts
from qingdan.escrow.actions import balancing, dispatching, gaps, paying, reconciling
from qingdan.escrow.enums import ContractState, OrderState
from qingdan.escrow.models import BankInstruction, PaymentOrder
from qingdan.places.calendar import today
from qingdan.storage.connections import own_connection

log = logging.getLogger(__name__)
#: An order that nobody has paid for so many days is no longer asked about; a late payment shows on the statement.
_DAYS_ASKED = 3
_ORDERS_AT_ONCE = 200


@app.periodic(cron="* * * * *")
@app.task(name="escrow.dispatch", queue="upkeep", lock="escrow.dispatch")
def dispatch(timestamp: int) -> None:
    """Send what waits and ask about what is open; a bank that is down is left alone for longer each time."""
    with own_connection():
        try:
            demo_accounts.open_missing()
        except (OSError, ValueError) as problem:
            log.warning("escrow.demo_accounts.failed %s", problem)
        dispatching.dispatch()


@app.task(name="escrow.dispatch_now", queue="upkeep", lock="escrow.dispatch")
def dispatch_now() -> None:
    """Send what waits, and ask about all that is open, whether its time has come or not."""
    with own_connection():
        dispatching.dispatch(only=list(BankInstruction.objects.to_tell().values_list("pk", flat=True)))


@app.periodic(cron="*/5 * * * *")
@app.task(name="escrow.ask_about_orders", queue="upkeep", lock="escrow.ask_about_orders")
def ask_about_orders(timestamp: int) -> None:
    """Families who have paid and closed the page: the bank knows."""
    with own_connection():
        since = today() - datetime.timedelta(days=_DAYS_ASKED)
        waiting = PaymentOrder.objects.filter(state=OrderState.WAITING, contract__state=ContractState.SIGNED, created_at__date__gte=since)
        for order in waiting.select_related("contract__agreement").order_by("-pk")[:_ORDERS_AT_ONCE]:
            if (asked := paying.check(order)).problem:
                log.warning("escrow.order.open order=%s %s", order.reference, asked.problem)


# Half past one in the morning in China, when banks have written their statements; again later for those that were down.
@app.periodic(cron="30 17,18,20,22 * * *")
@app.task(name="escrow.fetch_statements", queue="upkeep", lock="escrow.fetch_statements")
def fetch_statements(timestamp: int) -> None:
    """Take in what is new, explain the lines, reckon the days and the gaps; a second run finds nothing new."""
    with own_connection():
        fetch_and_reckon()


@app.task(name="escrow.fetch_statements_now", queue="upkeep", lock="escrow.fetch_statements")
def fetch_statements_now() -> None:
    """The same when somebody asks for it."""
    with own_connection():
        fetch_and_reckon()


@app.task(name="escrow.reckon_now", queue="upkeep", lock="escrow.fetch_statements")
def reckon_now() -> None:
    """Without asking a bank."""
    with own_connection():
        reconciling.match_open()
        balancing.balance_all()
        gaps.reckon()


def fetch_and_reckon() -> list[str]:
    """All accounts that may still move; the answer is what went wrong, in words."""
    problems: list[str] = []
    asked: set[str] = set()
    for agreement in balancing.alive():
        if agreement.account_number not in asked:
            asked.add(agreement.account_number)
            problems += reconciling.fetch(agreement).problems
    reconciling.match_open()
    balancing.balance_all()
    gaps.reckon()
    for problem in problems:
        log.warning("escrow.statements.problem %s", problem)
    return problems
