-- How often definitions have changed.
SELECT version FROM definitions WHERE id = '';
