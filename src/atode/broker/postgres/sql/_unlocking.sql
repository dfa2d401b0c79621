gone.tally > 0 AND gone.unique_text IS NOT NULL
