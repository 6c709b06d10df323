-- What a message says beside its text: words quoted, where it was first, a place, buttons, files not taken.
ALTER TABLE message ADD COLUMN extra {json}

-- The message of the same conversation that it answers.
ALTER TABLE message ADD COLUMN reply_to {id}

-- When it was last changed; its earlier words are in message_version.
ALTER TABLE message ADD COLUMN edited_at {ts}

-- When and by whom ('contact', 'operator') it was taken back; the words stay, for the staff alone.
ALTER TABLE message ADD COLUMN deleted_at {ts}

ALTER TABLE message ADD COLUMN deleted_by TEXT

-- Who feels what about it, now.
ALTER TABLE message ADD COLUMN reactions {json}

-- Further ids of an answer that the provider made several messages of, in order.
ALTER TABLE message ADD COLUMN parts {json}

-- How many versions came before.
ALTER TABLE message ADD COLUMN revision BIGINT NOT NULL DEFAULT 0

-- Where a change of a sent answer is: 'queued', 'sending', 'failed' with its error; null when it is through.
ALTER TABLE message ADD COLUMN change_state TEXT

ALTER TABLE message ADD COLUMN change_error TEXT

-- What a message said before, from `at` on. `files` lists its attachments of then, when they were replaced.
CREATE TABLE message_version (
  message_id {id} NOT NULL REFERENCES message (id) ON DELETE CASCADE,
  number BIGINT NOT NULL,
  body TEXT NOT NULL,
  html TEXT,
  files {json},
  at {ts} NOT NULL,
  PRIMARY KEY (message_id, number)
)

-- Changes of messages that are not known yet: applied when the message comes. Shown in quarantine meanwhile.
CREATE TABLE waiting_change (
  channel_id {id} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  message TEXT NOT NULL,
  event TEXT NOT NULL,
  change {json} NOT NULL,
  at {ts} NOT NULL,
  quarantine_id {id} NOT NULL REFERENCES quarantine (id) ON DELETE CASCADE,
  PRIMARY KEY (channel_id, message, event)
)

CREATE INDEX waiting_change_quarantine ON waiting_change (quarantine_id)

-- Of an earlier version of its message.
ALTER TABLE attachment ADD COLUMN replaced BOOLEAN NOT NULL DEFAULT FALSE

-- Since when, and why, nothing reaches this customer on this channel; null while it does.
ALTER TABLE conversation ADD COLUMN unreachable_since {ts}

ALTER TABLE conversation ADD COLUMN unreachable_reason TEXT

-- What is to be done: 'send', 'edit' or 'delete'; and what next, when it was asked for meanwhile.
ALTER TABLE outbox ADD COLUMN kind TEXT NOT NULL DEFAULT 'send'

ALTER TABLE outbox ADD COLUMN next_kind TEXT
