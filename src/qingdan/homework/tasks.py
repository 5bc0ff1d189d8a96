"""Jobs of the homework app. Procrastinate reads a cron line in UTC, whatever the time zone of the machine: China is eight hours ahead."""

from __future__ import annotations

from procrastinate.contrib.django import app

from qingdan.homework.actions.disclosure import remind
from qingdan.homework.actions.families import draw_families
from qingdan.places.calendar import today
from qingdan.storage.connections import own_connection


# Noon in China: on Friday, when a week is to be published, and on Sunday for those who have not done so by then.
@app.periodic(cron="0 4 * * 5,0")
@app.task(name="homework.remind_of_disclosure", queue="upkeep")
def remind_of_disclosure(timestamp: int) -> None:
    """Tell year groups whose week is not yet published; whoever was told is not told again."""
    with own_connection():
        remind(today())


# Half past five in China, every day: the draw itself knows which days are school days.
@app.periodic(cron="30 9 * * *")
@app.task(name="homework.draw_families", queue="upkeep")
def draw_todays_families(timestamp: int) -> None:
    """Draw the families who are asked this evening; a second run draws only classes that had no homework at the first."""
    with own_connection():
        draw_families(today())
