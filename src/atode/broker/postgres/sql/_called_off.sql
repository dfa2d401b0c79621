jobs.cancelled IS NOT NULL AND ended.state IN ('retry', 'pending')
