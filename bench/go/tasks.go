package main

import (
	"encoding/json"

	"github.com/hibiken/asynq"
)

// The benchmark's tasks, under the names and with the arguments that bench/tasks.py gives them.
const (
	countTask = "count"
	stampTask = "stamp"
	napTask   = "nap"
)

type arguments struct {
	Number  int     `json:"number"`
	Seconds float64 `json:"seconds,omitempty"`
}

func newTask(name string, number int) (*asynq.Task, error) {
	payload, err := json.Marshal(arguments{Number: number})
	if err != nil {
		return nil, err
	}
	return asynq.NewTask(name, payload), nil
}
