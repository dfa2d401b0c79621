package main

import (
	"encoding/json"
	"fmt"

	"github.com/hibiken/asynq"
)

type question struct {
	Ask     string `json:"ask"`
	Queue   string `json:"queue"`
	ID      string `json:"id"`
	State   string `json:"state"`
	Group   string `json:"group"`
	Payload []byte `json:"payload"`
	Days    int    `json:"days"`
}

// Pages are not what the tests are about.
const all = 100_000

func inspect(redis asynq.RedisConnOpt, input []byte) (any, error) {
	var q question
	if err := json.Unmarshal(input, &q); err != nil {
		return nil, err
	}
	inspector := asynq.NewInspector(redis)
	defer inspector.Close()
	switch q.Ask {
	case "queues":
		names, err := inspector.Queues()
		return append([]string{}, names...), err
	case "queue":
		info, err := inspector.GetQueueInfo(q.Queue)
		if err != nil {
			return nil, err
		}
		return describeQueue(info), nil
	case "task":
		info, err := inspector.GetTaskInfo(q.Queue, q.ID)
		if err != nil {
			return nil, err
		}
		return describe(info), nil
	case "tasks":
		infos, err := list(inspector, q)
		return describeAll(infos), err
	case "servers":
		infos, err := inspector.Servers()
		return describeServers(infos), err
	case "schedules":
		entries, err := inspector.SchedulerEntries()
		return describeEntries(entries), err
	case "fired":
		events, err := inspector.ListSchedulerEnqueueEvents(q.ID, asynq.PageSize(all))
		return describeEvents(events), err
	case "history":
		stats, err := inspector.History(q.Queue, q.Days)
		return describeDays(stats), err
	case "run":
		return done(inspector.RunTask(q.Queue, q.ID))
	case "archive":
		return done(inspector.ArchiveTask(q.Queue, q.ID))
	case "delete":
		return done(inspector.DeleteTask(q.Queue, q.ID))
	case "cancel":
		return done(inspector.CancelProcessing(q.ID))
	case "pause":
		return done(inspector.PauseQueue(q.Queue))
	case "unpause":
		return done(inspector.UnpauseQueue(q.Queue))
	case "update":
		return done(inspector.UpdateTaskPayload(q.Queue, q.ID, q.Payload))
	case "run all", "archive all", "delete all":
		if q.State == "aggregating" {
			return moveGroup(inspector, q)
		}
		return moveAll(inspector, q)
	case "groups":
		groups, err := inspector.Groups(q.Queue)
		return sizes(groups), err
	case "remove":
		return done(inspector.DeleteQueue(q.Queue, false))
	}
	return nil, fmt.Errorf("no such question: %q", q.Ask)
}

func done(err error) (bool, error) {
	return err == nil, err
}

func list(i *asynq.Inspector, q question) ([]*asynq.TaskInfo, error) {
	whole := asynq.PageSize(all)
	switch q.State {
	case "pending":
		return i.ListPendingTasks(q.Queue, whole)
	case "active":
		return i.ListActiveTasks(q.Queue, whole)
	case "scheduled":
		return i.ListScheduledTasks(q.Queue, whole)
	case "retry":
		return i.ListRetryTasks(q.Queue, whole)
	case "archived":
		return i.ListArchivedTasks(q.Queue, whole)
	case "completed":
		return i.ListCompletedTasks(q.Queue, whole)
	case "aggregating":
		return i.ListAggregatingTasks(q.Queue, q.Group, whole)
	}
	return nil, fmt.Errorf("no such state: %q", q.State)
}

func moveAll(i *asynq.Inspector, q question) (int, error) {
	moves := map[string]func(string) (int, error){
		"run all scheduled":     i.RunAllScheduledTasks,
		"run all retry":         i.RunAllRetryTasks,
		"run all archived":      i.RunAllArchivedTasks,
		"archive all pending":   i.ArchiveAllPendingTasks,
		"archive all retry":     i.ArchiveAllRetryTasks,
		"archive all scheduled": i.ArchiveAllScheduledTasks,
		"delete all pending":    i.DeleteAllPendingTasks,
		"delete all scheduled":  i.DeleteAllScheduledTasks,
		"delete all retry":      i.DeleteAllRetryTasks,
		"delete all archived":   i.DeleteAllArchivedTasks,
		"delete all completed":  i.DeleteAllCompletedTasks,
	}
	move, known := moves[q.Ask+" "+q.State]
	if !known {
		return 0, fmt.Errorf("no such question: %q %q", q.Ask, q.State)
	}
	return move(q.Queue)
}

func moveGroup(i *asynq.Inspector, q question) (int, error) {
	switch q.Ask {
	case "run all":
		return i.RunAllAggregatingTasks(q.Queue, q.Group)
	case "archive all":
		return i.ArchiveAllAggregatingTasks(q.Queue, q.Group)
	default:
		return i.DeleteAllAggregatingTasks(q.Queue, q.Group)
	}
}

func sizes(groups []*asynq.GroupInfo) map[string]int {
	found := make(map[string]int)
	for _, group := range groups {
		found[group.Group] = group.Size
	}
	return found
}
