-- Where the visitor's last session was opened from: an IPv4 address or an IPv6 network of /64, so that an operator can
-- block it. Goes with the visitor.
ALTER TABLE visitor ADD COLUMN origin TEXT

-- A visitor is looked for by their identity when a conversation is open before an operator.
CREATE INDEX visitor_identity ON visitor (channel_id, identity_kind, identity_value)

-- Who may not use a chat: kind 'visitor' with the key of their conversation, or 'address' with a visitor's origin.
CREATE TABLE visitor_block (
  id {id} PRIMARY KEY,
  channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  -- who blocked them, from which conversation
  operator_id {id} NOT NULL REFERENCES operator (id),
  conversation_id {id} NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  created_at {ts} NOT NULL,
  -- an address is somebody else's some day; null: for good
  ends_at {ts}
)

CREATE UNIQUE INDEX visitor_block_of ON visitor_block (channel_id, kind, value)

CREATE INDEX visitor_block_operator ON visitor_block (operator_id)

CREATE INDEX visitor_block_conversation ON visitor_block (conversation_id)
