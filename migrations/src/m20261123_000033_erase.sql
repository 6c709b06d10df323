-- People who are being erased, and those who were.
--
-- state: rows (what is theirs), mentions (their addresses elsewhere), files, disk (bytes in unused room of the database),
-- done. step: how far the present state is. sealed: their addresses and ids, under the master key, until it is done;
-- what is left afterwards says nothing about anybody. counts: what went.
CREATE TABLE erasure (
  id {id} PRIMARY KEY,
  person_id {id} NOT NULL,
  state TEXT NOT NULL,
  step BIGINT NOT NULL,
  sealed {bytes},
  counts {json} NOT NULL,
  error TEXT,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL,
  finished_at {ts}
)

CREATE UNIQUE INDEX erasure_person ON erasure (person_id)

CREATE INDEX erasure_created ON erasure (created_at, id)

CREATE INDEX erasure_work ON erasure (created_at) WHERE finished_at IS NULL

CREATE INDEX erasure_operator ON erasure (operator_id)

-- Files whose rows are gone and that are to be removed.
CREATE TABLE erasure_file (
  erasure_id {id} NOT NULL REFERENCES erasure (id) ON DELETE CASCADE,
  storage_key TEXT NOT NULL,
  PRIMARY KEY (erasure_id, storage_key)
)
