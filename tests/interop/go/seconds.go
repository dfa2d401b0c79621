package main

import "time"

// Durations and instants travel as seconds; 0 is "none".

func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second))
}

func instant(seconds float64) time.Time {
	return time.UnixMicro(int64(seconds * 1e6))
}

func unix(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return float64(at.UnixMicro()) / 1e6
}
