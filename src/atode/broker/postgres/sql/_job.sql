    jobs.id, jobs.name, jobs.type, jobs.queue, jobs.body, jobs.state,
    CASE WHEN jobs.scheduled_at > jobs.created_at THEN date_part('epoch', jobs.scheduled_at) END,
    jobs.max_retry, jobs.retried, jobs.timeout, jobs.deadline, jobs.retention, jobs.headers,
    jobs.error, date_part('epoch', jobs.last_failed_at), date_part('epoch', jobs.completed_at),
    jobs.result, jobs.unique_text, jobs.group_name
