"""What can be wrong with a Redis and with what is in it; one file per kind of place."""
