package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hibiken/asynq"
)

type settings struct {
	Queues          map[string]int `json:"queues"`
	Strict          bool           `json:"strict"`
	Concurrency     int            `json:"concurrency"`
	Check           float64        `json:"check"`         // idle poll
	DelayedCheck    float64        `json:"delayed_check"` // scheduled and retry
	RetryDelay      float64        `json:"retry_delay"`
	ShutdownTimeout float64        `json:"shutdown_timeout"`
	Janitor         float64        `json:"janitor"`     // pause between its rounds
	GroupGrace      float64        `json:"group_grace"` // 0: no groups
	GroupMaxSize    int            `json:"group_max_size"`
	GroupSleep      float64        `json:"group_sleep"` // of the aggregator, before it answers
}

func serve(redis asynq.RedisClientOpt, path string, input []byte) error {
	var s settings
	if err := json.Unmarshal(input, &s); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	config := asynq.Config{
		IsFailure:                func(err error) bool { return !errors.Is(err, errFull) },
		Queues:                   s.Queues,
		StrictPriority:           s.Strict,
		Concurrency:              s.Concurrency,
		TaskCheckInterval:        duration(s.Check),
		DelayedTaskCheckInterval: duration(s.DelayedCheck),
		ShutdownTimeout:          duration(s.ShutdownTimeout),
		JanitorInterval:          duration(s.Janitor),
		RetryDelayFunc: func(_ int, err error, _ *asynq.Task) time.Duration {
			if errors.Is(err, errFull) {
				return 0
			}
			return duration(s.RetryDelay)
		},
	}
	if s.GroupGrace > 0 {
		config.GroupAggregator = aggregator(duration(s.GroupSleep))
		config.GroupGracePeriod = duration(s.GroupGrace)
		config.GroupMaxSize = s.GroupMaxSize
	}
	server := asynq.NewServer(redis, config)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	mux := handlers(journal{file})
	handleGuarded(mux, journal{file}, redis.Addr)
	if err := server.Start(mux); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "ready")
	<-stop
	server.Shutdown()
	return nil
}

// The same tasks as in the Python app next door, with the same names and arguments.
func handlers(j journal) *asynq.ServeMux {
	mux := asynq.NewServeMux()
	handle := func(name string, body func(context.Context, *asynq.Task, arguments) error) {
		mux.HandleFunc(name, func(ctx context.Context, task *asynq.Task) error {
			if err := j.note(ctx, "start", task, ""); err != nil {
				return err
			}
			var given arguments
			if err := json.Unmarshal(task.Payload(), &given); err != nil {
				return fmt.Errorf("arguments: %v: %w", err, asynq.SkipRetry)
			}
			if err := body(ctx, task, given); err != nil {
				return err
			}
			return j.note(ctx, "end", task, given.detail())
		})
	}
	handle("work", func(context.Context, *asynq.Task, arguments) error { return nil })
	handle("ship", func(context.Context, *asynq.Task, arguments) error { return nil })
	handle("rest", func(ctx context.Context, _ *asynq.Task, given arguments) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(duration(given.Seconds)):
			return nil
		}
	})
	handle("fail", func(_ context.Context, _ *asynq.Task, given arguments) error {
		return errors.New(given.Text)
	})
	handle("refuse", func(_ context.Context, _ *asynq.Task, given arguments) error {
		return fmt.Errorf("%s: %w", given.Text, asynq.SkipRetry)
	})
	handle("greet", func(_ context.Context, task *asynq.Task, given arguments) error {
		greeting, err := json.Marshal("Hello, " + given.Name)
		if err != nil {
			return err
		}
		_, err = task.ResultWriter().Write(greeting)
		return err
	})
	handle("bundle", func(context.Context, *asynq.Task, arguments) error { return nil })
	handle("panic", func(_ context.Context, _ *asynq.Task, given arguments) error {
		panic(given.Text)
	})
	return mux
}

type arguments struct {
	Seconds float64 `json:"seconds"`
	Text    string  `json:"text"`
	Name    string  `json:"name"`
	Order   struct {
		SKU   string `json:"sku"`
		Count int    `json:"count"`
	} `json:"order"`
	Express bool `json:"express"`
}

func (a arguments) detail() string {
	return fmt.Sprintf("%d of %s, express %t", a.Order.Count, a.Order.SKU, a.Express)
}
