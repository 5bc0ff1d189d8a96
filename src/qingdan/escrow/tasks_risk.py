"""Jobs that watch for risks. Procrastinate reads a cron line in UTC; China is eight hours ahead, whatever the machine says."""

from __future__ import annotations

from procrastinate.contrib.django import app

from qingdan.escrow.actions import flows, scoring
from qingdan.storage.connections import own_connection


# A quarter past two in the morning in China, when the statements of the day before are in; again after those that came late.
@app.periodic(cron="15 18,22 * * *")
@app.task(name="escrow.watch_risks", queue="upkeep", lock="escrow.watch_risks")
def watch_risks(timestamp: int) -> None:
    """Mark large flows and tell of them, then score every institution; a second run changes nothing that is the same."""
    with own_connection():
        watch()


@app.task(name="escrow.watch_risks_now", queue="upkeep", lock="escrow.watch_risks")
def watch_risks_now() -> None:
    """The same when somebody asks for it."""
    with own_connection():
        watch()


def watch() -> int:
    """Flows first, for they are a part of the score."""
    flows.mark_large()
    flows.warn()
    return scoring.score_all()
