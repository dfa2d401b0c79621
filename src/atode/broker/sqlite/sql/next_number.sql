-- The first number that has not been given yet.
SELECT next FROM numbers;
