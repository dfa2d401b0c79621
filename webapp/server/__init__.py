"""The API server, `python -m webapp.server`: registers jobs, shows the page, runs nothing."""
