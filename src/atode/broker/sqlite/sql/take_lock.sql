-- Take the right to write, and change nothing: what is read after it stays so until the commit.
DELETE FROM numbers WHERE FALSE;
