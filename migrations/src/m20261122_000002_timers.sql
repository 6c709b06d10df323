-- Since when a session stands in the queue of its present line, owes the client an answer, and was last
-- answered: what the line's timers count from.

ALTER TABLE session ADD COLUMN queued_at {ts}

ALTER TABLE session ADD COLUMN owed_since {ts}

ALTER TABLE session ADD COLUMN answered_at {ts}

UPDATE session SET queued_at = waiting_since, answered_at = first_reply_at

UPDATE session SET owed_since = waiting_since WHERE state <> 'closed' AND first_reply_at IS NULL

CREATE INDEX session_owed ON session (line_id, owed_since) WHERE state = 'assigned' AND owed_since IS NOT NULL

CREATE INDEX session_silent ON session (line_id, answered_at) WHERE state <> 'closed' AND owed_since IS NULL AND answered_at IS NOT NULL
