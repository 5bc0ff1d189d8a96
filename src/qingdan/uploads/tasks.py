"""The queue's jobs. They only call verbs; the queue lives in PostgreSQL, so a restart loses none of them."""

from __future__ import annotations

import logging

from procrastinate.contrib.django import app

from qingdan.storage.connections import own_connection
from qingdan.uploads.actions import judge_upload, purge_deleted, requeue_lost

log = logging.getLogger(__name__)

#: A worker that has not been heard of for so long is dead; workers report every 10 seconds (see the settings).
SECONDS_UNTIL_DEAD = 30


@app.task(name="uploads.judge", queue="uploads")
def judge(upload_id: int) -> None:
    """Judge one upload."""
    with own_connection():
        judge_upload(upload_id)


# The sixth field is the second: four times a minute.
@app.periodic(cron="* * * * * */15")
@app.task(name="uploads.take_up_stalled", queue="upkeep")
async def take_up_stalled(timestamp: int) -> None:
    """Put back in the queue every job whose worker died on the way; judging again replaces what was half done."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SECONDS_UNTIL_DEAD):
        log.warning("job.taken_up_again job=%s task=%s", job.id, job.task_name)
        await app.job_manager.retry_job(job)


@app.periodic(cron="* * * * * 30")
@app.task(name="uploads.take_up_lost", queue="upkeep")
def take_up_lost(timestamp: int) -> None:
    """Queue again every upload that waits although no job is left for it."""
    with own_connection():
        requeue_lost()


@app.periodic(cron="17 3 * * *")
@app.task(name="uploads.purge", queue="upkeep")
def purge(timestamp: int) -> None:
    """Remove for good what was deleted longer ago than it can be taken back."""
    with own_connection():
        purge_deleted()
