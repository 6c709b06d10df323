-- What a line told a client by itself: welcome, off_hours, no_answer, rating. `round` says which closed
-- period or which wait it was about, and is empty for what is told once a session. Written in the
-- transaction of the message: the key is why nothing is told twice, whoever tries and however often.
CREATE TABLE session_notice (
  session_id {id} NOT NULL REFERENCES session (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  round TEXT NOT NULL,
  at {ts} NOT NULL,
  PRIMARY KEY (session_id, kind, round)
)

-- What a client said of a session beside the score, and when they first did.
CREATE TABLE session_rating (
  session_id {id} PRIMARY KEY REFERENCES session (id) ON DELETE CASCADE,
  comment TEXT,
  rated_at {ts} NOT NULL,
  changed_at {ts} NOT NULL
)

-- Who stands in a line's queue, in the states waiting and offered alike.
CREATE INDEX session_unowned ON session (line_id, waiting_since) WHERE operator_id IS NULL AND closed_at IS NULL

-- How fast a line hands out sessions.
CREATE INDEX session_handed ON session (line_id, assigned_at) WHERE assigned_at IS NOT NULL

-- Clients who wrote before this version are not greeted now.
INSERT INTO consumer_cursor (name, seq, updated_at)
SELECT 'automation.texts', value, '2026-11-22T00:00:00+00:00' FROM counter WHERE name = 'event'
