-- Everything that is known of a person, as one file to be handed to them. state: waiting, done, failed. The file goes
-- at expires_at, and with the person when they are erased.
CREATE TABLE person_export (
  id {id} PRIMARY KEY,
  person_id {id} NOT NULL,
  state TEXT NOT NULL,
  storage_key TEXT,
  size BIGINT,
  error TEXT,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  created_at {ts} NOT NULL,
  finished_at {ts},
  expires_at {ts}
)

CREATE INDEX person_export_person ON person_export (person_id, created_at)

CREATE INDEX person_export_operator ON person_export (operator_id)

CREATE INDEX person_export_work ON person_export (created_at) WHERE state = 'waiting'

CREATE INDEX person_export_expiry ON person_export (expires_at) WHERE expires_at IS NOT NULL
