package main

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/hibiken/asynq"
)

// aggregator makes what the Python side makes of the members of a group: one task of the same
// name whose argument is the list of their payloads.
func aggregator(sleep time.Duration) asynq.GroupAggregator {
	return asynq.GroupAggregatorFunc(func(group string, tasks []*asynq.Task) *asynq.Task {
		if sleep > 0 {
			fmt.Fprintln(os.Stderr, "aggregates", group)
			time.Sleep(sleep)
		}
		items := make([][]byte, len(tasks))
		for n, task := range tasks {
			items[n] = task.Payload()
		}
		payload := append([]byte(`{"items":[`), bytes.Join(items, []byte(","))...)
		return asynq.NewTask(tasks[0].Type(), append(payload, "]}"...))
	})
}
