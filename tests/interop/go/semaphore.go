package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/go-redis/redis/v8"
	"github.com/hibiken/asynq"
	"github.com/hibiken/asynq/x/rate"
)

// As many as in the Python app next door.
const places = 3

// No failure; the job comes again soon.
var errFull = errors.New("all places are taken")

// The published version of x/rate wants an older client of Redis than asynq makes.
type olderClient struct{ address string }

func (o olderClient) MakeRedisClient() interface{} {
	return redis.NewClient(&redis.Options{Addr: o.address})
}

func handleGuarded(mux *asynq.ServeMux, j journal, address string) {
	payments := rate.NewSemaphore(olderClient{address}, "payments", places)
	mux.HandleFunc("guarded", func(ctx context.Context, task *asynq.Task) error {
		var given arguments
		if err := json.Unmarshal(task.Payload(), &given); err != nil {
			return err
		}
		taken, err := payments.Acquire(ctx)
		if err != nil {
			return err
		}
		if !taken {
			return errors.Join(errFull, j.note(ctx, "full", task, ""))
		}
		if err := j.note(ctx, "enter", task, ""); err != nil {
			return err
		}
		time.Sleep(duration(given.Seconds))
		return errors.Join(j.note(ctx, "leave", task, ""), payments.Release(ctx))
	})
}
