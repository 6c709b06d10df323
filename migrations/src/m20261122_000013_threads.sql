-- Written by a machine: shown as such, answered by nobody.
ALTER TABLE message ADD COLUMN automatic BOOLEAN NOT NULL DEFAULT FALSE

-- Written by somebody who was not part of the conversation before: staff should look who it is.
ALTER TABLE message ADD COLUMN new_participant BOOLEAN NOT NULL DEFAULT FALSE

-- The writer's program asks that no program answers this message.
ALTER TABLE message ADD COLUMN no_auto_reply BOOLEAN NOT NULL DEFAULT FALSE

-- What lines said by themselves, for the budget of a contact.
CREATE INDEX message_automatic ON message (conversation_id, created_at) WHERE kind = 'reply' AND author_type = 'system'

-- Since when, and why, nothing reaches an address any more; null while it does, as far as is known.
ALTER TABLE identity ADD COLUMN unreachable_since {ts}

ALTER TABLE identity ADD COLUMN unreachable_reason TEXT

-- Everybody who is on the mails of a conversation, by address in lower case: they may answer in it.
CREATE TABLE conversation_member (
  conversation_id {id} NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  address TEXT NOT NULL,
  created_at {ts} NOT NULL,
  PRIMARY KEY (conversation_id, address)
)

-- How conversations hang together. `from_id` is the later one: split from, merged into, or begun by a mail
-- that answers `to_id` (reason: stranger, old, subject). `moved` lists the messages that were moved, so that
-- it can be undone.
CREATE TABLE conversation_link (
  id {id} PRIMARY KEY,
  kind TEXT NOT NULL,
  from_id {id} NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  to_id {id} NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  reason TEXT,
  operator_id {id} REFERENCES operator (id) ON DELETE SET NULL,
  moved {json} NOT NULL,
  at {ts} NOT NULL,
  undone_at {ts}
)

CREATE INDEX conversation_link_from ON conversation_link (from_id)

CREATE INDEX conversation_link_to ON conversation_link (to_id)

CREATE INDEX conversation_link_operator ON conversation_link (operator_id)

-- A merged conversation is empty and in no list.
CREATE UNIQUE INDEX conversation_link_merged ON conversation_link (from_id) WHERE kind = 'merged' AND undone_at IS NULL
