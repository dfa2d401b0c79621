package main

import (
	"encoding/json"
	"time"

	"github.com/robfig/cron/v3"
)

// A schedule that is asked about: how many of its ticks after which second are asked for.
type asked struct {
	Spec  string `json:"spec"`
	After int64  `json:"after"`
	Count int    `json:"count"`
}

type answered struct {
	Ticks []int64 `json:"ticks"`
	Error string  `json:"error"`
}

// ticks asks the parser that asynq's scheduler asks, about schedules in UTC as asynq has them.
func ticks(input []byte) ([]answered, error) {
	var schedules []asked
	if err := json.Unmarshal(input, &schedules); err != nil {
		return nil, err
	}
	answers := make([]answered, len(schedules))
	for n, one := range schedules {
		answers[n] = one.ticks()
	}
	return answers, nil
}

func (s asked) ticks() answered {
	parsed, err := cron.ParseStandard(s.Spec)
	if err != nil {
		return answered{Ticks: []int64{}, Error: err.Error()}
	}
	found := []int64{}
	at := time.Unix(s.After, 0).UTC()
	for len(found) < s.Count {
		at = parsed.Next(at)
		if at.IsZero() { // it looks five years ahead
			break
		}
		found = append(found, at.Unix())
	}
	return answered{Ticks: found}
}
