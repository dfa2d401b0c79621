package main

import (
	"context"
	"encoding/json"
	"flag"
	"time"

	"github.com/hibiken/asynq"
)

// serve runs jobs until it is told to stop; everything but the number of slots is asynq's
// default.
func serve(options []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	address := redisFlag(flags)
	concurrency := flags.Int("concurrency", 100, "slots")
	queue := flags.String("queue", "default", "the queue to serve")
	path := flags.String("board", "", "the benchmark's board")
	flags.Parse(options)

	marks, err := openBoard(*path)
	if err != nil {
		return err
	}
	server := asynq.NewServer(connectionTo(*address), asynq.Config{
		Concurrency: *concurrency,
		Queues:      map[string]int{*queue: 1},
		LogLevel:    asynq.WarnLevel,
	})
	mux := asynq.NewServeMux()
	mux.HandleFunc(countTask, handler(func(_ context.Context, given arguments) error {
		marks.count(given.Number)
		return nil
	}))
	mux.HandleFunc(stampTask, handler(func(_ context.Context, given arguments) error {
		marks.stamp(given.Number)
		return nil
	}))
	mux.HandleFunc(napTask, handler(func(ctx context.Context, given arguments) error {
		marks.stamp(given.Number)
		return nap(ctx, given.Seconds)
	}))
	return server.Run(mux)
}

// handler decodes the arguments as an application would.
func handler(run func(context.Context, arguments) error) asynq.HandlerFunc {
	return func(ctx context.Context, task *asynq.Task) error {
		var given arguments
		if err := json.Unmarshal(task.Payload(), &given); err != nil {
			return err
		}
		return run(ctx, given)
	}
}

func nap(ctx context.Context, seconds float64) error {
	rest := time.NewTimer(time.Duration(seconds * float64(time.Second)))
	defer rest.Stop()
	select {
	case <-rest.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
