-- When operators work: weekly shifts, breaks and absences. Who has no row works by hand.

CREATE TABLE operator_schedule (
  operator_id {id} PRIMARY KEY REFERENCES operator (id) ON DELETE CASCADE,
  body {json} NOT NULL,
  version BIGINT NOT NULL,
  updated_at {ts} NOT NULL
)

-- When `availability` was said; none: it is the one the user was made with.
ALTER TABLE operator ADD COLUMN said_at {ts}

-- Since when the operator takes no work by what they say or by their schedule, as others were last told.
ALTER TABLE operator ADD COLUMN unavailable_since {ts}

-- When the schedule alone changes that next: others are told at that time.
ALTER TABLE operator ADD COLUMN changes_at {ts}

UPDATE operator SET unavailable_since = created_at WHERE availability <> 'accepting'

CREATE INDEX operator_changes ON operator (changes_at) WHERE changes_at IS NOT NULL
