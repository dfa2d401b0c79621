package main

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"sync"
	"time"

	"github.com/hibiken/asynq"
)

// enqueue stores jobs from many goroutines at once and reports how long that took, in seconds.
func enqueue(options []string) error {
	flags := flag.NewFlagSet("enqueue", flag.ExitOnError)
	address := redisFlag(flags)
	callers := flags.Int("callers", 100, "goroutines")
	jobs := flags.Int("jobs", 1000, "how many jobs")
	flags.Parse(options)

	client := asynq.NewClient(connectionTo(*address))
	defer client.Close()
	if err := client.Ping(); err != nil {
		return err
	}
	began := time.Now()
	errs := make([]error, *callers)
	var all sync.WaitGroup
	for caller := range *callers {
		all.Go(func() {
			for number := caller; number < *jobs && errs[caller] == nil; number += *callers {
				errs[caller] = send(client, countTask, number)
			}
		})
	}
	all.Wait()
	seconds := time.Since(began).Seconds()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return report(seconds)
}

// pace stores one job after the other at fixed intervals, and reports the instant just before
// each, in Unix seconds.
func pace(options []string) error {
	flags := flag.NewFlagSet("pace", flag.ExitOnError)
	address := redisFlag(flags)
	first := flags.Int("first", 0, "number of the first job")
	jobs := flags.Int("jobs", 100, "how many jobs")
	every := flags.Duration("every", 20*time.Millisecond, "time between two jobs")
	flags.Parse(options)

	client := asynq.NewClient(connectionTo(*address))
	defer client.Close()
	if err := client.Ping(); err != nil {
		return err
	}
	sent := make([]float64, *jobs)
	begin := time.Now().Add(*every)
	for index := range *jobs {
		time.Sleep(time.Until(begin.Add(time.Duration(index) * *every)))
		sent[index] = unixSeconds(time.Now())
		if err := send(client, stampTask, *first+index); err != nil {
			return err
		}
	}
	return report(sent)
}

// delay stores a job for each of the instants, in Unix seconds, that stand as a JSON list on
// standard input.
func delay(options []string) error {
	flags := flag.NewFlagSet("delay", flag.ExitOnError)
	address := redisFlag(flags)
	first := flags.Int("first", 0, "number of the first job")
	flags.Parse(options)

	var instants []float64
	if err := json.NewDecoder(os.Stdin).Decode(&instants); err != nil {
		return err
	}
	client := asynq.NewClient(connectionTo(*address))
	defer client.Close()
	for index, instant := range instants {
		whole, part := math.Modf(instant)
		at := time.Unix(int64(whole), int64(part*1e9))
		if err := send(client, stampTask, *first+index, asynq.ProcessAt(at)); err != nil {
			return err
		}
	}
	return report(len(instants))
}

func send(client *asynq.Client, name string, number int, options ...asynq.Option) error {
	task, err := newTask(name, number)
	if err != nil {
		return err
	}
	_, err = client.Enqueue(task, options...)
	return err
}
