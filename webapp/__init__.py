"""The reference application: an API server that registers jobs, a job server that runs them."""
