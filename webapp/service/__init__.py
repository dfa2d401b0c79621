"""The outside world: first what the rules need of it, as protocols, then the real thing."""
