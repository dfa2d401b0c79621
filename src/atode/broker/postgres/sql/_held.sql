jobs.id = ANY ($2::uuid[]) AND jobs.ticket = ANY ($3::bigint[])
    AND jobs.worker = ANY ($4::text[]) AND jobs.state = 'active'
