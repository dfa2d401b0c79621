"""atode beside its peers: `python -m bench versus`. One run, one server, all in turn."""
