"""Upkeep of the accounts app."""

from __future__ import annotations

from django.db import connections
from procrastinate.contrib.django import app

from qingdan.accounts.actions import purge_answers


@app.periodic(cron="41 3 * * *")
@app.task(name="accounts.purge_answers", queue="upkeep")
def purge(timestamp: int) -> None:
    """Forget answers to programs that are too old to be asked for again."""
    try:
        purge_answers()
    finally:
        # A job runs in a thread of its own: nobody else would ever close the connection that it opens.
        connections.close_all()
