// Command peer is Go's asynq as `python -m bench versus` needs it: a client and a server for
// the benchmark's tasks. It prints what it measured as JSON on standard output.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/hibiken/asynq"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: peer enqueue|pace|delay|serve -redis host:port …"))
	}
	commands := map[string]func([]string) error{
		"enqueue": enqueue,
		"pace":    pace,
		"delay":   delay,
		"serve":   serve,
	}
	command, known := commands[os.Args[1]]
	if !known {
		fail(fmt.Errorf("unknown command %q", os.Args[1]))
	}
	if err := command(os.Args[2:]); err != nil {
		fail(err)
	}
}

// redisFlag adds the option that every command has.
func redisFlag(flags *flag.FlagSet) *string {
	return flags.String("redis", "127.0.0.1:6379", "address of the server")
}

func connectionTo(address string) asynq.RedisClientOpt {
	return asynq.RedisClientOpt{Addr: address}
}

func report(result any) error {
	return json.NewEncoder(os.Stdout).Encode(result)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "peer:", err)
	os.Exit(1)
}
