-- Who was asked to take a session, until when, and what came of it.
CREATE TABLE offer (
  id {id} PRIMARY KEY,
  session_id {id} NOT NULL REFERENCES session (id) ON DELETE CASCADE,
  conversation_id {id} NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  line_id {id} NOT NULL REFERENCES line (id) ON DELETE CASCADE,
  operator_id {id} NOT NULL REFERENCES operator (id) ON DELETE CASCADE,
  channel_kind TEXT NOT NULL,
  broadcast BOOLEAN NOT NULL,
  offered_at {ts} NOT NULL,
  expires_at {ts} NOT NULL,
  ended_at {ts},
  outcome TEXT,
  reason TEXT
)

-- Nobody is asked twice at once about the same session.
CREATE UNIQUE INDEX offer_open ON offer (session_id, operator_id) WHERE ended_at IS NULL

CREATE INDEX offer_open_of_operator ON offer (operator_id) WHERE ended_at IS NULL

CREATE INDEX offer_due ON offer (expires_at) WHERE ended_at IS NULL

CREATE INDEX offer_session ON offer (session_id)

CREATE INDEX offer_conversation ON offer (conversation_id)

CREATE INDEX offer_line ON offer (line_id)

CREATE INDEX offer_operator ON offer (operator_id, offered_at)

CREATE INDEX session_offered ON session (line_id, waiting_since) WHERE state = 'offered'

-- What an operator said when they declined.
ALTER TABLE routing_decision ADD COLUMN reason TEXT
