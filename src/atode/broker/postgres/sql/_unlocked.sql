unlocked AS (
    DELETE FROM {schema}.job_locks AS locks
    WHERE locks.queue = ANY (ARRAY(SELECT gone.queue FROM gone WHERE {unlocking}))
        AND locks.text = ANY (ARRAY(SELECT gone.unique_text FROM gone WHERE {unlocking}))
        AND EXISTS (
            SELECT FROM gone
            WHERE gone.queue = locks.queue AND gone.unique_text = locks.text
                AND gone.id = locks.id
        )
)
