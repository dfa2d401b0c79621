"""An app whose schedule fires every second; its handler keeps a journal, as those of `jobs` do."""

from datetime import datetime

from atode import current_job
from tests.faults.jobs import jobs, note


@jobs.cron("* * * * * *", id="tick", catch_up="all")
async def tick() -> None:
    job = current_job()
    assert job
    note("tick", round(datetime.fromisoformat(job.headers["atode-tick"]).timestamp()))
