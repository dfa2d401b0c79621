"""atode beside Go's asynq: `python -m bench versus`. One run, one server, both in turn."""
