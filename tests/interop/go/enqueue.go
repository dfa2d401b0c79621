package main

import (
	"encoding/json"
	"time"

	"github.com/hibiken/asynq"
)

// A job to be stored; what is absent is asynq's default.
type spec struct {
	Type      string            `json:"type"`
	Payload   []byte            `json:"payload"`
	Headers   map[string]string `json:"headers"`
	ID        string            `json:"id"`
	Queue     string            `json:"queue"`
	MaxRetry  *int              `json:"max_retry"`
	Delay     float64           `json:"delay"`
	At        float64           `json:"at"`
	Timeout   float64           `json:"timeout"`
	Deadline  float64           `json:"deadline"`
	Retention float64           `json:"retention"`
	Unique    float64           `json:"unique"`
	Group     string            `json:"group"`
}

type stored struct {
	Task  *task   `json:"task"`
	Error string  `json:"error"`
	At    float64 `json:"at"` // when the client was called
}

func enqueue(redis asynq.RedisConnOpt, input []byte) ([]stored, error) {
	var specs []spec
	if err := json.Unmarshal(input, &specs); err != nil {
		return nil, err
	}
	client := asynq.NewClient(redis)
	defer client.Close()
	results := make([]stored, len(specs))
	for n, spec := range specs {
		results[n].At = unix(time.Now())
		info, err := client.Enqueue(
			asynq.NewTaskWithHeaders(spec.Type, spec.Payload, spec.Headers), spec.options()...)
		if err != nil {
			results[n].Error = err.Error()
			continue
		}
		results[n].Task = describe(info)
	}
	return results, nil
}

func (s spec) options() []asynq.Option {
	var options []asynq.Option
	add := func(given bool, option asynq.Option) {
		if given {
			options = append(options, option)
		}
	}
	if s.MaxRetry != nil {
		options = append(options, asynq.MaxRetry(*s.MaxRetry))
	}
	add(s.ID != "", asynq.TaskID(s.ID))
	add(s.Queue != "", asynq.Queue(s.Queue))
	add(s.Delay != 0, asynq.ProcessIn(duration(s.Delay)))
	add(s.At != 0, asynq.ProcessAt(instant(s.At)))
	add(s.Timeout != 0, asynq.Timeout(duration(s.Timeout)))
	add(s.Deadline != 0, asynq.Deadline(instant(s.Deadline)))
	add(s.Retention != 0, asynq.Retention(duration(s.Retention)))
	add(s.Unique != 0, asynq.Unique(duration(s.Unique)))
	add(s.Group != "", asynq.Group(s.Group))
	return options
}
