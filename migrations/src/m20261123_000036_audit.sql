-- Who saw, changed, exported and erased what, and who signed in: only added to, until it is too old. Ids alone, and the
-- names of operations: what was seen or changed does not stand here. Operators are no foreign key: who is gone was still
-- there. once: what is told once an hour (operator, object, hour).
CREATE TABLE audit (
  id {id} PRIMARY KEY,
  at {ts} NOT NULL,
  operator_id {id} NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  object_id TEXT,
  operation TEXT NOT NULL,
  once TEXT
)

CREATE UNIQUE INDEX audit_once ON audit (once) WHERE once IS NOT NULL

CREATE INDEX audit_at ON audit (at, id)

CREATE INDEX audit_operator ON audit (operator_id, at, id)

CREATE INDEX audit_object ON audit (object_id, at, id)

CREATE INDEX audit_action ON audit (action, at, id)
