"""Jobs of prepaid tuition. Procrastinate reads a cron line in UTC; China is eight hours ahead, whatever the machine says."""

from __future__ import annotations

from procrastinate.contrib.django import app

from qingdan.accounts.models import Organisation, User
from qingdan.escrow import tasks_banking as tasks_banking  # procrastinate looks for jobs in ``tasks`` only
from qingdan.escrow import tasks_risk as tasks_risk
from qingdan.escrow.actions import lessons, refunds
from qingdan.escrow.actions.instructing import prepare_releases
from qingdan.places.calendar import today
from qingdan.storage.connections import own_connection


# Ten past midnight in China: the last day for an objection is over.
@app.periodic(cron="10 16 * * *")
@app.task(name="escrow.presume_silent_families", queue="upkeep")
def presume_silent_families(timestamp: int) -> None:
    """Release lessons to which nobody objected in time; a second run finds none."""
    with own_connection():
        lessons.presume_silent(today())


@app.periodic(cron="20 16 * * *")
@app.task(name="escrow.presume_silent_institutions", queue="upkeep")
def presume_silent_institutions(timestamp: int) -> None:
    """Approve refunds that were not answered in time; a second run finds none."""
    with own_connection():
        refunds.presume_silent(today())


# One in the morning in China, once what was presumed is released.
@app.periodic(cron="0 17 * * *")
@app.task(name="escrow.prepare_releases", queue="upkeep")
def prepare_releases_of_the_day(timestamp: int) -> None:
    """Write the day's instructions; a second run writes none for the same money."""
    with own_connection():
        prepare_releases(today())


@app.task(name="escrow.refund_all", queue="upkeep")
def refund_all(institution_id: int, reason: str, by_id: int) -> None:
    """Give all that is left back to the families of an institution; taken up again after a stop, it goes on where it was."""
    with own_connection():
        refunds.refund_all(Organisation.objects.get(pk=institution_id), reason=reason, by=User.objects.get(pk=by_id))
