-- A file that is taken in, and how far it is.
CREATE TABLE import (
  id {id} PRIMARY KEY,
  -- 'leads' or 'contacts': what each row becomes.
  kind TEXT NOT NULL,
  -- 'draft', 'checking', 'checked', 'running', 'done', 'failed', 'cancelled', 'undoing', 'undone'.
  state TEXT NOT NULL,
  file_name TEXT NOT NULL,
  size BIGINT NOT NULL,
  -- SHA-256 of the file: the same one is not taken in twice by mistake.
  hash TEXT NOT NULL,
  -- The file, until it is all in: then its rows are in the database and the file is deleted.
  storage_key TEXT,
  -- Rows of the file.
  total BIGINT NOT NULL,
  layout {json} NOT NULL,
  columns {json} NOT NULL,
  mapping {json} NOT NULL,
  options {json} NOT NULL,
  -- The last row that is in (or checked, or undone); moves in the transaction of the rows.
  cursor BIGINT NOT NULL,
  counts {json} NOT NULL,
  -- Why it failed.
  error TEXT,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL,
  started_at {ts},
  ended_at {ts}
)

CREATE INDEX import_created ON import (created_at, id)

CREATE INDEX import_hash ON import (hash)

CREATE INDEX import_operator ON import (operator_id)

-- What somebody waits for.
CREATE INDEX import_work ON import (updated_at) WHERE state IN ('checking', 'running', 'undoing')

-- What became of each row; the key makes that no row is taken in twice. After a check only the wrong ones are here.
CREATE TABLE import_row (
  import_id {id} NOT NULL REFERENCES import (id) ON DELETE CASCADE,
  -- From 1, without the one that names the columns.
  row_no BIGINT NOT NULL,
  -- The line of the file.
  line BIGINT NOT NULL,
  -- 'created', 'updated', 'skipped', 'failed'.
  outcome TEXT NOT NULL,
  -- Ids as they were then: what was made may be gone.
  contact_id {id},
  lead_id {id},
  company_id {id},
  -- Which of them this row made: 'contact', 'lead', 'company', apart by spaces.
  made TEXT NOT NULL,
  -- What is wrong, of failed ones.
  errors {json},
  PRIMARY KEY (import_id, row_no)
)

CREATE INDEX import_row_failed ON import_row (import_id, row_no) WHERE outcome = 'failed'

-- Which columns fill which fields, kept under a name.
CREATE TABLE import_mapping (
  id {id} PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  mapping {json} NOT NULL,
  options {json} NOT NULL,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  created_at {ts} NOT NULL
)

CREATE UNIQUE INDEX import_mapping_name ON import_mapping (name)

CREATE INDEX import_mapping_operator ON import_mapping (operator_id)
