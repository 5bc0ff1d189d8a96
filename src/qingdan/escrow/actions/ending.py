"""What every act on a contract shares: its lock, and its end when nothing is left of it."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable

from qingdan.accounts.enums import Role
from qingdan.accounts.models import Organisation, User
from qingdan.escrow.enums import ContractState, RefundState
from qingdan.escrow.models import Contract, Refund
from qingdan.escrow.standing import standing_of

log = logging.getLogger(__name__)
_REASONS = {ContractState.COMPLETED: "课时已上完", ContractState.REFUNDED: "剩余课时已退费"}


def lock(contract_id: int) -> Contract:
    """Hold a contract until the transaction ends: whoever gives, takes back or pays waits here, then at the ledger's book."""
    return lock_all([contract_id])[0]


def lock_all(numbers: Iterable[int]) -> list[Contract]:
    """Hold several, always in the same order."""
    found = Contract.objects.filter(pk__in=list(numbers)).select_related("institution", "agreement", "guardian")
    return list(found.order_by("pk").select_for_update(no_key=True, of=("self",)))


def end_if_nothing_is_left(contract: Contract, *, state: ContractState, on: datetime.date) -> None:
    """End a contract in which no lesson is left, by what took the last one: a lesson, or a refund that has arrived."""
    if contract.state != ContractState.ACTIVE or standing_of(contract).left:
        return
    contract.state, contract.ended_on, contract.end_reason = state, on, _REASONS[state]
    contract.save(update_fields=["state", "ended_on", "end_reason"])
    log.info("escrow.contract.ended contract=%s state=%s", contract.pk, contract.state)


def mark_paid(refund: Refund, *, on: datetime.date) -> None:
    """The family has its money. The contract is locked already."""
    refund.state, refund.refunded_on, refund.refunded_fen = RefundState.PAID, on, refund.due_fen
    refund.save()
    end_if_nothing_is_left(refund.contract, state=ContractState.REFUNDED, on=on)
    log.info("escrow.refund.paid refund=%s fen=%s on=%s", refund.pk, refund.refunded_fen, on)


def clerks_of(institution: Organisation) -> list[User]:
    """Who is told of what concerns an institution."""
    return list(institution.users.filter(role=Role.INSTITUTION, is_active=True))
