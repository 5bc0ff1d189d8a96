"""Jobs of the institutions app. Procrastinate reads a cron line in UTC; China is eight hours ahead, whatever the machine says."""

from __future__ import annotations

from procrastinate.contrib.django import app

from qingdan.institutions.actions.applications import end_notices, remind
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
    """Tell departments and applicants of steps that are due; whoever was told is not told again."""
    with own_connection():
        remind()
