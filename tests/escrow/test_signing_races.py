"""Two who sign or end at once: one of them does it, the other finds it done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connections

from qingdan.accounts.models import User
from qingdan.escrow.actions.payments import received
from qingdan.escrow.actions.signing import cancel, offer, sign
from qingdan.escrow.models import Contract, CustodyAgreement, PaymentOrder
from qingdan.institutions.models import Course
from qingdan.ledger.models import Posting
from qingdan.notices.models import Notice
from tests.district import MONDAY, District
from tests.escrow.offering import make_draft, make_filing, make_price

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def offered(course: Course, operator: User, parent: User, district: District, agreement: CustodyAgreement) -> Contract:
    """A contract that waits for the guardian."""
    make_price(district.region, district.bureau)
    make_filing(course, operator)
    return offer(contract=make_draft(course, parent, operator), by=operator)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Each in a thread and on a connection of its own; what came of them."""
    came: list[object] = []
    ready = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        try:
            ready.wait(20)
            came.append(act())
        except ValidationError as error:
            came.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len(came) == len(acts)
    return came


def test_two_devices_make_one_signature_and_one_order(offered: Contract, parent: User) -> None:
    came = at_once(*[lambda: sign(contract=offered, by=parent)] * 4)
    assert all(isinstance(each, Contract) for each in came)
    assert PaymentOrder.objects.count() == 1
    assert Notice.objects.filter(occasion__startswith="contract-signed").count() == 1


def test_a_signature_and_a_withdrawal_at_once_leave_one_of_them(offered: Contract, parent: User, operator: User) -> None:
    came = at_once(lambda: sign(contract=offered, by=parent), lambda: cancel(contract=offered, by=operator, reason="开不了班"))
    assert sum(isinstance(each, ValidationError) for each in came) == 1
    offered.refresh_from_db()
    assert (offered.state == "signed") == PaymentOrder.objects.exists()
    assert offered.state in ("signed", "cancelled")


def test_a_payment_told_many_times_at_once_is_posted_once(offered: Contract, parent: User) -> None:
    order = sign(contract=offered, by=parent).orders.get()
    told: Any = {"paid_on": MONDAY, "payer_account": "6217", "payer_name": "家长", "bank_reference": "B1"}
    came = at_once(*[lambda: received(order, **told)] * 4)
    assert all(isinstance(each, PaymentOrder) for each in came)
    assert Posting.objects.filter(kind="payment").count() == 1
