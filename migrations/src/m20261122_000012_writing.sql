-- Who stands in the address fields of a message, on channels that have any: a list of
-- {"role", "name", "address"}, the author as "from". Null: the channel has none, or it was before they were kept.
ALTER TABLE message ADD COLUMN recipients {json}

-- What an answer is: "reply", "reply_all" or "forward". Null where there is no choice.
ALTER TABLE message ADD COLUMN mode TEXT

-- Texts that operators write again and again. With a line: for its operators. With an operator: for that one
-- alone. With neither: for everybody. `shortcut` is what is typed after the stroke to find it.
CREATE TABLE template (
  id {id} PRIMARY KEY,
  line_id {id} REFERENCES line (id) ON DELETE CASCADE,
  operator_id {id} REFERENCES operator (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  shortcut TEXT,
  body TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at {ts} NOT NULL,
  updated_at {ts} NOT NULL
)

CREATE INDEX template_line ON template (line_id)

CREATE INDEX template_operator ON template (operator_id)

-- What an operator puts under their mails.
CREATE TABLE operator_signature (
  operator_id {id} PRIMARY KEY REFERENCES operator (id) ON DELETE CASCADE,
  body TEXT NOT NULL,
  updated_at {ts} NOT NULL
)
