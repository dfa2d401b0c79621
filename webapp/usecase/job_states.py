"""Tell how jobs stand."""

from collections.abc import Mapping, Sequence

from webapp.service.print_jobs import PrintJob, PrintJobs

MOST_AT_ONCE = 50


class JobStates:
    """Looks jobs up."""

    def __init__(self, jobs: PrintJobs) -> None:
        self._jobs = jobs

    async def of(self, job_ids: Sequence[str]) -> Mapping[str, PrintJob | None]:
        """Each id with its job, or None where the store has none (any more).

        Raises:
            StoreDown: the store cannot be asked now.
        """
        wanted = list(dict.fromkeys(job_ids))
        if len(wanted) > MOST_AT_ONCE:
            raise ValueError(f"{len(wanted)} jobs asked for; at most {MOST_AT_ONCE} at once")
        found = {job.id: job for job in await self._jobs.find(wanted)}
        return {job_id: found.get(job_id) for job_id in wanted}
