package main

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"github.com/hibiken/asynq"
)

// A file that other processes write to as well.
type journal struct{ file *os.File }

type entry struct {
	Side     string            `json:"side"`
	Word     string            `json:"word"`
	Task     string            `json:"task"`
	ID       string            `json:"id"`
	Queue    string            `json:"queue"`
	Payload  []byte            `json:"payload,omitempty"`
	Headers  map[string]string `json:"headers,omitempty"`
	Retried  int               `json:"retried"`
	MaxRetry int               `json:"max_retry"`
	Deadline float64           `json:"deadline"`
	PID      int               `json:"pid"`
	At       float64           `json:"at"`
	Detail   string            `json:"detail"`
}

// note appends one line in a single write, so that it survives the death of this process.
func (j journal) note(ctx context.Context, word string, task *asynq.Task, detail string) error {
	id, _ := asynq.GetTaskID(ctx)
	queue, _ := asynq.GetQueueName(ctx)
	retried, _ := asynq.GetRetryCount(ctx)
	most, _ := asynq.GetMaxRetry(ctx)
	deadline, _ := ctx.Deadline()
	line, err := json.Marshal(entry{
		Side:     "go",
		Word:     word,
		Task:     task.Type(),
		ID:       id,
		Queue:    queue,
		Payload:  task.Payload(),
		Headers:  task.Headers(),
		Retried:  retried,
		MaxRetry: most,
		Deadline: unix(deadline),
		PID:      os.Getpid(),
		At:       unix(time.Now()),
		Detail:   detail,
	})
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(line, '\n'))
	return err
}
