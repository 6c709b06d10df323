-- What a person agreed to, and took back: only added to, never changed. source: form, chat, operator, mail. source_id: the
-- submission, the browser or the message it was said in, so that it is written down once. version: the admin's word for
-- the text, or a short hash of it.
CREATE TABLE consent (
  id {id} PRIMARY KEY,
  contact_id {id} NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
  given BOOLEAN NOT NULL,
  text TEXT NOT NULL,
  text_version TEXT,
  source TEXT NOT NULL,
  source_id TEXT,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  at {ts} NOT NULL
)

CREATE INDEX consent_contact ON consent (contact_id, at, id)

CREATE UNIQUE INDEX consent_once ON consent (source, source_id) WHERE source_id IS NOT NULL

CREATE INDEX consent_operator ON consent (operator_id)
