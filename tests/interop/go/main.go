// Command peer is the Go side of the interoperability tests: a client, a server, a scheduler
// and an inspector of asynq, and its reading of schedules, each driven by JSON.
//
//	peer enqueue ADDRESS           specs on standard input, results on standard output
//	peer serve ADDRESS JOURNAL     settings on standard input; says "ready", ends by SIGTERM
//	peer schedule ADDRESS          entries on standard input; says "ready", ends by SIGTERM
//	peer inspect ADDRESS           one question on standard input, its answer on standard output
//	peer ticks                     schedules on standard input, their ticks on standard output
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/hibiken/asynq"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	if len(args) == 1 && args[0] == "ticks" {
		return answer(ticks(input))
	}
	if len(args) < 2 {
		return fmt.Errorf("usage: peer ticks | peer enqueue|serve|schedule|inspect ADDRESS [JOURNAL]")
	}
	redis := asynq.RedisClientOpt{Addr: args[1]}
	switch {
	case args[0] == "enqueue":
		return answer(enqueue(redis, input))
	case args[0] == "inspect":
		return answer(inspect(redis, input))
	case args[0] == "schedule":
		return schedule(redis, input)
	case args[0] == "serve" && len(args) == 3:
		return serve(redis, args[2], input)
	}
	return fmt.Errorf("no such command: %q", args)
}

func answer(value any, err error) error {
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(value)
}
