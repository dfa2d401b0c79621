-- Keep everybody else from changing definitions until this transaction ends.
SELECT version FROM {schema}.job_definitions WHERE id = '' FOR UPDATE;
