"""Jobs of the institutions app. Procrastinate reads a cron line in UTC; China is eight hours ahead, whatever the machine says."""

from __future__ import annotations

from procrastinate.contrib.django import app

from qingdan.institutions.actions import inspections
from qingdan.institutions.actions.applications import end_notices, remind
from qingdan.institutions.actions.deadlines import count_all_anew
from qingdan.institutions.models import InspectionCampaign
from qingdan.storage.connections import own_connection


# A quarter past midnight in China: a notice whose last day is over goes on to the decision.
@app.periodic(cron="15 16 * * *")
@app.task(name="institutions.end_notices", queue="upkeep")
def end_finished_notices(timestamp: int) -> None:
    """Move applications on whose notice is over; a second run finds none."""
    with own_connection():
        end_notices()


# Eight in the morning in China.
@app.periodic(cron="0 0 * * *")
@app.task(name="institutions.remind_of_deadlines", queue="upkeep")
def remind_of_deadlines(timestamp: int) -> None:
    """Tell departments and applicants of steps that are due; whoever was told is not told again. First the days are counted anew."""
    with own_connection():
        count_all_anew()
        remind()


# Twenty past midnight in China: a correction that nobody reported in time has failed.
@app.periodic(cron="20 16 * * *")
@app.task(name="institutions.fail_overdue_corrections", queue="upkeep")
def fail_overdue_corrections(timestamp: int) -> None:
    """Inspections whose correction is overdue are failed; a second run finds none."""
    with own_connection():
        inspections.fail_overdue()


@app.task(name="institutions.count_known_breaches", queue="upkeep", lock="count-known-breaches", retry=3)
def count_known_breaches(campaign_id: int) -> None:
    """What the records say against each item of a campaign that was just started; of a campaign taken back in between, nothing."""
    with own_connection():
        for campaign in InspectionCampaign.objects.filter(pk=campaign_id):
            inspections.count_known(campaign)


# Eight in the morning in China.
@app.periodic(cron="0 0 * * *")
@app.task(name="institutions.remind_of_inspections", queue="upkeep")
def remind_of_inspections(timestamp: int) -> None:
    """Tell institutions of reports and corrections that are due; whoever was told is not told again."""
    with own_connection():
        inspections.remind()
