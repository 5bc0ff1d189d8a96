"""Who may open agreements, payments, statements and reconciliation."""

from __future__ import annotations

from collections.abc import Callable

from qingdan.escrow.actions import balancing, gaps, reconciling
from qingdan.escrow.models import BankLine, DayBalance, MoneyGap
from tests.district import MONDAY
from tests.escrow.banking import make_instruction, make_line, make_order, make_statement
from tests.escrow.making import make_agreement
from tests.rights.table import Row, World


def prepare(world: World) -> None:
    """The institution of the cast is in custody; a family of the first school has an order; a statement with an open line."""
    district, clerk = world.district, world.institution
    owner, parent = clerk.employer, district.first.parent
    owner.region_code = district.region.code
    owner.save()
    agreement = make_agreement(owner, district.bureau)
    order = make_order(agreement, parent, clerk)
    make_instruction(agreement)
    taken = reconciling.take_in(make_statement(agreement, make_line("", 100)), agreements=[agreement])
    reconciling.match_open()
    balancing.balance(agreement, since=MONDAY, until=MONDAY)
    gaps.reckon()
    world.records |= {
        "agreement": agreement.pk, "order": order.reference, "statement": taken.statement.pk, "line": BankLine.objects.get().pk,
        "day": DayBalance.objects.get().pk, "gap": MoneyGap.objects.get(institution=owner).pk,
    }  # fmt: skip


def of(name: str) -> Callable[[World], tuple[object]]:
    """A record as the address's argument."""
    return lambda world: (world.records[name],)


WATCHERS = {"bureau": 200, "institution": 200}
OFFICERS = {"bureau": 200}
SENT = {"bureau": 302}
MISSING = {"bureau": 422}
ROWS = {
    "escrow:pay": Row({"parent": 200}, args=of("order")),
    # There is no bank in these tests: who may ask is told that nobody answers.
    "escrow:pay_back": Row({"parent": 503}, args=of("order")),
    "escrow:agreements": Row(WATCHERS),
    "escrow:agreements_export": Row(WATCHERS),
    "escrow:agreement_new": Row(OFFICERS),
    "escrow:agreement": Row(WATCHERS, args=of("agreement")),
    "escrow:agreement_change": Row(OFFICERS, args=of("agreement")),
    "escrow:agreement_end": Row(MISSING, method="post", args=of("agreement")),
    "escrow:agreement_pause": Row(MISSING, method="post", args=of("agreement")),
    "escrow:instructions": Row(WATCHERS),
    "escrow:instructions_send": Row(SENT, method="post"),
    "escrow:instructions_export": Row(OFFICERS),
    "escrow:statements": Row(WATCHERS),
    "escrow:statements_fetch": Row(SENT, method="post"),
    "escrow:bank_statement": Row(WATCHERS, args=of("statement")),
    "escrow:lines": Row(WATCHERS),
    "escrow:line": Row(WATCHERS, args=of("line")),
    "escrow:days": Row(WATCHERS),
    "escrow:days_export": Row(WATCHERS),
    "escrow:days_reckon": Row(SENT, method="post"),
    "escrow:day": Row(WATCHERS, args=of("day")),
    "escrow:gaps": Row(OFFICERS),
    "escrow:gap": Row(OFFICERS, args=of("gap")),
}
