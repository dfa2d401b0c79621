"""The job server, `python -m webapp.jobqueue`, and the tasks that it runs."""
