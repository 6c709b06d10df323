-- When the client of a session is to be answered, by what its line promises; none when nothing is owed.
ALTER TABLE session ADD COLUMN due_at {ts}

-- What is overdue, soonest first.
CREATE INDEX session_due ON session (due_at) WHERE due_at IS NOT NULL
