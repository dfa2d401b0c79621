"""The Redis broker, in asynq's wire format."""
