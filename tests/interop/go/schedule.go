package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/hibiken/asynq"
)

// A job of spec and when it is to be stored.
type scheduled struct {
	Cron string `json:"cron"`
	Job  spec   `json:"job"`
}

type scheduledEntry struct {
	ID      string   `json:"id"`
	Spec    string   `json:"spec"`
	Type    string   `json:"type"`
	Payload []byte   `json:"payload,omitempty"`
	Options []string `json:"options"`
	Next    float64  `json:"next"`
	Prev    float64  `json:"prev"`
}

type fired struct {
	ID string  `json:"id"`
	At float64 `json:"at"`
}

func schedule(redis asynq.RedisConnOpt, input []byte) error {
	var given []scheduled
	if err := json.Unmarshal(input, &given); err != nil {
		return err
	}
	// Redis takes whole seconds for twice this.
	scheduler := asynq.NewScheduler(redis, &asynq.SchedulerOpts{HeartbeatInterval: duration(1)})
	for _, one := range given {
		task := asynq.NewTask(one.Job.Type, one.Job.Payload)
		if _, err := scheduler.Register(one.Cron, task, one.Job.options()...); err != nil {
			return err
		}
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	if err := scheduler.Start(); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "ready")
	<-stop
	scheduler.Shutdown()
	return nil
}

func describeEntries(entries []*asynq.SchedulerEntry) []scheduledEntry {
	described := make([]scheduledEntry, len(entries))
	for n, entry := range entries {
		described[n] = scheduledEntry{
			ID:      entry.ID,
			Spec:    entry.Spec,
			Type:    entry.Task.Type(),
			Payload: entry.Task.Payload(),
			Options: make([]string, len(entry.Opts)),
			Next:    unix(entry.Next),
			Prev:    unix(entry.Prev),
		}
		for m, option := range entry.Opts {
			described[n].Options[m] = option.String()
		}
	}
	return described
}

func describeEvents(events []*asynq.SchedulerEnqueueEvent) []fired {
	described := make([]fired, len(events))
	for n, event := range events {
		described[n] = fired{event.TaskID, unix(event.EnqueuedAt)}
	}
	return described
}
