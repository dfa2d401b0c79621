"""Subscribers of events: logs, and later metrics and traces."""
