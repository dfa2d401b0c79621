package main

import "github.com/hibiken/asynq"

// What asynq says of a task, a server and a queue, with names and units of our own.

type task struct {
	ID            string            `json:"id"`
	Queue         string            `json:"queue"`
	Type          string            `json:"type"`
	Payload       []byte            `json:"payload,omitempty"`
	Headers       map[string]string `json:"headers,omitempty"`
	State         string            `json:"state"`
	MaxRetry      int               `json:"max_retry"`
	Retried       int               `json:"retried"`
	Error         string            `json:"error"`
	LastFailedAt  float64           `json:"last_failed_at"`
	Timeout       float64           `json:"timeout"`
	Deadline      float64           `json:"deadline"`
	Group         string            `json:"group"`
	NextProcessAt float64           `json:"next_process_at"`
	Orphaned      bool              `json:"orphaned"`
	Retention     float64           `json:"retention"`
	CompletedAt   float64           `json:"completed_at"`
	Result        []byte            `json:"result,omitempty"`
}

type running struct {
	ID       string  `json:"id"`
	Type     string  `json:"type"`
	Payload  []byte  `json:"payload,omitempty"`
	Queue    string  `json:"queue"`
	Started  float64 `json:"started"`
	Deadline float64 `json:"deadline"`
}

type server struct {
	ID          string         `json:"id"`
	Host        string         `json:"host"`
	PID         int            `json:"pid"`
	Concurrency int            `json:"concurrency"`
	Queues      map[string]int `json:"queues,omitempty"`
	Strict      bool           `json:"strict"`
	Started     float64        `json:"started"`
	Status      string         `json:"status"`
	Running     []running      `json:"running"`
}

type queue struct {
	Name           string  `json:"name"`
	Memory         int64   `json:"memory"`
	Latency        float64 `json:"latency"`
	Size           int     `json:"size"`
	Groups         int     `json:"groups"`
	Pending        int     `json:"pending"`
	Active         int     `json:"active"`
	Scheduled      int     `json:"scheduled"`
	Retry          int     `json:"retry"`
	Archived       int     `json:"archived"`
	Completed      int     `json:"completed"`
	Aggregating    int     `json:"aggregating"`
	Processed      int     `json:"processed"`
	Failed         int     `json:"failed"`
	ProcessedTotal int     `json:"processed_total"`
	FailedTotal    int     `json:"failed_total"`
	Paused         bool    `json:"paused"`
}

type day struct {
	Date      string `json:"date"`
	Processed int    `json:"processed"`
	Failed    int    `json:"failed"`
}

func describe(info *asynq.TaskInfo) *task {
	return &task{
		ID:            info.ID,
		Queue:         info.Queue,
		Type:          info.Type,
		Payload:       info.Payload,
		Headers:       info.Headers,
		State:         info.State.String(),
		MaxRetry:      info.MaxRetry,
		Retried:       info.Retried,
		Error:         info.LastErr,
		LastFailedAt:  unix(info.LastFailedAt),
		Timeout:       info.Timeout.Seconds(),
		Deadline:      unix(info.Deadline),
		Group:         info.Group,
		NextProcessAt: unix(info.NextProcessAt),
		Orphaned:      info.IsOrphaned,
		Retention:     info.Retention.Seconds(),
		CompletedAt:   unix(info.CompletedAt),
		Result:        info.Result,
	}
}

func describeAll(infos []*asynq.TaskInfo) []*task {
	described := make([]*task, len(infos))
	for n, info := range infos {
		described[n] = describe(info)
	}
	return described
}

func describeServers(infos []*asynq.ServerInfo) []server {
	described := make([]server, len(infos))
	for n, info := range infos {
		described[n] = server{
			ID:          info.ID,
			Host:        info.Host,
			PID:         info.PID,
			Concurrency: info.Concurrency,
			Queues:      info.Queues,
			Strict:      info.StrictPriority,
			Started:     unix(info.Started),
			Status:      info.Status,
			Running:     make([]running, len(info.ActiveWorkers)),
		}
		for m, worker := range info.ActiveWorkers {
			described[n].Running[m] = running{
				ID:       worker.TaskID,
				Type:     worker.TaskType,
				Payload:  worker.TaskPayload,
				Queue:    worker.Queue,
				Started:  unix(worker.Started),
				Deadline: unix(worker.Deadline),
			}
		}
	}
	return described
}

func describeQueue(info *asynq.QueueInfo) queue {
	return queue{
		Name:           info.Queue,
		Memory:         info.MemoryUsage,
		Latency:        info.Latency.Seconds(),
		Size:           info.Size,
		Groups:         info.Groups,
		Pending:        info.Pending,
		Active:         info.Active,
		Scheduled:      info.Scheduled,
		Retry:          info.Retry,
		Archived:       info.Archived,
		Completed:      info.Completed,
		Aggregating:    info.Aggregating,
		Processed:      info.Processed,
		Failed:         info.Failed,
		ProcessedTotal: info.ProcessedTotal,
		FailedTotal:    info.FailedTotal,
		Paused:         info.Paused,
	}
}

func describeDays(stats []*asynq.DailyStats) []day {
	described := make([]day, len(stats))
	for n, stat := range stats {
		described[n] = day{stat.Date.Format("2006-01-02"), stat.Processed, stat.Failed}
	}
	return described
}
