// Command monitor serves asynqmon, the web monitor of asynq's author, on a free port.
//
//	monitor ADDRESS     says "ready PORT" on standard error, ends by SIGTERM
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/hibiken/asynq"
	"github.com/hibiken/asynqmon"
)

func main() {
	if err := serve(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "monitor:", err)
		os.Exit(1)
	}
}

func serve(redis string) error {
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	failed := make(chan error, 1)
	monitor := asynqmon.New(asynqmon.Options{
		RootPath:     "/",
		RedisConnOpt: asynq.RedisClientOpt{Addr: redis},
	})
	defer monitor.Close()
	go func() { failed <- http.Serve(port, monitor) }()
	fmt.Fprintln(os.Stderr, "ready", port.Addr().(*net.TCPAddr).Port)
	select {
	case <-stop:
		return nil
	case err := <-failed:
		return err
	}
}
